//! Where a command looks: into a data directory, or at a running server.

use std::path::Path;

use super::args::PlaceArgs;
use super::{Failure, configured};
use crate::client::Client;
use crate::config::Config;
use crate::keys::{self, Role};
use crate::tls::ClientFiles;

/// The variable that names a server.
const URL_VARIABLE: &str = "PURSER_URL";

/// Where a command looks.
#[derive(Debug)]
pub(super) enum Place {
    /// Into the data directory of this configuration.
    Data(Box<Config>),
    /// At a server.
    Server(Client),
}

/// Finds out where to look: what the flags say, else the server that the environment names, else
/// the data directory of the configuration. `role` is whose key is needed at a server.
pub(super) fn place(args: &PlaceArgs, role: Role) -> Result<Place, Failure> {
    let config = configured(&args.config)?;
    let named = || {
        std::env::var(URL_VARIABLE)
            .ok()
            .filter(|url| !url.is_empty())
    };
    let url = match (&args.url, &args.config.data) {
        (Some(url), _) => Some(url.clone()),
        (None, Some(_)) => None,
        (None, None) => named(),
    };
    match url {
        None => Ok(Place::Data(Box::new(config))),
        Some(url) => {
            let door = Door {
                url: &url,
                key: args.key.as_deref(),
                tls: &args.tls.files(),
            };
            server(&door, &config.data, role).map(Place::Server)
        }
    }
}

/// A server as the command line names it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Door<'a> {
    pub(super) url: &'a str,
    pub(super) key: Option<&'a str>,
    pub(super) tls: &'a ClientFiles,
}

/// A client of a server. Without a key, the one in the data directory is used where the server
/// runs on this machine; it is sent nowhere else.
pub(super) fn server(door: &Door<'_>, data: &Path, role: Role) -> Result<Client, Failure> {
    let client = Client::with_tls(door.url, door.key, door.tls)?;
    if door.key.is_some() || !client.is_local() {
        return Ok(client);
    }
    let own = keys::read_file(data)
        .ok()
        .and_then(|file| file.of(role).first().cloned());
    match own {
        Some(key) => Ok(client.with_key(&key)),
        None => Ok(client),
    }
}
