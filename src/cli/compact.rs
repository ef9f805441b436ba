//! `purser compact`

use serde_json::json;

use super::args::Offline;
use super::ledger::Books;
use super::out::{grouped, print, print_json};
use super::{Failure, configured};
use crate::log::directory;

pub(super) fn run(args: &Offline) -> Result<(), Failure> {
    let mut books = Books::open(&configured(&args.config)?)?;
    let path = books.data().to_owned();
    let size = || {
        directory::bytes(&path).map_err(|source| Failure::Size {
            path: path.clone(),
            source,
        })
    };
    let before = size()?;
    let sealed = books.compact()?;
    drop(books);
    let after = size()?;
    if args.json {
        return print_json(&json!({
            "sealed_position": sealed.0,
            "bytes_before": before,
            "bytes_after": after,
        }));
    }
    let (before, after) = (grouped(before), grouped(after));
    let sealed = grouped(sealed.0);
    print(&format!(
        "sealed up to position {sealed}; {before} bytes before, {after} after\n"
    ))
}
