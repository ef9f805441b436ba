//! `purser serve`

use std::io;

use tracing_subscriber::EnvFilter;

use super::args::Serve;
use super::server::{Server, Timekeeping};
use super::{Failure, out, runtime};
use crate::config::{self, Config};

/// The variable that says how much the server tells.
const LOG_VARIABLE: &str = "PURSER_LOG";

pub(super) fn run(serve: &Serve) -> Result<(), Failure> {
    let config = config::load(serve.config.config.as_deref(), serve.layer())?;
    if serve.check {
        return out::print(&toml::to_string(&config)?);
    }
    log_to_stderr();
    let time = if serve.test_clock {
        Timekeeping::Test
    } else {
        Timekeeping::Real
    };
    runtime()?.block_on(until_told(&config, time))
}

async fn until_told(config: &Config, time: Timekeeping) -> Result<(), Failure> {
    let mut server = Server::start(config, time).await?;
    greet(&server, config)?;
    server.until_told().await?;
    tracing::info!("stopping");
    server.stop().await
}

fn greet(server: &Server, config: &Config) -> Result<(), Failure> {
    let (url, data) = (&server.url, config.data.display());
    let position = server.service().view.position();
    let mut text = format!("purser listens on {url}\n{data} is at position {position}\n");
    if let Some(path) = &server.new_keys {
        text += &format!("new keys are in {}\n", path.display());
    }
    match out::print(&text) {
        // A server outlives whoever started it.
        Err(failure) if failure.is_broken_pipe() => Ok(()),
        told => told,
    }
}

/// What happens is told on standard error, as much as the environment asks for.
pub(super) fn log_to_stderr() {
    let filter = EnvFilter::try_from_env(LOG_VARIABLE).unwrap_or_else(|_| EnvFilter::new("info"));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr);
    // A second subscriber is refused; the first one goes on telling.
    let _ = subscriber.try_init();
}
