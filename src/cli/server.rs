//! A server of this process: from its start to its orderly end.

use std::error::Error;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use purser_commands::ticket::terms::Wanted;
use purser_events::{Amount, Wei};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::Failure;
use super::ledger::{self, ADDRESS_FILE};
use super::remote::Remote;
use crate::config::{Config, Secret};
use crate::http::{self, Entrance, Surface, surface};
use crate::keys;
use crate::payouts::{self, PayoutsHandle};
use crate::service::{Running, Service};
use crate::tickets::Desk;
use crate::tickets::desk::Rules;
use crate::tls::{ServerFiles, ServerTls, TlsError};

/// How long the payouts' runner may take to end what it is at.
const RUNNER_GRACE: Duration = Duration::from_secs(1);

/// How a ledger is started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Timekeeping {
    /// By the machine's clock.
    #[default]
    Real,
    /// By a clock that moves only when told to.
    Test,
}

/// A server that runs.
pub(super) struct Server {
    pub(super) url: String,
    /// The file of keys, when this start made it.
    pub(super) new_keys: Option<PathBuf>,
    running: Running,
    remote: Remote,
    data: PathBuf,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
    renewal: JoinHandle<()>,
    signals: Ends,
    payouts: Option<PayoutsHandle>,
}

impl Server {
    /// Opens the data directory and listens.
    pub(super) async fn start(config: &Config, time: Timekeeping) -> Result<Self, Failure> {
        let tls = tls(config)?;
        // From here on a signal ends the server in order, however early it comes.
        let signals = Signals::listen().map_err(Failure::Signals)?;
        let listener = listen(config.bind).await?;
        let running = open(config.clone(), time).await?;
        let secret = config.coordinator_secret.as_ref().map(Secret::reveal);
        let (keys, new_keys) = keys::open(&config.data, secret)?;
        let settings = http::Settings::of(config);
        let service = running.service.clone();
        let remote = Remote::start(config, &service)?;
        let payouts = payouts_of(config, &service).await?;
        let router = surface(Surface {
            service,
            keys,
            settings: settings.clone(),
            payouts: payouts.clone(),
            desk: desk(config)?,
        });
        let bound = listener
            .local_addr()
            .map_err(|source| unbound(config.bind, source))?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{bound}");
        let (stop, stopped) = watch::channel(false);
        let renewal = tokio::spawn(renew(tls.clone(), signals.hangup));
        let signals = signals.ends;
        let entrance = Entrance { listener, tls };
        let task =
            tokio::spawn(async move { http::serve(router, entrance, &settings, stopped).await });
        // Only a hint for people; the server does not depend on it.
        if let Err(error) = fs::write(config.data.join(ADDRESS_FILE), format!("{url}\n")) {
            tracing::warn!(%error, "the address of the server cannot be noted");
        }
        let data = config.data.clone();
        Ok(Self {
            url,
            new_keys,
            running,
            remote,
            data,
            stop,
            task,
            renewal,
            signals,
            payouts,
        })
    }

    pub(super) const fn service(&self) -> &Service {
        &self.running.service
    }

    /// Waits until the server is told to stop, or cannot go on.
    pub(super) async fn until_told(&mut self) -> Result<(), Failure> {
        let mut failure = self.running.service.stats.failure();
        tokio::select! {
            () = self.signals.either() => Ok(()),
            failed = failure.wait_for(Option::is_some) => {
                let why = failed.ok().and_then(|why| why.clone()).unwrap_or_default();
                Err(Failure::Writer { why })
            }
        }
    }

    /// Takes no further request, answers those in flight, and writes a snapshot.
    pub(super) async fn stop(self) -> Result<(), Failure> {
        self.stop.send_replace(true);
        self.renewal.abort();
        self.remote.stop().await;
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the listener ended badly");
        }
        if let Some(payouts) = &self.payouts {
            // It may be killed anywhere: whatever it is at, the next start goes on with it.
            let _ = tokio::time::timeout(RUNNER_GRACE, payouts.stop()).await;
        }
        let _ = fs::remove_file(self.data.join(ADDRESS_FILE));
        let running = self.running;
        let stopped = tokio::task::spawn_blocking(move || running.stop()).await;
        Ok(stopped.map_err(|_| Failure::panicked())??)
    }
}

/// Replays on a thread of its own: the runtime's threads are not to be blocked.
async fn open(config: Config, time: Timekeeping) -> Result<Running, Failure> {
    let opened = tokio::task::spawn_blocking(move || ledger::start(&config, time)).await;
    opened.map_err(|_| Failure::panicked())?
}

