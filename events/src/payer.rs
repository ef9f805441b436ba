//! Payers, and the ways by which their money comes in.

use serde::{Deserialize, Serialize};

use crate::{Label, PayerNo, RailNo};

/// A payer was named for the first time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayerNamed {
    /// The payer's number: the next one.
    pub payer: PayerNo,
    /// What it is known by: an address, or any text.
    pub name: Label,
}

/// A way by which money comes in was named for the first time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RailNamed {
    /// The rail's number: the next one.
    pub rail: RailNo,
    /// What it is known by, such as `stripe`.
    pub name: Label,
}
