//! `purser snapshot`

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use purser_events::Position;
use serde_json::json;

use super::args::{Snapshot, SnapshotAction};
use super::ledger::{Books, must_exist};
use super::out::{Column, Sheet, grouped, print, print_json};
use super::{Failure, configured};
use crate::service::{ReplayError, SnapshotStore, take_snapshot};

pub(super) fn run(args: &Snapshot) -> Result<(), Failure> {
    match &args.action {
        SnapshotAction::Take(args) => {
            let books = Books::open(&configured(&args.config)?)?;
            take(&books, args.json)
        }
        SnapshotAction::List(args) => {
            // Files are listed beside a running server too: the log is not opened.
            let data = configured(&args.config)?.data;
            must_exist(&data)?;
            list(&data, args.json)
        }
    }
}

fn take(books: &Books, as_json: bool) -> Result<(), Failure> {
    let taken = take_snapshot(&books.snapshots(), &*books.reader())?;
    match (taken, as_json) {
        (Some(taken), true) => print_json(&row(taken.position, &taken.path, taken.bytes)),
        (None, true) => print_json(&serde_json::Value::Null),
        (Some(taken), false) => {
            let (path, bytes) = (taken.path.display(), grouped(taken.bytes));
            print(&format!(
                "{path}: position {}, {bytes} bytes\n",
                taken.position
            ))
        }
        (None, false) => print("nothing was recorded since the newest snapshot\n"),
    }
}

fn list(data: &Path, as_json: bool) -> Result<(), Failure> {
    let sized = sized(data).map_err(ReplayError::Snapshots)?;
    if as_json {
        let rows = sized
            .iter()
            .map(|(position, bytes, path)| row(*position, path, *bytes));
        return print_json(&rows.collect::<Vec<_>>());
    }
    let mut sheet = Sheet::new(&[
        Column::Number("position"),
        Column::Number("bytes"),
        Column::Text("file"),
    ]);
    for (position, bytes, path) in sized {
        sheet.row([
            grouped(position.0),
            grouped(bytes),
            path.display().to_string(),
        ]);
    }
    print(&sheet.text())
}

fn sized(data: &Path) -> io::Result<Vec<(Position, u64, PathBuf)>> {
    let found = SnapshotStore::of(data).list()?.into_iter();
    found
        .map(|(position, path)| Ok((position, fs::metadata(&path)?.len(), path)))
        .collect()
}

fn row(position: Position, path: &Path, bytes: u64) -> serde_json::Value {
    json!({ "position": position.0, "bytes": bytes, "path": path.display().to_string() })
}
