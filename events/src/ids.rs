//! Dense numbers that stand for long names, and positions in the log.
//!
//! The event that first names a thing assigns it the next number, from 0; later events carry the
//! number. Replay then indexes arrays instead of hashing strings.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! number {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash,
            Serialize, Deserialize,
        )]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number! {
    /// A place in the whole log: dense, from 1. Zero stands for "before the first event".
    Position(u64)
}
number! {
    /// A worker: a registered miner, or a payee known by its address only.
    WorkerNo(u32)
}
number! {
    /// A partition of the pool: one node type in one region.
    PartitionNo(u32)
}
number! {
    /// A delivered file that was taken in.
    FileNo(u32)
}
number! {
    /// A pair of model and pipeline that AI jobs name.
    ModelNo(u32)
}
number! {
    /// A type of orchestrator event that Purser counts and does not interpret.
    TypeNo(u32)
}
number! {
    /// A declared asset.
    AssetNo(u32)
}
number! {
    /// A payer: whoever's money a job spends.
    PayerNo(u32)
}
number! {
    /// A way by which money comes in.
    RailNo(u32)
}
number! {
    /// A payout.
    PayoutNo(u32)
}
number! {
    /// A capability whose slots are counted.
    CapabilityNo(u32)
}
number! {
    /// A payer's job: the position of the event that opened it. So it is unique for ever, says
    /// where to read what the job is, and nothing has to remember which numbers were given.
    JobNo(u64)
}

number! {
    /// A pool of generosity.
    PoolNo(u32)
}
number! {
    /// A request that a grant was decided for: the position of the event that decided it.
    GrantNo(u64)
}
number! {
    /// A set of ticket parameters: the position of the event that opened it.
    TicketSetNo(u64)
}
number! {
    /// A ticket that won: the position of the event that says so.
    WinnerNo(u64)
}

impl AssetNo {
    /// The first asset that a log declares: the pool's own income and the fees of intake are in it.
    pub const ETH: Self = Self(0);
}

impl From<Position> for JobNo {
    fn from(opened: Position) -> Self {
        Self(opened.0)
    }
}

impl From<Position> for TicketSetNo {
    fn from(opened: Position) -> Self {
        Self(opened.0)
    }
}

impl From<Position> for WinnerNo {
    fn from(won: Position) -> Self {
        Self(won.0)
    }
}

impl From<JobNo> for Position {
    fn from(job: JobNo) -> Self {
        Self(job.0)
    }
}

impl PoolNo {
    /// The house's own pool: the first one.
    pub const HOUSE: Self = Self(0);
}

impl From<Position> for GrantNo {
    fn from(decided: Position) -> Self {
        Self(decided.0)
    }
}

impl From<GrantNo> for Position {
    fn from(grant: GrantNo) -> Self {
        Self(grant.0)
    }
}

impl Position {
    /// Before the first event.
    pub const ORIGIN: Self = Self(0);

    /// The position that follows this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// The position `count` places further on.
    #[must_use]
    pub const fn plus(self, count: u64) -> Self {
        Self(self.0 + count)
    }
}

macro_rules! index {
    ($($name:ident),*) => {$(
        impl $name {
            /// The number as an index into a dense table.
            #[must_use]
            pub const fn index(self) -> usize {
                self.0 as usize
            }

            /// The number of the next entry of a dense table that holds `len` entries.
            ///
            /// # Panics
            /// When the table holds 2^32 entries: no pool gets there.
            #[must_use]
            pub const fn following(len: usize) -> Self {
                assert!(len < u32::MAX as usize, "dense numbers are exhausted");
                Self(len as u32)
            }
        }
    )*};
}

index!(
    WorkerNo,
    PartitionNo,
    FileNo,
    ModelNo,
    TypeNo,
    AssetNo,
    PayerNo,
    RailNo,
    PayoutNo,
    CapabilityNo,
    PoolNo
);
