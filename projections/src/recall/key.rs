//! What records are found by.

use purser_events::intake::{EventId, FileStamps, RequestId};
use purser_events::{Actor, Label, PartitionNo, PayerNo, PayoutNo, RailNo, WinnerNo, WorkerNo};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::order::first_eight;

/// What a record is found by: the first half of a SHA-256 over the kind of id and the id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RecallKey(pub [u8; 16]);

/// The kinds of ids, each with the letter that is hashed before an id of it. Letters are on disk:
/// none is ever changed or used again, and two kinds of one letter do not compile.
#[derive(Clone, Copy)]
#[repr(u8)]
enum Kind {
    /// A command id.
    Command = b'c',
    /// An event of a source, by a UUID.
    EventUuid = b'u',
    /// An event of a source, by a text.
    EventText = b't',
    /// An event of a source, by a digest.
    EventDigest = b'd',
    /// A request of a partition, by a number.
    RequestHex = b'h',
    /// A request of a partition, by a text.
    RequestText = b'r',
    /// A request of a partition, by a digest.
    RequestDigest = b'q',
    /// A connection of a worker.
    Connection = b'n',
    /// One content of a file of a declared partition.
    File = b'f',
    /// A file key of a declared partition.
    Place = b'p',
    /// One content of another file.
    ForeignFile = b'g',
    /// Another file key.
    ForeignKey = b'k',
    /// A payout.
    Payout = b'o',
    /// A payer's job.
    Job = b'j',
    /// A debit of a payer's job.
    Debit = b's',
    /// A payment that came in by a rail.
    Payment = b'm',
    /// A transfer of a payer's funds.
    Transfer = b'x',
    /// The matches of a job.
    Match = b'a',
    /// A worker's part in a job.
    Outcome = b'w',
    /// A request for a grant.
    Grant = b'i',
    /// A payment by a rail for a request, or for a pool.
    GrantPayment = b'y',
    /// A charge that was paid back.
    ChargeRefund = b'z',
    /// A batch of tickets.
    Tickets = b'b',
    /// A winning ticket.
    Winner = b'v',
}

impl RecallKey {
    /// The key of the record of a command id. Whoever needs no key of the pool, workers and
    /// newcomers, has ids of its own: they cannot use up those of a coordinator.
    #[must_use]
    pub fn of_command(actor: Actor, id: &Label) -> Self {
        let id = id.as_str().as_bytes();
        match actor {
            Actor::Worker(worker) => {
                Self::of(Kind::Command, &[b"worker", &worker.0.to_le_bytes(), id])
            }
            Actor::Newcomer => Self::of(Kind::Command, &[b"newcomer", id]),
            Actor::Purser | Actor::CommandLine | Actor::Coordinator(_) | Actor::Operator(_) => {
                Self::of(Kind::Command, &[id])
            }
        }
    }

    /// The key of the record of an event that a source sent.
    #[must_use]
    pub fn of_event(id: &EventId) -> Self {
        match id {
            EventId::Uuid(bytes) => Self::of(Kind::EventUuid, &[bytes]),
            EventId::Text(text) => Self::of(Kind::EventText, &[text.as_str().as_bytes()]),
            EventId::Digest(digest) => Self::of(Kind::EventDigest, &[digest.as_slice()]),
        }
    }

    /// The key of the timeline of a request.
    #[must_use]
    pub fn of_request(partition: PartitionNo, request: &RequestId) -> Self {
        let partition = partition.0.to_le_bytes();
        match request {
            RequestId::Hex(number) => {
                Self::of(Kind::RequestHex, &[&partition, &number.to_le_bytes()])
            }
            RequestId::Text(text) => {
                Self::of(Kind::RequestText, &[&partition, text.as_str().as_bytes()])
            }
            RequestId::Digest(digest) => {
                Self::of(Kind::RequestDigest, &[&partition, digest.as_slice()])
            }
        }
    }

    /// The key of the timeline of a connection.
    #[must_use]
    pub fn of_connection(partition: PartitionNo, worker: WorkerNo, connection: &Label) -> Self {
        let (partition, worker) = (partition.0.to_le_bytes(), worker.0.to_le_bytes());
        Self::of(
            Kind::Connection,
            &[&partition, &worker, connection.as_str().as_bytes()],
        )
    }

    /// The key of the record of one content of a file of a declared partition.
    #[must_use]
    pub fn of_file(partition: PartitionNo, stamps: FileStamps, content: &[u8; 32]) -> Self {
        let (partition, start) = (partition.0.to_le_bytes(), stamps.start.to_le_bytes());
        Self::of(
            Kind::File,
            &[&partition, &start, &stamps.end.to_le_bytes(), content],
        )
    }

