//! What became of winners.

use purser_events::ticket::{WinnerReport, WinnerReported};
use purser_events::{Event, WinnerNo};
use purser_projections::Books;
use purser_projections::recall::{RecallKey, Record, report_content};
use serde::Serialize;

use crate::{Answer, Rejection};

/// Say what became of a winner.
#[derive(Clone, Debug, Serialize)]
pub struct ReportWinner {
    /// The winner.
    pub winner: WinnerNo,
    /// What became of it.
    pub report: WinnerReport,
}

impl ReportWinner {
    /// Names every record of history that the decision looks at.
    pub(crate) fn recall(&self, mut each: impl FnMut(RecallKey)) {
        each(RecallKey::of_winner(self.winner));
    }
}

pub(crate) fn report(
    books: &Books,
    said: &ReportWinner,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let Some(winner) = books.projections.tickets.winners.get(said.winner) else {
        return settled(books, said);
    };
    let on_its_way = winner.submitted.map(|(hash, _)| hash);
    if matches!(said.report, WinnerReport::Submitted(hash) if on_its_way == Some(hash)) {
        return Ok(Answer::Unchanged);
    }
    into.push(Event::WinnerReported(Box::new(WinnerReported {
        winner: said.winner,
        face_value: winner.params.face_value,
        report: said.report.clone(),
    })));
    Ok(Answer::Done)
}

/// A winner that does not wait: the same end may be reported again, another one may not.
fn settled(books: &Books, said: &ReportWinner) -> Result<Answer, Rejection> {
    let key = RecallKey::of_winner(said.winner);
    match books.recalled.get(&key).as_deref() {
        Some(Record::Winner(seen)) if seen.content == report_content(&said.report) => {
            Ok(Answer::Unchanged)
        }
        Some(Record::Winner(_)) => Err(Rejection::WinnerSettled),
        _ => Err(Rejection::UnknownWinner),
    }
}
