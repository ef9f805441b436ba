//! `purser demo`

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use super::args::Demo;
use super::out::{print, tell};
use super::server::{Server, Timekeeping};
use super::{Failure, configured, fees, place, runtime, simulate, verify};
use crate::config::{ClientRoles, Config, Rate};
use crate::keys::Role;
use crate::tls::ClientFiles;

/// Where the server listens when nobody else does.
const USUAL_PORT: u16 = 8203;

pub(super) fn run(args: &Demo) -> Result<(), Failure> {
    let mut config = configured(&args.config)?;
    let own = args.config.data.is_none();
    if own {
        config.data = new_directory()?;
    }
    config.bind = free_address();
    // It shows itself on this machine only, and to nobody who has to be held back.
    config.match_rate = Rate::OFF;
    (config.tls_certificate, config.tls_key) = (None, None);
    (config.tls_client_ca, config.tls_client_roles) = (None, ClientRoles::default());
    let shown = runtime()?.block_on(show(&config, args));
    if own && args.exit {
        // The directory was made for this run only; what cannot be removed is left to the system.
        let _ = fs::remove_dir_all(&config.data);
    }
    shown
}

async fn show(config: &Config, args: &Demo) -> Result<(), Failure> {
    let server = Server::start(config, Timekeeping::Real).await?;
    tell(&format!(
        "server at {}, data in {}",
        server.url,
        config.data.display()
    ));
    let door = place::Door {
        url: &server.url,
        key: None,
        tls: &ClientFiles::default(),
    };
    let client = place::server(&door, &config.data, Role::Coordinator)?;
    let driven = simulate::run_pool(&client, args.pool).await?;
    let query = [("min_position", driven.position.to_string())];
    let table = fees::pages(&client, &query).await?;
    print(&format!(
        "{}{}",
        fees::people(&table),
        simulate::told(&driven)
    ))?;
    // Only a log that nobody holds is verified to the last byte.
    server.stop().await?;
    let data = config.data.clone();
    let verified = tokio::task::spawn_blocking(move || verify::verify(&data, None)).await;
    print(&verified.map_err(|_| Failure::panicked())??.verdict())?;
    if args.exit {
        return Ok(());
    }
    let mut server = Server::start(config, Timekeeping::Real).await?;
    print(&where_to_look(&server.url, &config.data))?;
    server.until_told().await?;
    server.stop().await
}

/// A directory of our own in the system's place for such things.
fn new_directory() -> Result<PathBuf, Failure> {
    let name = format!(
        "purser-demo-{:08x}",
        getrandom::u32().map_err(Failure::Random)?
    );
    let path = std::env::temp_dir().join(name);
    fs::create_dir(&path).map_err(|source| Failure::Directory {
        path: path.clone(),
        source,
    })?;
    Ok(path)
}

/// The usual address, or any free one of this machine.
fn free_address() -> SocketAddr {
    let usual = SocketAddr::from((Ipv4Addr::LOCALHOST, USUAL_PORT));
    match TcpListener::bind(usual) {
        Ok(_) => usual,
        Err(_) => SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
    }
}

fn where_to_look(url: &str, data: &Path) -> String {
    let keys = data.join("keys.toml");
    let (keys, data) = (keys.display(), data.display());
    format!(
        r#"
The server stays up until Ctrl-C. Its keys are in {keys}. Look around:

  KEY=$(sed -n 's/^auditor = \["\(.*\)"\]/\1/p' {keys})
  curl {url}/v1/health
  curl -H "Authorization: Bearer $KEY" {url}/v1/workers/fees
  curl -H "Authorization: Bearer $KEY" "{url}/v1/events?from=1&to=20"
  curl {url}/v1/openapi.json
  purser fees --url {url} --data {data}

"#
    )
}