    /// The key of the record of a file key of a declared partition.
    #[must_use]
    pub fn of_place(partition: PartitionNo, stamps: FileStamps) -> Self {
        let (partition, start) = (partition.0.to_le_bytes(), stamps.start.to_le_bytes());
        Self::of(
            Kind::Place,
            &[&partition, &start, &stamps.end.to_le_bytes()],
        )
    }

    /// The key of the record of one content of a file that is no file of a declared partition.
    #[must_use]
    pub fn of_foreign_file(key: &Label, content: &[u8; 32]) -> Self {
        Self::of(Kind::ForeignFile, &[key.as_str().as_bytes(), content])
    }

    /// The key of the record of a file key that is none of a declared partition.
    #[must_use]
    pub fn of_foreign_key(key: &Label) -> Self {
        Self::of(Kind::ForeignKey, &[key.as_str().as_bytes()])
    }

    /// The key of the history of a payout.
    #[must_use]
    pub fn of_payout(payout: PayoutNo) -> Self {
        Self::of(Kind::Payout, &[&payout.0.to_le_bytes()])
    }

    /// The key of the record of a payer's job.
    #[must_use]
    pub fn of_job(payer: PayerNo, id: &Label) -> Self {
        Self::of(Kind::Job, &[&payer.0.to_le_bytes(), id.as_str().as_bytes()])
    }

    /// The key of the record of a debit of a payer's job.
    #[must_use]
    pub fn of_debit(payer: PayerNo, id: &Label, seq: u64) -> Self {
        let (payer, seq) = (payer.0.to_le_bytes(), seq.to_le_bytes());
        Self::of(Kind::Debit, &[&payer, id.as_str().as_bytes(), &seq])
    }

    /// The key of the record of a payment that came in by a rail.
    #[must_use]
    pub fn of_payment(rail: RailNo, payment: &Label) -> Self {
        Self::of(
            Kind::Payment,
            &[&rail.0.to_le_bytes(), payment.as_str().as_bytes()],
        )
    }

    /// The key of the record of a transfer of a payer's funds.
    #[must_use]
    pub fn of_transfer(payer: PayerNo, transfer: &Label) -> Self {
        Self::of(
            Kind::Transfer,
            &[&payer.0.to_le_bytes(), transfer.as_str().as_bytes()],
        )
    }

    /// The key of the record of the matches of a job.
    #[must_use]
    pub fn of_match(job: &Label) -> Self {
        Self::of(Kind::Match, &[job.as_str().as_bytes()])
    }

    /// The key of the record of how a worker's part in a job ended.
    #[must_use]
    pub fn of_outcome(job: &Label, worker: WorkerNo) -> Self {
        Self::of(
            Kind::Outcome,
            &[job.as_str().as_bytes(), &worker.0.to_le_bytes()],
        )
    }

    /// The key of the record of a request for a grant.
    #[must_use]
    pub fn of_grant(request: &Label) -> Self {
        Self::of(Kind::Grant, &[request.as_str().as_bytes()])
    }

    /// The key of the record of a payment that came in by a rail for a request, or for a pool.
    #[must_use]
    pub fn of_grant_payment(rail: RailNo, payment: &Label) -> Self {
        Self::of(
            Kind::GrantPayment,
            &[&rail.0.to_le_bytes(), payment.as_str().as_bytes()],
        )
    }

    /// The key of the record of a charge that was paid back.
    #[must_use]
    pub fn of_charge_refund(request: &Label, refund: &Label) -> Self {
        let (request, refund) = (request.as_str().as_bytes(), refund.as_str().as_bytes());
        Self::of(Kind::ChargeRefund, &[request, refund])
    }

    /// The key of the record of a batch of tickets.
    #[must_use]
    pub fn of_tickets(payment: &[u8; 16]) -> Self {
        Self::of(Kind::Tickets, &[payment])
    }

    /// The key of the record of a winner that waits no longer.
    #[must_use]
    pub fn of_winner(winner: WinnerNo) -> Self {
        Self::of(Kind::Winner, &[&winner.0.to_le_bytes()])
    }

    /// Some bits of the key, to tell apart what stands in one place.
    #[must_use]
    pub fn tie(&self) -> u64 {
        first_eight(&self.0)
    }

    /// The key for an id of this kind; the parts are told apart by their lengths.
    fn of(kind: Kind, parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new_with_prefix([kind as u8]);
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
