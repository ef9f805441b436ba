//! Why a command did not end well, and the exit code that says so.

use std::io;

use crate::config::ConfigError;

/// Why a command did not end well.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// There is no configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The configuration cannot be written as text.
    #[error("cannot print the configuration")]
    Print(#[from] toml::ser::Error),
    /// The output cannot be written.
    #[error("cannot write the output")]
    Output(#[from] io::Error),
}

impl Failure {
    /// 1 a finding, 2 usage, 3 cannot reach or read.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Config(error) if !error.is_unreadable() => 2,
            _ => 3,
        }
    }

    /// Whether the reader of our output went away: it has what it wanted.
    #[must_use]
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}
