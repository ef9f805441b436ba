//! What a file key says.

use purser_commands::intake::FileName;
use purser_events::Label;
use purser_events::intake::FileStamps;
use purser_events::policy::NodeType;

use super::value::seconds;

/// Reads `region/type/region-type-STAMP_STAMP.json`; `None` for anything else.
pub(super) fn read_key(key: &str) -> Option<FileName> {
    let (region, rest) = key.split_once('/')?;
    let (node_type, base) = rest.split_once('/')?;
    let stamps = base
        .strip_prefix(region)?
        .strip_prefix('-')?
        .strip_prefix(node_type)?
        .strip_prefix('-')?
        .strip_suffix(".json")?;
    let (start, end) = stamps.split_once('_')?;
    Some(FileName {
        node_type: NodeType::parse(node_type)?,
        region: Label::new(region).ok()?,
        stamps: FileStamps {
            start: stamp(start)?,
            end: stamp(end)?,
        },
    })
}

/// What a file covers, by its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileTimes {
    /// Its partition, as `node_type|region`.
    pub partition: String,
    /// Its first time, in seconds since 1970.
    pub start: u64,
    /// Its last time, in seconds since 1970.
    pub end: u64,
}

/// What a file covers, by its key; `None` where the key is none, or names no time since 1970.
#[must_use]
pub fn file_times(key: &str) -> Option<FileTimes> {
    let name = read_key(key)?;
    Some(FileTimes {
        partition: format!("{}|{}", name.node_type.as_str(), name.region),
        start: time_of(name.stamps.start)?,
        end: time_of(name.stamps.end)?,
    })
}

fn time_of(stamp: u64) -> Option<u64> {
    let (day, time) = (stamp / 1_000_000, stamp % 1_000_000);
    let (year, month, date) = (day / 10_000, day / 100 % 100, day % 100);
    let (hour, minute, second) = (time / 10_000, time / 100 % 100, time % 100);
    let text = format!("{year:04}-{month:02}-{date:02}T{hour:02}:{minute:02}:{second:02}Z");
    u64::try_from(seconds(&text)?.0).ok()
}

/// Reads `YYYYMMDDTHHMMSSZ` as a 14-digit number.
fn stamp(text: &str) -> Option<u64> {
    let bytes = text.as_bytes();
    if bytes.len() != 16 || bytes[8] != b'T' || bytes[15] != b'Z' {
        return None;
    }
    let digits = bytes[..8].iter().chain(&bytes[9..15]);
    digits.copied().try_fold(0, |number, digit| {
        digit
            .is_ascii_digit()
            .then(|| number * 10 + u64::from(digit - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_names_its_region_its_type_and_its_stamps() {
        let name = read_key("a-b/ai/a-b-ai-20251105T000102Z_20251105T000304Z.json");
        let name = name.expect("the key is well formed");
        assert_eq!(name.region.as_str(), "a-b");
        assert_eq!(name.node_type, NodeType::Ai);
        assert_eq!(name.stamps.start, 20_251_105_000_102);
        assert_eq!(name.stamps.end, 20_251_105_000_304);
    }

    #[test]
    fn a_key_tells_which_time_it_covers() {
        let times = file_times("eu/ai/eu-ai-20251105T000000Z_20251105T000100Z.json");
        let times = times.expect("the key is well formed");
        assert_eq!(times.partition, "ai|eu");
        assert_eq!((times.start, times.end), (1_762_300_800, 1_762_300_860));
        let no_day = "eu/ai/eu-ai-20251199T000000Z_20251199T000100Z.json";
        assert_eq!(file_times(no_day), None);
    }

    #[test]
    fn keys_of_another_form_name_nothing() {
        let bad = [
            "",
            "eu/ai",
            "eu/ai/notes.txt",
            "eu/ai/eu_ai_20251105.json",
            "eu/ai/eu-ai-20251105T000102Z_20251105T000304Z.json.gz",
            "eu/ai/eu-transcode-20251105T000102Z_20251105T000304Z.json",
            "eu/ai/us-ai-20251105T000102Z_20251105T000304Z.json",
            "eu/gpu/eu-gpu-20251105T000102Z_20251105T000304Z.json",
            "eu/ai/eu-ai-20251105T000102Z-20251105T000304Z.json",
            "eu/ai/eu-ai-2025110ST000102Z_20251105T000304Z.json",
            "eu/ai/x/eu-ai-20251105T000102Z_20251105T000304Z.json",
            "/eu/ai/eu-ai-20251105T000102Z_20251105T000304Z.json",
            "/ai/-ai-20251105T000102Z_20251105T000304Z.json",
        ];
        for key in bad {
            assert_eq!(read_key(key), None, "{key}");
        }
    }
}
