//! `purser serve`

use super::args::Serve;
use super::{Failure, out};
use crate::config;

pub(super) fn run(serve: &Serve) -> Result<(), Failure> {
    let config = config::load(serve.config.config.as_deref(), serve.layer())?;
    out::print(&toml::to_string(&config)?)
}
