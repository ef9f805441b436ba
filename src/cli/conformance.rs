//! `purser conformance`: reference vectors through the built-in code.

use std::io::Write;
use std::path::Path;

use serde_json::Value;

use super::Failure;
use super::args::Conformance;
use super::out;
use crate::conformance::{self, Report};

pub(super) fn run(args: &Conformance) -> Result<(), Failure> {
    let mut out = out::stdout();
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for path in &args.files {
        let report = play(path)?;
        for case in &report.failed {
            writeln!(out, "{}: {}: {}", path.display(), case.id, case.detail)?;
        }
        passed += report.passed;
        failed += report.failed.len() as u64;
        skipped += report.skipped;
    }
    writeln!(out, "{passed} passed, {failed} failed, {skipped} skipped")?;
    out.flush()?;
    match failed {
        0 => Ok(()),
        failed => Err(Failure::Mismatches { failed }),
    }
}

fn play(path: &Path) -> Result<Report, Failure> {
    let unreadable = |source| Failure::Vectors {
        path: path.to_owned(),
        source,
    };
    let text = std::fs::read(path).map_err(unreadable)?;
    let file: Value = serde_json::from_slice(&text).map_err(|error| unreadable(error.into()))?;
    conformance::play(&file).ok_or_else(|| Failure::NoVectors {
        path: path.to_owned(),
    })
}
