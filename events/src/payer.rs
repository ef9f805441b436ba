//! Payers, the ways by which their money comes in, and the funds that no job holds.

use serde::{Deserialize, Serialize};

use crate::{Amount, AssetNo, Label, PayerNo, RailNo};

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

/// A payer chose what becomes of its funds when it opens a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayerChose {
    /// The payer.
    pub payer: PayerNo,
    /// Whether all its funds of the job's asset go to the job that it opens next.
    pub funds_at_open: bool,
}

/// A payer's money came in, for no job yet. What the payer owes is settled from it first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FundsDeposited {
    /// The payer.
    pub payer: PayerNo,
    /// The asset.
    pub asset: AssetNo,
    /// How much came in.
    pub amount: Amount,
    /// How much of it settled the payer's debt.
    pub settled: Amount,
    /// The way it came.
    pub rail: RailNo,
    /// The rail's own id of the payment: counts once, for ever.
    pub payment: Label,
    /// What the payer's funds came to: the first answer can be given again, and a replay proves it.
    pub funds: Amount,
}

/// A payer's funds settled what it owes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DebtSettled {
    /// The payer.
    pub payer: PayerNo,
    /// The asset.
    pub asset: AssetNo,
    /// How much was settled.
    pub amount: Amount,
    /// What the payer's funds came to.
    pub funds: Amount,
}
