//! The names that numbers stand for. Names only grow and numbers are never reused, so the latest
//! names resolve all numbers; a number without a name is shown as `#` and its digits.

use purser_events::ModelNo;
use purser_events::intake::{EventId, FileStamps, RequestId};
use purser_events::{
    Actor, AssetNo, CapabilityNo, KeyTag, Label, PartitionNo, PayerNo, PoolNo, RailNo, WorkerNo,
};
use purser_projections::names::{Names, WorkerName};

use super::text::{decimal, hex, large_signed, padded, uuid};

/// The names that numbers stand for, for whoever writes columns.
#[derive(Clone, Copy, Debug)]
pub struct NameText<'a> {
    /// The names.
    pub names: &'a Names,
}

impl NameText<'_> {
    /// Appends a worker's id or address.
    pub fn worker(&self, out: &mut Vec<u8>, number: WorkerNo) {
        worker(out, self.names, number);
    }

    /// Appends a partition as `node_type|region`.
    pub fn partition(&self, out: &mut Vec<u8>, number: PartitionNo) {
        partition(out, self.names, number);
    }

    /// A model and its pipeline.
    #[must_use]
    pub fn model(&self, number: ModelNo) -> [String; 2] {
        let model = self.names.models().get(number.index());
        let nameless = || [format!("#{}", number.0), String::new()];
        model.map_or_else(nameless, |(model, pipeline)| {
            [model.to_string(), pipeline.to_string()]
        })
    }

    /// Appends the source's id of a request.
    pub fn request(&self, out: &mut Vec<u8>, id: &RequestId) {
        request(out, id);
    }

    /// Appends who issued a command.
    pub fn actor(&self, out: &mut Vec<u8>, who: Actor) {
        actor(out, self.names, who);
    }

    /// Appends an amount as its digits.
    pub fn amount(out: &mut Vec<u8>, amount: i128) {
        large_signed(out, amount);
    }
}

/// Appends a worker's id or address.
pub(super) fn worker(out: &mut Vec<u8>, names: &Names, worker: WorkerNo) {
    match names.workers().get(worker.index()) {
        Some(WorkerName::Miner(id)) => out.extend_from_slice(id.as_str().as_bytes()),
        Some(WorkerName::Address(address)) => {
            out.extend_from_slice(b"0x");
            hex(out, &address.0);
        }
        None => nameless(out, worker.0),
    }
}

/// Appends a payer's name.
pub(super) fn payer(out: &mut Vec<u8>, names: &Names, payer: PayerNo) {
    label_or(out, names.payers().get(payer.index()), payer.0);
}

/// Appends a rail's name.
pub(super) fn rail(out: &mut Vec<u8>, names: &Names, rail: RailNo) {
    label_or(out, names.rails().get(rail.index()), rail.0);
}

/// Appends a capability's name.
pub(super) fn capability(out: &mut Vec<u8>, names: &Names, capability: CapabilityNo) {
    let name = names.capabilities().get(capability.index());
    label_or(out, name, capability.0);
}

/// Appends an asset's code.
pub(super) fn asset(out: &mut Vec<u8>, names: &Names, asset: AssetNo) {
    let code = names.assets().get(asset.index()).map(|one| &one.code);
    label_or(out, code, asset.0);
}

fn label_or(out: &mut Vec<u8>, label: Option<&Label>, number: u32) {
    match label {
        Some(label) => out.extend_from_slice(label.as_str().as_bytes()),
        None => nameless(out, number),
    }
}

/// Appends a pool of generosity's name.
pub(super) fn pool(out: &mut Vec<u8>, names: &Names, pool: PoolNo) {
    label_or(out, names.pools().get(pool.index()), pool.0);
}

/// Appends a partition as `node_type|region`.
pub(super) fn partition(out: &mut Vec<u8>, names: &Names, partition: PartitionNo) {
    match names.partitions().get(partition.index()) {
        Some(one) => {
            out.extend_from_slice(one.node_type.as_str().as_bytes());
            out.push(b'|');
            out.extend_from_slice(one.region.as_str().as_bytes());
        }
        None => nameless(out, partition.0),
    }
}

/// Appends the key of a file.
pub(super) fn file_key(
    out: &mut Vec<u8>,
    names: &Names,
    partition: PartitionNo,
    stamps: FileStamps,
) {
    let Some(one) = names.partitions().get(partition.index()) else {
        return nameless(out, partition.0);
    };
    let (region, node_type) = (
        one.region.as_str().as_bytes(),
        one.node_type.as_str().as_bytes(),
    );
    let parts = [region, b"/", node_type, b"/", region, b"-", node_type, b"-"];
    parts.iter().for_each(|part| out.extend_from_slice(part));
    stamp(out, stamps.start);
    out.push(b'_');
    stamp(out, stamps.end);
    out.extend_from_slice(b".json");
}

/// Appends `YYYYMMDDTHHMMSSZ`, which stands in events as one number of 14 digits.
fn stamp(out: &mut Vec<u8>, stamp: u64) {
    padded(out, stamp / 1_000_000 % 100_000_000, 8);
    out.push(b'T');
    padded(out, stamp % 1_000_000, 6);
    out.push(b'Z');
}

fn nameless(out: &mut Vec<u8>, number: u32) {
    out.push(b'#');
    decimal(out, number.into());
}

/// Appends the source's id of an event.
pub(super) fn event_id(out: &mut Vec<u8>, id: &EventId) {
    match id {
        EventId::Uuid(bytes) => uuid(out, bytes),
        EventId::Text(text) => out.extend_from_slice(text.as_str().as_bytes()),
        EventId::Digest(digest) => sha256(out, &digest[..]),
    }
}

/// Appends the source's id of a request.
pub(super) fn request(out: &mut Vec<u8>, id: &RequestId) {
    match id {
        RequestId::Hex(number) => hex(out, &number.to_be_bytes()),
        RequestId::Text(text) => out.extend_from_slice(text.as_str().as_bytes()),
        RequestId::Digest(digest) => sha256(out, &digest[..]),
    }
}

fn sha256(out: &mut Vec<u8>, digest: &[u8]) {
    out.extend_from_slice(b"sha256:");
    hex(out, digest);
}

/// Appends who issued a command.
pub(super) fn actor(out: &mut Vec<u8>, names: &Names, actor: Actor) {
    match actor {
        Actor::Purser => out.extend_from_slice(b"purser"),
        Actor::CommandLine => out.extend_from_slice(b"command_line"),
        Actor::Newcomer => out.extend_from_slice(b"newcomer"),
        Actor::Coordinator(tag) => holder(out, b"coordinator:", tag),
        Actor::Operator(tag) => holder(out, b"operator:", tag),
        Actor::Worker(number) => {
            out.extend_from_slice(b"worker:");
            worker(out, names, number);
        }
    }
}

fn holder(out: &mut Vec<u8>, role: &[u8], tag: KeyTag) {
    out.extend_from_slice(role);
    hex(out, &tag.0.to_be_bytes());
}
