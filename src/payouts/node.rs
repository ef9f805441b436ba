//! The nodes of the chain: asked one after the other, with pauses when none answers.

use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use alloy_json_rpc::RpcError;
use alloy_primitives::{Address as ChainAddress, B256, Bytes, U64, U128, U256};
use alloy_provider::{Provider, ProviderBuilder, RootProvider};
use alloy_transport::TransportError;
use purser_events::{Address, Amount, Wei};
use reqwest::Url;

use super::wire::{Block, FullBlock, Receipt, Transaction};
use crate::config::host_of;
use crate::tls;

/// How often all nodes are asked in vain before it is given up for now: with pauses of one, two
/// and four times the first one in between.
const ROUNDS: u32 = 4;

/// Where the nodes are, and how long they are waited for.
#[derive(Clone, Debug)]
pub struct NodeSettings {
    /// Their addresses.
    pub urls: Vec<Url>,
    /// The chain that they must be of.
    pub chain_id: u64,
    /// How long one may take to answer.
    pub timeout: Duration,
    /// The first pause after none answered.
    pub backoff: Duration,
}

/// Why the chain gave no answer. None of the texts shows the path of an address, which may hold a
/// key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NodeError {
    /// No node answered.
    #[error("no node of the chain answers; the last was {host}: {why}")]
    Unreachable {
        /// The last one that was asked.
        host: String,
        /// What happened there.
        why: String,
    },
    /// A node answered with an error.
    #[error("{host} refused {method}: {code} {message}")]
    Refused {
        /// The node.
        host: String,
        /// What it was asked.
        method: &'static str,
        /// Its code.
        code: i64,
        /// Its word.
        message: String,
    },
    /// A node belongs to another chain.
    #[error("{host} is a node of chain {found}, not of {wanted}")]
    OtherChain {
        /// The node.
        host: String,
        /// Its chain.
        found: u64,
        /// Ours.
        wanted: u64,
    },
}

struct Endpoint {
    provider: RootProvider,
    host: String,
    checked: AtomicBool,
}

/// The nodes of the chain.
pub struct Node {
    endpoints: Vec<Endpoint>,
    current: AtomicUsize,
    settings: NodeSettings,
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let hosts: Vec<&str> = self.endpoints.iter().map(|one| one.host.as_str()).collect();
        f.debug_tuple("Node").field(&hosts).finish()
    }
}

impl Node {
    /// Knows the nodes; asks none yet.
    ///
    /// # Errors
    /// When no client of HTTP can be made.
    pub fn new(settings: NodeSettings) -> Result<Self, reqwest::Error> {
        tls::use_ring();
        let client = reqwest::Client::builder()
            .timeout(settings.timeout)
            .connect_timeout(settings.timeout)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        let endpoint = |url: &Url| Endpoint {
            provider: ProviderBuilder::new()
                .disable_recommended_fillers()
                .connect_reqwest(client.clone(), url.clone()),
            host: host_of(url),
            checked: AtomicBool::new(false),
        };
        Ok(Self {
            endpoints: settings.urls.iter().map(endpoint).collect(),
            current: AtomicUsize::new(0),
            settings,
        })
    }

    /// The chain that the nodes must be of.
    #[must_use]
    pub const fn chain_id(&self) -> u64 {
        self.settings.chain_id
    }

