//! Holes in what a partition delivered. A batch that fails at its source is lost without a word:
//! all that is seen of it is that files of a live partition are missing.

use std::collections::BTreeMap;

use purser_events::Micros;
use serde::Serialize;

use crate::intake::{FileTimes, file_times};
use crate::render::time::show;

/// Holes that are remembered of one partition.
const HOLES_MAX: usize = 100;

/// What partitions delivered, and where nothing is.
#[derive(Clone, Debug)]
pub(super) struct Gaps {
    alarm_sec: u64,
    partitions: BTreeMap<String, Delivered>,
}

/// What one partition delivered.
#[derive(Clone, Debug, Default)]
struct Delivered {
    /// The newest time that a file reaches to.
    until: u64,
    /// From the end of one file to the start of the next.
    holes: Vec<(u64, u64)>,
}

/// A hole in what a partition delivered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// The partition, as `node_type|region`.
    pub partition: String,
    /// When the last file before it ends.
    pub from: String,
    /// When the first file behind it begins; null while the partition is silent.
    pub to: Option<String>,
}

impl Gaps {
    pub(super) const fn new(alarm_sec: u64) -> Self {
        Self {
            alarm_sec,
            partitions: BTreeMap::new(),
        }
    }

    /// Notes a file, in any order of delivery.
    pub(super) fn note(&mut self, key: &str) {
        let Some(FileTimes {
            partition,
            start,
            end,
        }) = file_times(key)
        else {
            return;
        };
        let end = end.max(start);
        let delivered = self.partitions.entry(partition).or_default();
        if delivered.until > 0 && start > delivered.until + self.alarm_sec {
            delivered.holes.push((delivered.until, start));
        }
        delivered.until = delivered.until.max(end);
        // A late file splits the hole that it lies in; parts that are short are no holes.
        let alarm = self.alarm_sec;
        let holes = std::mem::take(&mut delivered.holes).into_iter();
        let parts = holes.flat_map(|(from, to)| {
            if start >= to || end <= from {
                [Some((from, to)), None]
            } else {
                [Some((from, start)), Some((end, to))]
            }
        });
        let holes = parts.flatten().filter(|(from, to)| *to > from + alarm);
        delivered.holes = holes.collect();
        let surplus = delivered.holes.len().saturating_sub(HOLES_MAX);
        delivered.holes.drain(..surplus);
    }

    /// The holes, and the live partitions that are silent at `now_sec`.
    pub(super) fn all(&self, now_sec: u64, is_live: impl Fn(&str) -> bool) -> Vec<Gap> {
        let mut gaps = Vec::new();
        for (partition, delivered) in &self.partitions {
            let mut push = |from, to: Option<u64>| {
                gaps.push(Gap {
                    partition: partition.clone(),
                    from: show(seconds(from)),
                    to: to.map(|to| show(seconds(to))),
                });
            };
            for (from, to) in &delivered.holes {
                push(*from, Some(*to));
            }
            if now_sec > delivered.until + self.alarm_sec && is_live(partition) {
                push(delivered.until, None);
            }
        }
        gaps
    }
}

const fn seconds(seconds: u64) -> Micros {
    Micros(seconds.saturating_mul(1_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAST: u64 = 1_762_300_800;

    fn key(from: &str, to: &str) -> String {
        format!("eu/ai/eu-ai-20251105T{from}Z_20251105T{to}Z.json")
    }

    fn shown(gaps: &Gaps) -> Vec<(String, String)> {
        let gaps = gaps.all(0, |_| false).into_iter();
        let time = |text: &str| text[11..19].to_owned();
        gaps.map(|gap| (time(&gap.from), time(&gap.to.expect("it ended"))))
            .collect()
    }

    #[test]
    fn a_hole_is_split_and_filled_by_late_files() {
        let mut gaps = Gaps::new(600);
        gaps.note(&key("000000", "000100"));
        gaps.note(&key("000900", "001000"));
        assert!(shown(&gaps).is_empty());
        gaps.note(&key("020000", "020100"));
        let is = |from: &str, to: &str| (from.to_owned(), to.to_owned());
        assert_eq!(shown(&gaps), [is("00:10:00", "02:00:00")]);
        gaps.note(&key("010000", "010100"));
        assert_eq!(
            shown(&gaps),
            [is("00:10:00", "01:00:00"), is("01:01:00", "02:00:00")]
        );
        gaps.note(&key("001500", "005500"));
        gaps.note(&key("010500", "015500"));
        assert!(shown(&gaps).is_empty());
        gaps.note("notes.txt");
    }

    #[test]
    fn only_a_live_partition_is_silent() {
        let mut gaps = Gaps::new(600);
        gaps.note(&key("000000", "000000"));
        assert!(gaps.all(LAST + 600, |_| true).is_empty());
        assert!(gaps.all(LAST + 601, |_| false).is_empty());
        let silent = gaps.all(LAST + 601, |partition| partition == "ai|eu");
        assert_eq!(silent.len(), 1);
        assert_eq!(silent[0].to, None);
    }

    #[test]
    fn holes_are_bounded() {
        let mut gaps = Gaps::new(1);
        for minute in 0..(HOLES_MAX + 9) {
            let at = format!("{:02}{:02}00", minute / 60, minute % 60);
            gaps.note(&key(&at, &at));
        }
        assert_eq!(shown(&gaps).len(), HOLES_MAX);
    }
}
