//! What the codec promises of any bytes.

mod arbitrary;
mod grant;
mod instruction;
mod payer;
mod payout;
#[path = "../samples/mod.rs"]
mod samples;
mod ticket;

use proptest::prelude::*;
use purser_events::codec::{DecodeError, decode_envelope, encode_envelope, from_bytes, to_bytes};
use purser_events::worker::WorkerBeat;
use purser_events::{Envelope, Label, Micros, Position, WorkerNo};

fn encoded(envelope: &Envelope) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_envelope(envelope, &mut bytes);
    bytes
}

proptest! {
    #[test]
    fn what_was_written_is_read(envelope in arbitrary::envelope()) {
        let bytes = encoded(&envelope);
        let read = decode_envelope(envelope.position, &bytes);
        prop_assert_eq!(read.as_ref(), Ok(&envelope));
        let mut behind = vec![7];
        encode_envelope(&envelope, &mut behind);
        prop_assert_eq!(&behind[1..], &bytes[..]);
    }

    #[test]
    fn a_part_is_never_read_as_the_whole(
        envelope in arbitrary::envelope(),
        cut in any::<prop::sample::Index>(),
    ) {
        let bytes = encoded(&envelope);
        let part = &bytes[..cut.index(bytes.len())];
        prop_assert_eq!(decode_envelope(Position(1), part), Err(DecodeError::Malformed));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(envelope) = decode_envelope(Position(1), &bytes) {
            prop_assert_eq!(decode_envelope(Position(1), &encoded(&envelope)), Ok(envelope));
        }
    }

    #[test]
    fn a_changed_byte_is_read_or_refused(
        envelope in arbitrary::envelope(),
        at in any::<prop::sample::Index>(),
        to: u8,
    ) {
        let mut bytes = encoded(&envelope);
        let at = at.index(bytes.len());
        bytes[at] = to;
        if let Ok(other) = decode_envelope(envelope.position, &bytes) {
            prop_assert_eq!(decode_envelope(envelope.position, &encoded(&other)), Ok(other));
        }
    }

    #[test]
    fn a_beat_says_when_it_was_sent_whatever_that_is(recorded_at: u64, sent_at_ms: u64) {
        let recorded_at = Micros(recorded_at);
        let beat = WorkerBeat {
            worker: WorkerNo(0),
            lag_ms: Some(WorkerBeat::lag(recorded_at, sent_at_ms)),
            queue_len: 0,
            avg_latency_ms: None,
            temp_decidegrees: None,
            mem_free_mb: None,
        };
        prop_assert_eq!(beat.sent_at_ms(recorded_at), Some(sent_at_ms));
    }
}

#[test]
fn samples_cut_at_any_byte_are_refused() {
    for (name, envelope) in samples::all() {
        let bytes = encoded(&envelope);
        for end in 0..bytes.len() {
            let read = decode_envelope(Position(1), &bytes[..end]);
            assert_eq!(read, Err(DecodeError::Malformed), "{name} up to {end}");
        }
    }
}

#[test]
fn what_is_left_over_is_counted() {
    for (name, envelope) in samples::all() {
        let mut bytes = encoded(&envelope);
        bytes.extend([0; 3]);
        let read = decode_envelope(Position(1), &bytes);
        assert_eq!(read, Err(DecodeError::Trailing(3)), "{name}");
    }
}

#[test]
fn kinds_and_forms_of_newer_programs_are_named() {
    let bytes = encoded(&samples::all()[0].1);
    let kind_at = bytes.len() - 3;
    for (at, kind, form) in [(kind_at, 250, 1), (kind_at + 1, 8, 2), (kind_at, 0, 1)] {
        let mut newer = bytes.clone();
        newer[at] = if at == kind_at { kind } else { form };
        let read = decode_envelope(Position(1), &newer);
        assert_eq!(read, Err(DecodeError::Unknown { kind, form }));
    }
}

#[test]
fn a_length_beyond_the_bytes_is_refused() {
    // Lengths of 2^32 - 1 and 2^63, and nothing behind them.
    for bytes in [
        vec![252, 255, 255, 255, 255],
        vec![253, 0, 0, 0, 0, 0, 0, 0, 128],
    ] {
        assert_eq!(from_bytes::<Label>(&bytes), Err(DecodeError::Malformed));
        assert_eq!(from_bytes::<Vec<u64>>(&bytes), Err(DecodeError::Malformed));
    }
}

#[test]
fn texts_that_are_no_labels_are_refused() {
    for text in [String::new(), "x".repeat(257), "a\nb".to_owned()] {
        assert_eq!(
            from_bytes::<Label>(&to_bytes(&text)),
            Err(DecodeError::Malformed)
        );
    }
    assert!(from_bytes::<Label>(&to_bytes(&"x".repeat(256))).is_ok());
}
