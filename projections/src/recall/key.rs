//! What records are found by.

use purser_events::intake::{EventId, FileStamps, RequestId};
use purser_events::{Actor, Label, PartitionNo, PayerNo, PayoutNo, RailNo, WinnerNo, WorkerNo};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::order::first_eight;

/// What a record is found by: the first half of a SHA-256 over the kind of id and the id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RecallKey(pub [u8; 16]);

impl RecallKey {
    /// The key of the record of a command id. Whoever needs no key of the pool, workers and
    /// newcomers, has ids of its own: they cannot use up those of a coordinator.
    #[must_use]
    pub fn of_command(actor: Actor, id: &Label) -> Self {
        let id = id.as_str().as_bytes();
        match actor {
            Actor::Worker(worker) => Self::of(b'c', &[b"worker", &worker.0.to_le_bytes(), id]),
            Actor::Newcomer => Self::of(b'c', &[b"newcomer", id]),
            Actor::Purser | Actor::CommandLine | Actor::Coordinator(_) | Actor::Operator(_) => {
                Self::of(b'c', &[id])
            }
        }
    }

    /// The key of the record of an event that a source sent.
    #[must_use]
    pub fn of_event(id: &EventId) -> Self {
        match id {
            EventId::Uuid(bytes) => Self::of(b'u', &[bytes]),
            EventId::Text(text) => Self::of(b't', &[text.as_str().as_bytes()]),
            EventId::Digest(digest) => Self::of(b'd', &[digest.as_slice()]),
        }
    }

    /// The key of the timeline of a request.
    #[must_use]
    pub fn of_request(partition: PartitionNo, request: &RequestId) -> Self {
        let partition = partition.0.to_le_bytes();
        match request {
            RequestId::Hex(number) => Self::of(b'h', &[&partition, &number.to_le_bytes()]),
            RequestId::Text(text) => Self::of(b'r', &[&partition, text.as_str().as_bytes()]),
            RequestId::Digest(digest) => Self::of(b'q', &[&partition, digest.as_slice()]),
        }
    }

    /// The key of the timeline of a connection.
    #[must_use]
    pub fn of_connection(partition: PartitionNo, worker: WorkerNo, connection: &Label) -> Self {
        let (partition, worker) = (partition.0.to_le_bytes(), worker.0.to_le_bytes());
        Self::of(b'n', &[&partition, &worker, connection.as_str().as_bytes()])
    }

    /// The key of the record of one content of a file of a declared partition.
    #[must_use]
    pub fn of_file(partition: PartitionNo, stamps: FileStamps, content: &[u8; 32]) -> Self {
        let (partition, start) = (partition.0.to_le_bytes(), stamps.start.to_le_bytes());
        Self::of(
            b'f',
            &[&partition, &start, &stamps.end.to_le_bytes(), content],
        )
    }

    /// The key of the record of a file key of a declared partition.
    #[must_use]
    pub fn of_place(partition: PartitionNo, stamps: FileStamps) -> Self {
        let (partition, start) = (partition.0.to_le_bytes(), stamps.start.to_le_bytes());
        Self::of(b'p', &[&partition, &start, &stamps.end.to_le_bytes()])
    }

    /// The key of the record of one content of a file that is no file of a declared partition.
    #[must_use]
    pub fn of_foreign_file(key: &Label, content: &[u8; 32]) -> Self {
        Self::of(b'g', &[key.as_str().as_bytes(), content])
    }

    /// The key of the record of a file key that is none of a declared partition.
    #[must_use]
    pub fn of_foreign_key(key: &Label) -> Self {
        Self::of(b'k', &[key.as_str().as_bytes()])
    }

    /// The key of the history of a payout.
    #[must_use]
    pub fn of_payout(payout: PayoutNo) -> Self {
        Self::of(b'o', &[&payout.0.to_le_bytes()])
    }

    /// The key of the record of a payer's job.
    #[must_use]
    pub fn of_job(payer: PayerNo, id: &Label) -> Self {
        Self::of(b'j', &[&payer.0.to_le_bytes(), id.as_str().as_bytes()])
    }

    /// The key of the record of a debit of a payer's job.
    #[must_use]
    pub fn of_debit(payer: PayerNo, id: &Label, seq: u64) -> Self {
        let (payer, seq) = (payer.0.to_le_bytes(), seq.to_le_bytes());
        Self::of(b's', &[&payer, id.as_str().as_bytes(), &seq])
    }

    /// The key of the record of a payment that came in by a rail.
    #[must_use]
    pub fn of_payment(rail: RailNo, payment: &Label) -> Self {
        Self::of(b'm', &[&rail.0.to_le_bytes(), payment.as_str().as_bytes()])
    }

    /// The key of the record of a transfer of a payer's funds.
    #[must_use]
    pub fn of_transfer(payer: PayerNo, transfer: &Label) -> Self {
        Self::of(
            b'x',
            &[&payer.0.to_le_bytes(), transfer.as_str().as_bytes()],
        )
    }

    /// The key of the record of the matches of a job.
    #[must_use]
    pub fn of_match(job: &Label) -> Self {
        Self::of(b'a', &[job.as_str().as_bytes()])
    }

    /// The key of the record of how a worker's part in a job ended.
    #[must_use]
    pub fn of_outcome(job: &Label, worker: WorkerNo) -> Self {
        Self::of(b'w', &[job.as_str().as_bytes(), &worker.0.to_le_bytes()])
    }

    /// The key of the record of a request for a grant.
    #[must_use]
    pub fn of_grant(request: &Label) -> Self {
        Self::of(b'i', &[request.as_str().as_bytes()])
    }

    /// The key of the record of a payment that came in by a rail for a request, or for a pool.
    #[must_use]
    pub fn of_grant_payment(rail: RailNo, payment: &Label) -> Self {
        Self::of(b'y', &[&rail.0.to_le_bytes(), payment.as_str().as_bytes()])
    }

    /// The key of the record of a charge that was paid back.
    #[must_use]
    pub fn of_charge_refund(request: &Label, refund: &Label) -> Self {
        let (request, refund) = (request.as_str().as_bytes(), refund.as_str().as_bytes());
        Self::of(b'z', &[request, refund])
    }

    /// The key of the record of a batch of tickets.
    #[must_use]
    pub fn of_tickets(payment: &[u8; 16]) -> Self {
        Self::of(b'b', &[payment])
    }

    /// The key of the record of a winner that waits no longer.
    #[must_use]
    pub fn of_winner(winner: WinnerNo) -> Self {
        Self::of(b'v', &[&winner.0.to_le_bytes()])
    }

    /// Some bits of the key, to tell apart what stands in one place.
    #[must_use]
    pub fn tie(&self) -> u64 {
        first_eight(&self.0)
    }

    /// The key for an id of this kind; the parts are told apart by their lengths.
    fn of(kind: u8, parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new_with_prefix([kind]);
        for part in parts {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        let digest = hash.finalize();
        let mut key = [0; 16];
        key.copy_from_slice(&digest[..16]);
        Self(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_text_is_another_key_for_each_subject() {
        let id = Label::new("the same").expect("a label");
        let keys = [
            RecallKey::of_match(&id),
            RecallKey::of_grant(&id),
            RecallKey::of_command(Actor::Purser, &id),
        ];
        for (at, key) in keys.iter().enumerate() {
            assert!(!keys[..at].contains(key));
        }
    }
}
