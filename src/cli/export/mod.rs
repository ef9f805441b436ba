//! `purser export`

mod dataset;
mod follow;
mod online;

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Seek, SeekFrom};
use std::path::Path;

use indicatif::ProgressBar;

use purser_events::Position;

use super::Failure;
use super::args::Export;
use super::out::{bar, stdout, tell};
use super::place::{Place, place};
use super::stream::{Edge, Form, Shape, Target, copy};
use crate::keys::Role;

pub(super) fn run(args: &Export) -> Result<(), Failure> {
    let place = place(&args.place, Role::Auditor)?;
    if let Some(to) = &args.to_place {
        return into(args, &place, to);
    }
    if args.format == Form::Parquet {
        return Err(Failure::ParquetToOne);
    }
    let mut wanted = args.wanted.clone();
    let Some(path) = &args.out else {
        let shape = Shape {
            form: args.format,
            head: true,
        };
        if args.follow {
            return follow::run(&place, &wanted, shape, &mut stdout());
        }
        let bar = ProgressBar::hidden();
        return copy(
            &place,
            &wanted,
            shape,
            &mut Target {
                out: &mut stdout(),
                bar: &bar,
            },
        );
    };
    let (file, last) = open(path, args)?;
    let head = file
        .metadata()
        .map_err(|source| unwritten(path, source))?
        .len()
        == 0;
    if let Some(last) = last {
        let next = Position(last + 1);
        wanted.from = Some(Edge::Position(match wanted.from {
            Some(Edge::Position(from)) => from.max(next),
            // What is in the file was recorded at that time or later.
            Some(Edge::Time(_)) | None => next,
        }));
    }
    let bar = bar("export", 0);
    let shape = Shape {
        form: args.format,
        head,
    };
    if args.follow {
        return follow::run(&place, &wanted, shape, &mut &file);
    }
    let mut out = BufWriter::new(file);
    copy(
        &place,
        &wanted,
        shape,
        &mut Target {
            out: &mut out,
            bar: &bar,
        },
    )?;
    bar.finish_and_clear();
    let file = out
        .into_inner()
        .map_err(|error| unwritten(path, error.into_error()))?;
    file.sync_all().map_err(|source| unwritten(path, source))?;
    tell(&format!("{} is complete", path.display()));
    Ok(())
}

/// A data set, from where the command looks.
fn into(args: &Export, place: &Place, to: &str) -> Result<(), Failure> {
    match place {
        Place::Data(config) => dataset::run(args, config, to),
        Place::Server(client) => online::run(args, client, to),
    }
}

fn unwritten(path: &Path, source: io::Error) -> Failure {
    Failure::Export {
        path: path.to_owned(),
        source,
    }
}

/// Opens the file for what comes next, and tells the last position that it holds.
fn open(path: &Path, args: &Export) -> Result<(File, Option<u64>), Failure> {
    let fault = |source| unwritten(path, source);
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    if !args.resume {
        let made = options.create_new(true).open(path);
        return match made {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(Failure::ExportExists {
                    path: path.to_owned(),
                })
            }
            made => Ok((made.map_err(fault)?, None)),
        };
    }
    let mut file = options
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(fault)?;
    let (complete, last) = complete_part(&file, args.format).map_err(fault)?;
    let last = match last {
        None => None,
        Some(line) => {
            let position = position_of(&line, args.format);
            Some(position.ok_or_else(|| Failure::NoExport {
                path: path.to_owned(),
            })?)
        }
    };
    // A line that a crash cut is written again, whole.
    file.set_len(complete).map_err(fault)?;
    file.seek(SeekFrom::End(0)).map_err(fault)?;
    Ok((file, last))
}

/// How far the file holds whole lines, and the last of them that holds an event.
fn complete_part(file: &File, form: Form) -> io::Result<(u64, Option<Vec<u8>>)> {
    let mut reader = BufReader::with_capacity(1 << 20, file);
    let (mut complete, mut last, mut first) = (0, None, true);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = reader.read_until(b'\n', &mut line)?;
        if line.last() != Some(&b'\n') {
            return Ok((complete, last));
        }
        complete += read as u64;
        let is_head = first && form == Form::Csv && line.starts_with(b"position,");
        if !is_head {
            last = Some(std::mem::take(&mut line));
        }
        first = false;
    }
}

fn position_of(line: &[u8], form: Form) -> Option<u64> {
    match form {
        Form::Jsonl => {
            let event: serde_json::Value = serde_json::from_slice(line).ok()?;
            event["position"].as_u64()
        }
        Form::Cloudevents => {
            let event: serde_json::Value = serde_json::from_slice(line).ok()?;
            event["id"].as_str()?.parse().ok()
        }
        Form::Parquet => None,
        Form::Csv => {
            let text = std::str::from_utf8(line).ok()?;
            text.split(',').next()?.parse().ok()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(text: &str, form: Form) -> (u64, Option<u64>) {
        let file = tempfile::tempfile().expect("a file can be made");
        io::Write::write_all(&mut &file, text.as_bytes()).expect("written");
        (&file)
            .seek(SeekFrom::Start(0))
            .expect("a file can be rewound");
        let (complete, last) = complete_part(&file, form).expect("the file can be read");
        (complete, last.and_then(|line| position_of(&line, form)))
    }

    #[test]
    fn an_export_goes_on_after_its_last_whole_line() {
        assert_eq!(part("", Form::Jsonl), (0, None));
        assert_eq!(part("{\"position\":1", Form::Jsonl), (0, None));
        let lines = "{\"position\":1}\n{\"position\":12}\n";
        assert_eq!(part(lines, Form::Jsonl), (lines.len() as u64, Some(12)));
        let cut = format!("{lines}{{\"position\":13,");
        assert_eq!(part(&cut, Form::Jsonl), (lines.len() as u64, Some(12)));
        assert_eq!(part("position,x\n", Form::Csv), (11, None));
        assert_eq!(part("position,x\n5,\"a,b\"\n6,", Form::Csv), (19, Some(5)));
    }

    #[test]
    fn a_file_of_another_kind_is_not_taken_for_an_export() {
        assert_eq!(part("hello\n", Form::Jsonl).1, None);
        assert_eq!(part("a\nb\n", Form::Csv).1, None);
    }
}
