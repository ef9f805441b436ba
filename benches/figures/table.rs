//! The table of figures: each beside its ratio to what this machine can do in the same run.

use comfy_table::{Table, presets};

/// Rows as they are measured.
#[derive(Debug)]
pub(crate) struct Figures {
    table: Table,
}

impl Figures {
    pub(crate) fn new() -> Self {
        let mut table = Table::new();
        table.load_style(presets::ASCII_MARKDOWN);
        table.set_header(["figure", "measured", "against", "bar"]);
        Self { table }
    }

    /// Adds a row, and shows it at once on the way.
    pub(crate) fn row(&mut self, figure: &str, measured: String, against: String, bar: &str) {
        eprintln!("{figure}: {measured} {against}");
        self.table
            .add_row([figure.to_owned(), measured, against, bar.to_owned()]);
    }
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.table.fmt(f)
    }
}

/// A rate, with thousands apart.
pub(crate) fn rate(per_second: f64) -> String {
    let whole = (per_second.round() as u64).to_string();
    let mut text = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text + "/s"
}

/// The median of three runs of a measurement.
pub(crate) fn median(mut run: impl FnMut() -> f64) -> f64 {
    let mut seen = [run(), run(), run()];
    seen.sort_by(f64::total_cmp);
    seen[1]
}
