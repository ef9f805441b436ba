//! Tickets: what they are worth, and what is known of the parameters that they were sent under.

mod atoms;
mod nonces;

pub use atoms::Expected;
pub use nonces::Nonces;
