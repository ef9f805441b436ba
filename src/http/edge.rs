//! `from` and `to`: a position or a moment.

use std::ops::ControlFlow;

use purser_events::{Micros, Position};

use super::code::Code;
use super::error::Problem;
use crate::log::{LogReader, ReadError};
use crate::render::time;

/// An edge of a part of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Edge {
    /// A position.
    At(Position),
    /// A moment, by the time of recording.
    When(Micros),
}

impl Edge {
    /// Reads a position, or a moment in RFC 3339.
    pub(crate) fn parse(name: &'static str, text: &str) -> Result<Self, Problem> {
        if let Ok(position) = text.parse() {
            return Ok(Self::At(Position(position)));
        }
        // A plus sign of an offset arrives as a space where the caller did not escape it.
        let text = text.replace(' ', "+");
        time::parse(&text).map(Self::When).map_err(|_| {
            let detail = "must be a position or a time in RFC 3339";
            Problem::field(Code::InvalidParameter, name, detail)
        })
    }

    /// The first position of a part that begins here.
    pub(crate) fn first(self, log: &dyn LogReader, end: Position) -> Result<Position, ReadError> {
        match self {
            Self::At(position) => Ok(position.max(Position(1))),
            Self::When(moment) => search(log, end, |recorded_at| recorded_at >= moment),
        }
    }

    /// The last position of a part that ends here, with it.
    pub(crate) fn last(self, log: &dyn LogReader, end: Position) -> Result<Position, ReadError> {
        match self {
            Self::At(position) => Ok(position.min(end)),
            Self::When(moment) => {
                let behind = search(log, end, |recorded_at| recorded_at > moment)?;
                Ok(Position(behind.0 - 1))
            }
        }
    }
}

/// The first position whose time of recording is `wanted`, or the one behind the end. Recorded
/// time never goes back, so that half of what is left can be ruled out at each look.
fn search(
    log: &dyn LogReader,
    end: Position,
    wanted: impl Fn(Micros) -> bool,
) -> Result<Position, ReadError> {
    let (mut low, mut high) = (1, end.0 + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        let mut found = false;
        log.read(Position(middle), &mut |envelope| {
            found = wanted(envelope.recorded_at);
            ControlFlow::Break(())
        })?;
        if found {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Ok(Position(low))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_is_a_position_or_a_moment() {
        assert_eq!(Edge::parse("from", "7").ok(), Some(Edge::At(Position(7))));
        let moment = Some(Edge::When(Micros(1_000_000)));
        assert_eq!(Edge::parse("from", "1970-01-01T00:00:01Z").ok(), moment);
        assert_eq!(
            Edge::parse("from", "1970-01-01T01:00:01 01:00").ok(),
            moment
        );
        for text in ["", "-1", "1.5", "yesterday", "99999999999999999999"] {
            let problem = Edge::parse("from", text).expect_err("it is no edge");
            assert_eq!(problem.code, Code::InvalidParameter, "{text}");
        }
    }
}
