//! Payouts on chain: what the log says is signed, sent and looked after, until the chain says that
//! it is final. The runner decides nothing: it asks the chain, and reports by command.

mod audit;
mod books;
mod fault;
mod handle;
pub mod key;
pub mod node;
mod reconcile;
mod runner;
mod signing;
mod trace;
pub mod wire;

use std::time::Duration;

use purser_events::Wei;

use crate::config::{Config, Finality};

pub use audit::{Audited, Difference, Opened, audit};
pub use handle::{PayoutsHandle, PayoutsStatus, RunError};
pub use key::{Key, KeyError};
pub use node::{At, Node, NodeError, NodeSettings};
pub use runner::start;
pub use trace::{Found, find_nonce};

/// How payouts on chain are made.
#[derive(Debug)]
pub struct Settings {
    /// The nodes of the chain.
    pub node: NodeSettings,
    /// The key that signs.
    pub key: Key,
    /// How often payouts are requested; never by itself where it is absent.
    pub every: Option<Duration>,
    /// Whether runs only say what they would pay.
    pub dry_run: bool,
    /// When a block is final.
    pub finality: Finality,
    /// The most that a unit of gas may cost.
    pub gas_price_max: Wei,
    /// The most units of gas that one transfer may use.
    pub gas_limit: u64,
    /// How often the chain is asked.
    pub poll: Duration,
    /// How long a transfer may wait before it is replaced.
    pub replace_after: Duration,
}

impl Settings {
    /// What the configuration says; `None` where it names no node or no key.
    ///
    /// # Errors
    /// When the key cannot be read.
    pub fn of(config: &Config) -> Result<Option<Self>, KeyError> {
        let (Some(urls), Some(key)) = (&config.payout_rpc_urls, &config.payout_key) else {
            return Ok(None);
        };
        let password = config.payout_key_password.as_ref();
        let key = Key::read(key.reveal(), password.map(|secret| secret.reveal()))?;
        let millis = |ms: std::num::NonZeroU64| Duration::from_millis(ms.get());
        let every = config.payout_every_sec;
        Ok(Some(Self {
            node: NodeSettings {
                urls: urls.as_slice().to_vec(),
                chain_id: config.payout_chain_id.get(),
                timeout: millis(config.payout_rpc_timeout_ms),
                backoff: millis(config.payout_rpc_backoff_ms),
            },
            key,
            every: (every > 0).then(|| Duration::from_secs(every)),
            dry_run: config.payout_dry_run,
            finality: config.payout_finality,
            gas_price_max: config.payout_gas_price_max_wei.wei(),
            gas_limit: config.payout_gas_limit.get(),
            poll: millis(config.payout_poll_ms),
            replace_after: millis(config.payout_replace_after_ms),
        }))
    }
}