    /// Asks the nodes until one answers. What one refuses, another may answer.
    async fn ask<T, F>(&self, method: &'static str, call: impl Fn(RootProvider) -> F) -> Answer<T>
    where
        F: Future<Output = Result<T, TransportError>>,
    {
        let mut pause = self.settings.backoff;
        let mut round = 1;
        loop {
            let failed = match self.ask_each(method, &call).await {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            if round == ROUNDS || !matches!(failed, NodeError::Unreachable { .. }) {
                return Err(failed);
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
            round += 1;
        }
    }

    /// Asks each node once, beginning with the one that answered last.
    async fn ask_each<T, F>(
        &self,
        method: &'static str,
        call: &impl Fn(RootProvider) -> F,
    ) -> Answer<T>
    where
        F: Future<Output = Result<T, TransportError>>,
    {
        let first = self.current.load(Ordering::Relaxed);
        let count = self.endpoints.len();
        let mut worst = None;
        for at in (first..first + count).map(|at| at % count) {
            let endpoint = &self.endpoints[at];
            match self.ask_one(endpoint, method, call).await {
                Ok(answer) => {
                    self.current.store(at, Ordering::Relaxed);
                    return Ok(answer);
                }
                Err(error) => {
                    tracing::debug!(%error, method, "a node of the chain did not answer");
                    worst = Some(error);
                }
            }
        }
        Err(worst.expect("there is a node"))
    }

    async fn ask_one<T, F>(
        &self,
        endpoint: &Endpoint,
        method: &'static str,
        call: &impl Fn(RootProvider) -> F,
    ) -> Answer<T>
    where
        F: Future<Output = Result<T, TransportError>>,
    {
        self.check(endpoint).await?;
        let answer = call(endpoint.provider.clone()).await;
        answer.map_err(|error| explain(endpoint, method, &error))
    }

    /// Asks a node for its chain before anything else is asked of it.
    async fn check(&self, endpoint: &Endpoint) -> Answer<()> {
        if endpoint.checked.load(Ordering::Relaxed) {
            return Ok(());
        }
        let found: U64 = endpoint
            .provider
            .raw_request("eth_chainId".into(), ())
            .await
            .map_err(|error| explain(endpoint, "eth_chainId", &error))?;
        let (found, wanted) = (found.to::<u64>(), self.settings.chain_id);
        if found != wanted {
            let host = endpoint.host.clone();
            return Err(NodeError::OtherChain {
                host,
                found,
                wanted,
            });
        }
        endpoint.checked.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// The block of a tag or a number; `None` when there is none.
    ///
    /// # Errors
    /// When no node answers.
    pub async fn block(&self, wanted: At) -> Answer<Option<Block>> {
        self.ask("eth_getBlockByNumber", |node| async move {
            let params = (wanted.text(), false);
            node.raw_request("eth_getBlockByNumber".into(), params)
                .await
        })
        .await
    }

    /// A block with its transactions.
    ///
    /// # Errors
    /// When no node answers.
    pub async fn full_block(&self, number: u64) -> Answer<Option<FullBlock>> {
        self.ask("eth_getBlockByNumber", |node| async move {
            let params = (At::Number(number).text(), true);
            node.raw_request("eth_getBlockByNumber".into(), params)
                .await
        })
        .await
    }

    /// How many transactions an address has made.
    ///
    /// # Errors
    /// When no node answers.
    pub async fn nonce(&self, of: Address, at: At) -> Answer<u64> {
        let nonce: U64 = self
            .ask("eth_getTransactionCount", |node| async move {
                let params = (chain_address(of), at.text());
                node.raw_request("eth_getTransactionCount".into(), params)
                    .await
            })
            .await?;
        Ok(nonce.to())
    }

    /// What an address holds.
    ///
    /// # Errors
    /// When no node answers.
    pub async fn balance(&self, of: Address) -> Answer<Amount> {
        let balance: U256 = self
            .ask("eth_getBalance", |node| async move {
                let params = (chain_address(of), At::Latest.text());
                node.raw_request("eth_getBalance".into(), params).await
            })
            .await?;
        // More than 2^128 wei do not exist; a node that says so covers everything.
        Ok(Amount(u128::try_from(balance).unwrap_or(u128::MAX)))
    }

    /// What whoever makes the blocks asks for a unit of gas.
    ///
    /// # Errors
    /// When no node answers.
    pub async fn tip(&self) -> Answer<Wei> {
        let tip: U128 = self
            .ask("eth_maxPriorityFeePerGas", |node| async move {
                node.raw_request("eth_maxPriorityFeePerGas".into(), ())
                    .await
            })
            .await?;
        Ok(Wei(tip.to()))
    }

    /// How much gas a transfer would use.
    ///
    /// # Errors
    /// When no node answers, or the transfer would be reverted.
    pub async fn estimate(&self, from: Address, to: Address, amount: Amount) -> Answer<u64> {
        let gas: U64 = self
            .ask("eth_estimateGas", |node| async move {
                let call = serde_json::json!({
                    "from": chain_address(from),
                    "to": chain_address(to),
                    "value": U256::from(amount.0),
                });
                node.raw_request("eth_estimateGas".into(), (call,)).await
            })
            .await?;
        Ok(gas.to())
    }

    /// Hands signed bytes to every node in turn until one takes them; answers the hash that it
    /// knows them by. Whatever comes back proves nothing: the chain is to be asked.
    ///
    /// # Errors
    /// When no node takes them.
    pub async fn send(&self, raw: &[u8]) -> Answer<[u8; 32]> {
        let bytes = Bytes::copy_from_slice(raw);
        let call = |node: RootProvider| {
            let bytes = bytes.clone();
            async move {
                node.raw_request("eth_sendRawTransaction".into(), (bytes,))
                    .await
            }
        };
        let hash: B256 = self.ask_each("eth_sendRawTransaction", &call).await?;
        Ok(hash.0)
    }

    /// A transaction that stands in a block or waits for one.
    ///
    /// # Errors
    /// When no node answers.
    pub async fn transaction(&self, hash: [u8; 32]) -> Answer<Option<Transaction>> {
        self.ask("eth_getTransactionByHash", |node| async move {
            node.raw_request("eth_getTransactionByHash".into(), (B256::from(hash),))
                .await
        })
        .await
    }

    /// What became of a transaction; `None` while it stands in no block.
    ///
    /// # Errors
    /// When no node answers.
    pub async fn receipt(&self, hash: [u8; 32]) -> Answer<Option<Receipt>> {
        self.ask("eth_getTransactionReceipt", |node| async move {
            node.raw_request("eth_getTransactionReceipt".into(), (B256::from(hash),))
                .await
        })
        .await
    }
}

type Answer<T> = Result<T, NodeError>;

/// A moment of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// The newest block.
    Latest,
    /// The newest block, and what waits.
    Pending,
    /// The newest block that is final.
    Finalized,
    /// The block of this number.
    Number(u64),
}

impl At {
    fn text(self) -> String {
        match self {
            Self::Latest => "latest".into(),
            Self::Pending => "pending".into(),
            Self::Finalized => "finalized".into(),
            Self::Number(number) => format!("{number:#x}"),
        }
    }
}

fn chain_address(address: Address) -> ChainAddress {
    address.0.into()
}

fn explain(endpoint: &Endpoint, method: &'static str, error: &TransportError) -> NodeError {
    let host = endpoint.host.clone();
    match error {
        RpcError::ErrorResp(payload) => NodeError::Refused {
            host,
            method,
            code: payload.code,
            message: payload.message.chars().take(200).collect(),
        },
        RpcError::Transport(_) => NodeError::Unreachable {
            host,
            why: "no connection, no answer in time, or an answer that is none".into(),
        },
        _ => NodeError::Unreachable {
            host,
            why: "its answer is not understood".into(),
        },
    }
}
