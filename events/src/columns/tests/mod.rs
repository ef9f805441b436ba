//! What goes into columns comes out of them again, whatever it is.

mod any;

use proptest::prelude::*;

use self::any::{any_envelope, any_event};
use super::{Decoder, Encoder};
use crate::codec::{decode_envelope, encode_envelope};
use crate::{Envelope, EventKind, Position};

fn columns_of(envelopes: &[Envelope]) -> Vec<u8> {
    let mut encoder = Encoder::new();
    for envelope in envelopes {
        encoder.push(envelope).expect("our own types");
    }
    encoder.finish().bytes
}

fn decode_all(bytes: &[u8], count: usize) -> Option<Vec<Envelope>> {
    let mut decoder = Decoder::new(bytes).ok()?;
    let envelopes = (1..=count as u64)
        .map(|position| decoder.next(Position(position)).ok())
        .collect::<Option<Vec<_>>>()?;
    decoder.is_done().then_some(envelopes)
}

proptest! {
    #[test]
    fn envelopes_of_all_kinds_come_out_as_they_went_in(seeds: Vec<u64>) {
        let envelopes = (1..).zip(&seeds)
            .map(|(position, &seed)| any_envelope(position, seed))
            .collect::<Vec<_>>();
        let bytes = columns_of(&envelopes);
        prop_assert_eq!(decode_all(&bytes, envelopes.len()), Some(envelopes));
    }

    #[test]
    fn damaged_columns_end_in_an_error_or_in_other_envelopes(
        seeds in prop::collection::vec(any::<u64>(), 1..20),
        place: prop::sample::Index,
        flip in 1_u8..,
    ) {
        let envelopes = (1..).zip(&seeds)
            .map(|(position, &seed)| any_envelope(position, seed))
            .collect::<Vec<_>>();
        let mut bytes = columns_of(&envelopes);
        let place = place.index(bytes.len());
        bytes[place] ^= flip;
        // It must neither panic nor take memory without bounds; what it answers is not asked.
        let _ = decode_all(&bytes, envelopes.len());
        prop_assert_eq!(decode_all(&bytes[..place], envelopes.len()), None);
    }
}

#[test]
fn every_kind_is_among_the_arbitrary_events_and_comes_back() {
    for &kind in EventKind::ALL {
        let envelopes = (1..=60)
            .map(|position| Envelope {
                event: any_event(kind, position * 31),
                ..any_envelope(position, position)
            })
            .collect::<Vec<_>>();
        assert!(envelopes.iter().all(|each| each.event.kind() == kind));
        let bytes = columns_of(&envelopes);
        assert_eq!(decode_all(&bytes, 60), Some(envelopes), "{kind:?}");
    }
}

#[test]
fn rows_that_are_to_stay_as_they_are_do() {
    let all = (1..=9)
        .map(|at| any_envelope(at, at * 77))
        .collect::<Vec<_>>();
    let rows = all.iter().map(|envelope| {
        let mut row = Vec::new();
        encode_envelope(envelope, &mut row);
        row
    });
    let rows = rows.collect::<Vec<_>>();
    let mut encoder = Encoder::new();
    for (envelope, row) in all.iter().zip(&rows) {
        if envelope.position.0.is_multiple_of(2) {
            encoder.push_raw(row);
        } else {
            encoder.push(envelope).expect("our own types");
        }
    }
    let bytes = encoder.finish().bytes;
    let mut decoder = Decoder::new(&bytes).expect("columns");
    for (envelope, row) in all.iter().zip(&rows) {
        let found = decoder.next(envelope.position).expect("an envelope");
        assert_eq!(&found, envelope);
        assert_eq!(decode_envelope(envelope.position, row), Ok(found));
        let raw = envelope.position.0.is_multiple_of(2);
        assert_eq!(decoder.raw(), raw.then_some(&row[..]));
    }
    assert!(decoder.is_done());
}

#[test]
fn alike_events_take_few_bytes() {
    let template = Envelope {
        event: any_event(EventKind::WorkerBeat, 3),
        command: None,
        ..any_envelope(1, 1)
    };
    let envelopes = vec![template; 10_000];
    let bytes = columns_of(&envelopes);
    assert!(bytes.len() < 200, "{} bytes", bytes.len());
}

#[test]
fn an_ending_decoder_says_so() {
    let bytes = columns_of(&[any_envelope(1, 5)]);
    let mut decoder = Decoder::new(&bytes).expect("columns");
    assert!(!decoder.is_done());
    assert!(decoder.next(Position(1)).is_ok());
    assert!(decoder.is_done());
    assert!(decoder.next(Position(2)).is_err());
}
