//! Bodies that ask for one thing: what they have in common.

use purser_commands::Command;
use serde::Deserialize;

use super::grant::{
    ConfirmBody, DecideBody, OrderBody, PoolBody, RefundBody, ReleaseBody, SettleGrantBody,
    TierBody, TopUpBody,
};
use super::job::{CloseBody, CreditBody, DebitBody, OpenBody};
use super::money::{CapabilityBody, ChoiceBody, DepositBody, SettleBody, TransferBody};
use super::policy::PolicyBody;
use super::ticket::{ChainBody, SenderBody};
use crate::http::error::Problem;
use crate::http::json;
use crate::http::settings::Settings;

/// A body that asks for one thing.
pub(crate) trait Wish<'a>: Deserialize<'a> {
    /// Reads it.
    fn read(body: &'a [u8]) -> Result<Self, Problem> {
        json::read(body)
    }

    /// The command's id, where the body carries it.
    fn id(&self) -> Option<&str>;

    /// The command; `path` is the parameter of a route that has one.
    fn wish(&self, path: Option<&str>, settings: &Settings) -> Result<Command, Problem>;
}

macro_rules! wishes {
    ($($named:ident)+; $($whole:ident)+) => {
        $(impl<'a> Wish<'a> for $named<'a> {
            fn id(&self) -> Option<&str> {
                self.id.as_deref()
            }

            fn wish(&self, path: Option<&str>, _: &Settings) -> Result<Command, Problem> {
                self.command(path)
            }
        })+
        $(impl<'a> Wish<'a> for $whole<'a> {
            fn id(&self) -> Option<&str> {
                self.id.as_deref()
            }

            fn wish(&self, _: Option<&str>, _: &Settings) -> Result<Command, Problem> {
                self.command()
            }
        })+
    };
}

// Those whose route names a part of them, and those that are whole.
wishes! {
    ChoiceBody CloseBody ConfirmBody CreditBody DepositBody RefundBody SettleBody SettleGrantBody
    TierBody;
    CapabilityBody ChainBody DecideBody OpenBody OrderBody PolicyBody PoolBody SenderBody TopUpBody
    TransferBody
}

impl<'a> Wish<'a> for ReleaseBody<'a> {
    /// It may be left out.
    fn read(body: &'a [u8]) -> Result<Self, Problem> {
        match body.is_empty() {
            true => Ok(Self::default()),
            false => json::read(body),
        }
    }

    fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    fn wish(&self, path: Option<&str>, _: &Settings) -> Result<Command, Problem> {
        self.command(path)
    }
}

impl<'a> Wish<'a> for DebitBody<'a> {
    fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    fn wish(&self, path: Option<&str>, settings: &Settings) -> Result<Command, Problem> {
        self.command(path, settings.jobs.stop)
    }
}
