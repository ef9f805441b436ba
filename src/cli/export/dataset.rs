//! `purser export --to PLACE`: a data set of files by day and type.

use std::ops::ControlFlow;
use std::sync::Arc;

use purser_events::Position;

use crate::cli::args::Export;
use crate::cli::ledger::Books;
use crate::cli::out::{bar, tell};
use crate::cli::stream::{Form, admitted, filter};
use crate::cli::{Failure, remote, runtime};
use crate::config::Config;
use crate::export::{Checkpoint, Dataset, DatasetError, DatasetForm, Span};
use crate::objects::{Address, Folder, Objects};

/// Events of one span: so many are held in memory at once.
const SPAN_EVENTS: usize = 500_000;

pub(super) fn run(args: &Export, config: &Config, to: &str) -> Result<(), Failure> {
    if args.follow {
        return Err(Failure::FollowData);
    }
    let dataset = dataset(config, to)?;
    let books = Books::open(config)?;
    let folds = books.folds()?.folds;
    let filter = filter(&args.wanted, &folds.names)?;
    let runtime = runtime()?;
    let fresh = Checkpoint {
        form: form(args.format),
        wanted: args.wanted.describe(),
        next: filter.start().0,
    };
    let mut checkpoint = runtime.block_on(dataset.checkpoint(fresh))?;
    let last = filter
        .to
        .map_or(folds.position, |to| to.min(folds.position));
    let first = Position(checkpoint.next);
    let bar = bar("export", (last.0 + 1).saturating_sub(first.0));
    let mut span = Span::new(first, checkpoint.form);
    let mut failed: Option<DatasetError> = None;
    let finish = |span: Span, checkpoint: &mut Checkpoint, next: Position| {
        checkpoint.next = next.0;
        bar.set_position(next.0 - first.0);
        runtime.block_on(dataset.store(span, checkpoint))
    };
    if first <= last {
        books.reader().read_batches(first, &mut |envelopes| {
            for envelope in envelopes.iter() {
                if envelope.position > last {
                    return ControlFlow::Break(());
                }
                if admitted(&args.wanted, &filter, envelope) {
                    span.push(envelope, &folds.names);
                }
                if span.events() >= SPAN_EVENTS {
                    let next = envelope.position.next();
                    let full = std::mem::replace(&mut span, Span::new(next, checkpoint.form));
                    if let Err(error) = finish(full, &mut checkpoint, next) {
                        failed = Some(error);
                        return ControlFlow::Break(());
                    }
                }
            }
            ControlFlow::Continue(())
        })?;
    }
    if let Some(error) = failed {
        return Err(error.into());
    }
    if first <= last {
        finish(span, &mut checkpoint, last.next())?;
    }
    bar.finish_and_clear();
    tell(&format!("{to} is complete up to position {}", last.0));
    Ok(())
}

pub(super) fn dataset(config: &Config, to: &str) -> Result<Dataset, Failure> {
    if !to.starts_with("s3://") {
        return Ok(Dataset {
            store: Arc::new(Folder::new(to)),
            prefix: String::new(),
        });
    }
    let Address { bucket, mut prefix } = to.parse().map_err(|source| Failure::Address {
        text: to.into(),
        source,
    })?;
    if !prefix.is_empty() && !prefix.ends_with('/') {
        prefix.push('/');
    }
    let store: Arc<dyn Objects> = Arc::new(remote::buckets(config).bucket(&bucket));
    Ok(Dataset { store, prefix })
}

pub(super) const fn form(form: Form) -> DatasetForm {
    match form {
        Form::Jsonl => DatasetForm::Jsonl,
        Form::Csv => DatasetForm::Csv,
        Form::Cloudevents => DatasetForm::Cloudevents,
        Form::Parquet => DatasetForm::Parquet,
    }
}