/// Starts the payouts' runner, if the configuration names nodes and a key. Opening a keystore takes
/// a second of computing.
async fn payouts_of(config: &Config, service: &Service) -> Result<Option<PayoutsHandle>, Failure> {
    let own = config.clone();
    let settings = tokio::task::spawn_blocking(move || payouts::Settings::of(&own)).await;
    let settings = settings.map_err(|_| Failure::panicked())??;
    let start = |settings| payouts::start(service.clone(), settings);
    settings.map(start).transpose().map_err(Failure::Http)
}

async fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address)
        .await
        .map_err(|source| unbound(address, source))
}

fn unbound(address: SocketAddr, source: io::Error) -> Failure {
    Failure::Bind { address, source }
}

/// The TLS of a configuration, if it names a certificate.
fn tls(config: &Config) -> Result<Option<Arc<ServerTls>>, Failure> {
    let half = |given, missing| Err(Failure::Tls(TlsError::Half { given, missing }));
    let roles = config.tls_client_roles.parties();
    let Config {
        tls_certificate: certificate,
        tls_key: key,
        tls_client_ca: ca,
        ..
    } = config;
    match (certificate, key, ca) {
        (_, _, None) if !roles.is_empty() => half("tls_client_roles", "tls_client_ca"),
        (None, None, None) => Ok(None),
        (None, None, Some(_)) => half("tls_client_ca", "tls_certificate"),
        (Some(_), None, _) => half("tls_certificate", "tls_key"),
        (None, Some(_), _) => half("tls_key", "tls_certificate"),
        (Some(certificate), Some(key), ca) => {
            let files = ServerFiles {
                certificate: certificate.clone(),
                key: key.clone(),
                client_ca: ca.clone(),
                client_required: roles.is_empty(),
            };
            Ok(Some(Arc::new(ServerTls::load(files)?)))
        }
    }
}

/// Reads the files of TLS again, on SIGHUP and when they change. What cannot be used changes
/// nothing, and is told once per change.
async fn renew(tls: Option<Arc<ServerTls>>, mut hangup: Signal) {
    loop {
        let asked = tokio::select! {
            _ = hangup.recv() => true,
            () = tokio::time::sleep(LOOK_EVERY) => false,
        };
        let Some(tls) = tls.as_ref().filter(|tls| asked || tls.changed()) else {
            continue;
        };
        let tls = Arc::clone(tls);
        match tokio::task::spawn_blocking(move || tls.reload()).await {
            Ok(Ok(())) => tracing::info!("the certificate was read again"),
            Ok(Err(error)) => {
                let cause = error.source().map(ToString::to_string);
                tracing::error!(%error, cause, "the certificate of before stays in force");
            }
            Err(_) => tracing::error!("reading the certificate failed"),
        }
    }
}

/// How often the files of TLS are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The signals that a server listens to.
struct Signals {
    ends: Ends,
    hangup: Signal,
}

/// SIGTERM, and SIGINT as a terminal sends it.
struct Ends {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        let terminate = signal(SignalKind::terminate())?;
        let interrupt = signal(SignalKind::interrupt())?;
        let ends = Ends {
            terminate,
            interrupt,
        };
        let hangup = signal(SignalKind::hangup())?;
        Ok(Self { ends, hangup })
    }
}

impl Ends {
    async fn either(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Where tickets are issued and checked, if there is somebody whom they pay.
fn desk(config: &Config) -> Result<Option<Arc<Desk>>, Failure> {
    let Some(recipient) = config.livepeer_recipient else {
        return Ok(None);
    };
    let most = config.livepeer_face_value_max_wei.wei();
    let multiplier = config.livepeer_cost_multiplier.get();
    let rules = Rules {
        recipient: recipient.0,
        service_addr: config.livepeer_service_addr.as_str().to_owned(),
        wanted: Wanted {
            expected: config.livepeer_ticket_ev_wei.wei(),
            redeem_gas: config.livepeer_redeem_gas.get(),
            cost_multiplier: u32::try_from(multiplier).unwrap_or(u32::MAX),
            face_value_max: Some(most.min(Wei(Amount::MAX.0))),
        },
        prices: config.livepeer_prices.table().clone(),
        compat: config.livepeer_compat.tickets(),
    };
    Ok(Some(Arc::new(Desk::open(&config.data, rules)?)))
}
