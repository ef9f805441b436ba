//! The facts that Purser records, the value types they are made of, and the codec between bytes
//! and events. Nothing here knows what is allowed: that is `commands`; or what facts add up to:
//! that is `projections`.

pub mod codec;
pub mod columns;
pub mod envelope;
pub mod grant;
pub mod ids;
pub mod instruction;
pub mod intake;
pub mod job;
pub mod label;
pub mod matching;
pub mod money;
pub mod paid;
pub mod payer;
pub mod payout;
pub mod policy;
pub mod price;
pub mod ticket;
pub mod time;
pub mod wide;
pub mod worker;

mod bytes;
mod catalogue;

pub use catalogue::{Event, EventKind};
pub use envelope::{Actor, CommandStamp, Envelope, KeyTag, Recorded};
pub use ids::{
    AssetNo, CapabilityNo, FileNo, GrantNo, JobNo, ModelNo, PartitionNo, PayerNo, PayoutNo, PoolNo,
    Position, RailNo, TicketSetNo, TypeNo, WinnerNo, WorkerNo,
};
pub use label::Label;
pub use money::{Address, Amount, Balance, BasisPoints, Wei};
pub use price::Price;
pub use time::{Micros, Seconds};
pub use wide::{U256, Word};
