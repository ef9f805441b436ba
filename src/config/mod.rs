//! The configuration: `purser.toml`, overridden by the environment, overridden by flags.

mod chain;
mod grants;
mod keys;
mod livepeer;
mod matching;
mod probe;
mod tls;
mod traffic;
mod value;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use purser_events::Label;

pub use chain::{Finality, RpcUrls, host_of};
pub use grants::{Percent, PoolAsset, Units};
pub use keys::{Config, KEYS, Key, Layer, SOURCE_VARIABLES};
pub use livepeer::{Account, Prices, ServiceAddr, Switches};
pub use matching::MatchWeights;
pub use probe::{Bearing, Distances, ProbeRegion, Vantage};
pub use tls::{ClientRoles, PemFile};
pub use traffic::{Bucket, Networks, Rate};
pub use value::{
    Bind, Commission, Partition, Partitions, Seconds, Secret, Setting, Threshold, ValueError,
};

/// The file that is read when it exists and no other is named.
pub const DEFAULT_FILE: &str = "purser.toml";

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {path}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's word.
        #[source]
        source: std::io::Error,
    },
    /// The file holds an unknown key, or a value of the wrong kind.
    #[error("{path} line {line}: {message}")]
    File {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The parser's word; it never shows a secret.
        message: String,
    },
    /// A variable of the environment has a value that its key does not take.
    #[error("the environment variable {name}")]
    Environment {
        /// The variable.
        name: &'static str,
        /// What is wrong with its value.
        #[source]
        source: ValueError,
    },
    /// Distances are given, and not from where.
    #[error("probe_distances_km needs probe_region: the region that the distances are from")]
    DistancesFromNowhere,
    /// A region is said to be away that this server stands in.
    #[error("probe_distances_km holds {region}, which probe_region is in: leave it out")]
    DistanceToHere {
        /// That region.
        region: Label,
    },
}

impl ConfigError {
    /// Whether the file could not be read at all.
    #[must_use]
    pub const fn is_unreadable(&self) -> bool {
        matches!(self, Self::Unreadable { .. })
    }
}

/// Reads the configuration: `flags` over the environment over `file`, or over
/// [`DEFAULT_FILE`] where that exists.
///
/// # Errors
/// See [`ConfigError`].
pub fn load(file: Option<&Path>, flags: Layer) -> Result<Config, ConfigError> {
    let file = match file {
        Some(path) => read(path)?,
        None if Path::new(DEFAULT_FILE).exists() => read(Path::new(DEFAULT_FILE))?,
        None => Layer::default(),
    };
    let environment = Layer::from_environment(&|name| std::env::var(name).ok())?;
    let config = Config::from_layers(flags.over(environment.over(file)));
    probe::check(&config)?;
    Ok(config)
}

fn read(path: &Path) -> Result<Layer, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    parse(path, &text)
}

/// Reads a configuration file's text; `path` is for the error only.
///
/// # Errors
/// When a key is unknown or a value has the wrong kind; the error names the line and the key.
pub fn parse(path: &Path, text: &str) -> Result<Layer, ConfigError> {
    toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        let before = text.get(..at).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let key = text.lines().nth(line - 1).and_then(key_of).unwrap_or("");
        let message = error.message();
        let message = if key.is_empty() || message.contains(&format!("`{key}`")) {
            message.to_owned()
        } else {
            format!("`{key}`: {message}")
        };
        ConfigError::File {
            path: path.to_owned(),
            line,
            message,
        }
    })
}

fn key_of(line: &str) -> Option<&str> {
    line.split_once('=').map(|(key, _)| key.trim())
}
