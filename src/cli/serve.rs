//! `purser serve`

use std::io::Write;

use super::args::Serve;
use super::{Failure, out};
use crate::config;

pub(super) fn run(serve: &Serve) -> Result<(), Failure> {
    let config = config::load(serve.config.config.as_deref(), serve.layer())?;
    out::stdout().write_all(toml::to_string(&config)?.as_bytes())?;
    Ok(())
}
