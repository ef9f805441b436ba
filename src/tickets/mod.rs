//! Signed tickets as they come over the wire: hashes, signatures, secrets, protobuf. Which tickets
//! count is decided in `commands`.

pub mod batch;
pub mod desk;
pub mod hash;
pub mod rand;
pub mod request;
pub mod ring;
pub mod show;
pub mod signature;
pub mod token;
pub mod verifier;
pub mod wire;

pub use desk::Desk;

use purser_events::{Address, Label};

/// The name of a sender as a payer.
///
/// # Panics
/// Never: the text of an address is a label.
#[must_use]
pub fn payer_of(sender: Address) -> Label {
    Label::new(&sender.to_string()).expect("the text of an address is a label")
}
