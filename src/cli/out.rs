//! Output: tables and text on standard output, progress on standard error. A reader that goes
//! away is an error that can be told, not a panic.

use std::io::{self, Write};
use std::time::Duration;

use comfy_table::{Cell, CellAlignment, LineStyle, Table, TableStyle};
use indicatif::{ProgressBar, ProgressStyle};
use purser_events::{Amount, Wei};
use serde::Serialize;

use super::Failure;

/// Standard output, to be written through `std::io::Write` and flushed at the end.
pub(super) fn stdout() -> io::BufWriter<io::StdoutLock<'static>> {
    io::BufWriter::with_capacity(1 << 16, io::stdout().lock())
}

/// Prints text as it is.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    let mut out = stdout();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// Prints a value as JSON for machines.
pub(super) fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    let mut text = serde_json::to_string_pretty(value).map_err(io::Error::from)?;
    text.push('\n');
    print(&text)
}

/// Says something to the person at the terminal, beside the output.
pub(super) fn tell(text: &str) {
    // Nobody is left to tell when standard error is closed.
    let _ = writeln!(io::stderr(), "{text}");
}

/// How a column is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Text(&'static str),
    Number(&'static str),
}

/// A table for people.
pub(super) struct Sheet {
    columns: &'static [Column],
    table: Table,
}

impl Sheet {
    pub(super) fn new(columns: &'static [Column]) -> Self {
        let mut table = Table::new();
        let line = LineStyle::none().fill('─').junction('─');
        table.load_style(TableStyle::new().header_separator(line));
        let mut sheet = Self { columns, table };
        let heads = columns.iter().map(|column| match column {
            Column::Text(head) | Column::Number(head) => (*head).to_owned(),
        });
        let heads = sheet.cells(heads);
        sheet.table.set_header(heads);
        sheet
    }

    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let cells = self.cells(cells);
        self.table.add_row(cells);
    }

    fn cells(&self, texts: impl IntoIterator<Item = String>) -> Vec<Cell> {
        let texts = texts.into_iter().zip(self.columns);
        let cell = |(text, column): (String, &Column)| match column {
            Column::Text(_) => Cell::new(text),
            Column::Number(_) => Cell::new(text).set_alignment(CellAlignment::Right),
        };
        texts.map(cell).collect()
    }

    pub(super) fn text(&self) -> String {
        format!("{}\n", self.table)
    }
}

/// A progress bar on a terminal; nothing in a pipe.
pub(super) fn bar(what: &'static str, total: u64) -> ProgressBar {
    let bar = ProgressBar::new(total);
    let style = "{prefix:>12} {bar:32} {human_pos}/{human_len} {per_sec} {msg}";
    bar.set_style(ProgressStyle::with_template(style).unwrap_or_else(|_| {
        // The template is a constant; without it the bar is merely plain.
        ProgressStyle::default_bar()
    }));
    bar.set_prefix(what);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// An amount in ETH, to the last wei.
pub(super) fn eth(amount: Wei) -> String {
    in_units(amount.into(), 18)
}

/// An amount in whole units of its asset, to the last base unit.
pub(super) fn in_units(amount: Amount, exponent: u8) -> String {
    let places = usize::from(exponent);
    let digits = format!("{:0>1$}", amount.0, places + 1);
    let (whole, rest) = digits.split_at(digits.len() - places);
    if rest.is_empty() {
        return whole.to_owned();
    }
    format!("{whole}.{rest}")
}

/// A count with its thousands set apart.
pub(super) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eth_is_exact_to_the_last_wei() {
        for (wei, text) in [
            (0, "0.000000000000000000"),
            (1, "0.000000000000000001"),
            (10_000_000_000_000_000, "0.010000000000000000"),
            (u128::from(u64::MAX) + 1, "18.446744073709551616"),
        ] {
            assert_eq!(eth(Wei(wei)), text);
        }
    }

    #[test]
    fn units_have_the_places_of_their_asset() {
        for (amount, exponent, text) in [(5, 0, "5"), (5, 2, "0.05"), (1_234, 2, "12.34")] {
            assert_eq!(in_units(Amount(amount), exponent), text);
        }
    }

    #[test]
    fn thousands_are_set_apart() {
        for (count, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (12_345_678, "12,345,678"),
        ] {
            assert_eq!(grouped(count), text);
        }
    }

    #[test]
    fn numbers_stand_at_the_right() {
        let mut sheet = Sheet::new(&[Column::Text("worker"), Column::Number("jobs")]);
        sheet.row(["a".to_owned(), "1".to_owned()]);
        sheet.row(["b".to_owned(), "1000".to_owned()]);
        let text = sheet.text();
        assert!(text.lines().any(|line| line.ends_with("   1 ")), "{text}");
    }
}
