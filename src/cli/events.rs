//! `purser events`

use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;
use indicatif::ProgressBar;
use serde_json::Value;

use super::Failure;
use super::args::Events;
use super::out::stdout;
use super::place::place;
use super::stream::{Form, Shape, Target, copy};
use crate::keys::Role;

/// The form in which events are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shown {
    /// Aligned lines for people: the default on a terminal
    Lines,
    /// One JSON object per line: the default in a pipe
    Jsonl,
    /// A row per event, with a head
    Csv,
}

pub(super) fn run(args: &Events) -> Result<(), Failure> {
    let place = place(&args.place, Role::Auditor)?;
    let on_terminal = io::stdout().is_terminal();
    let usual = if on_terminal && !args.json {
        Shown::Lines
    } else {
        Shown::Jsonl
    };
    let shown = args.format.unwrap_or(usual);
    let form = if shown == Shown::Csv {
        Form::Csv
    } else {
        Form::Jsonl
    };
    let shape = Shape { form, head: true };
    let (mut plain, bar) = (stdout(), ProgressBar::hidden());
    let mut lines = Lines {
        out: &mut plain,
        rest: Vec::new(),
    };
    let out: &mut dyn Write = if shown == Shown::Lines {
        &mut lines
    } else {
        lines.out
    };
    copy(&place, &args.wanted, shape, &mut Target { out, bar: &bar })
}

/// Turns JSON Lines into lines for people.
struct Lines<'a> {
    out: &'a mut dyn Write,
    rest: Vec<u8>,
}

impl Write for Lines<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.rest.extend_from_slice(bytes);
        let Some(end) = self.rest.iter().rposition(|byte| *byte == b'\n') else {
            return Ok(bytes.len());
        };
        for line in self.rest[..end].split(|byte| *byte == b'\n') {
            let event: Value = serde_json::from_slice(line)?;
            self.out.write_all(for_people(&event).as_bytes())?;
        }
        self.rest.drain(..=end);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn for_people(event: &Value) -> String {
    let text = |name: &str| event[name].as_str().unwrap_or_default();
    let (position, data) = (
        event["position"].as_u64().unwrap_or_default(),
        &event["data"],
    );
    let (at, kind) = (text("recorded_at"), text("type"));
    format!("{position:>10}  {at}  {kind:<20}  {data}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_for_people_do_not_depend_on_how_the_text_arrives() {
        let text = b"{\"position\":7,\"recorded_at\":\"t\",\"type\":\"worker_beat\",\
                     \"data\":{\"a\":1}}\n{\"position\":8}\n";
        let mut whole = Vec::new();
        let mut lines = Lines {
            out: &mut whole,
            rest: Vec::new(),
        };
        lines.write_all(text).expect("memory can be written");
        let mut single = Vec::new();
        let mut lines = Lines {
            out: &mut single,
            rest: Vec::new(),
        };
        for byte in text {
            lines.write_all(&[*byte]).expect("memory can be written");
        }
        assert_eq!(whole, single);
        let whole = String::from_utf8(whole).expect("the lines are UTF-8");
        assert!(
            whole.starts_with("         7  t  worker_beat           {\"a\":1}\n"),
            "{whole}"
        );
        assert_eq!(whole.lines().count(), 2);
    }
}
