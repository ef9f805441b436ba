//! What every handler can reach.

use std::ops::Deref;
use std::sync::Arc;

use tokio::sync::Semaphore;

use super::frame::RequestIds;
use super::limits::Limits;
use super::offers::Offers;
use super::settings::Settings;
use super::socket::Seats;
use crate::keys::Keys;
use crate::metrics::Metrics;
use crate::payouts::PayoutsHandle;
use crate::service::Service;
use crate::tickets::Desk;

/// What every handler can reach; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct App(Arc<Shared>);

/// What an [`App`] shares.
#[derive(Debug)]
pub(crate) struct Shared {
    /// The ledger.
    pub(crate) service: Service,
    /// Who may do what.
    pub(crate) keys: Keys,
    /// What the server allows.
    pub(crate) settings: Settings,
    /// The payouts' runner; absent where payouts on chain are off.
    pub(crate) payouts: Option<PayoutsHandle>,
    /// Where tickets are issued and checked; absent where there is no recipient.
    pub(crate) desk: Option<Arc<Desk>>,
    /// What is counted.
    pub(crate) metrics: Metrics,
    /// Hands out request ids.
    pub(crate) request_ids: RequestIds,
    /// Room for exports and scans of the log.
    pub(crate) streams: Arc<Semaphore>,
    /// The workers that are connected by a WebSocket.
    pub(crate) seats: Seats,
    /// How often each caller may ask.
    pub(crate) limits: Limits,
    /// The matches that were answered and not recorded.
    pub(crate) offers: Offers,
    /// The OpenAPI document.
    pub(crate) openapi: axum::body::Bytes,
}

impl Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl App {
    pub(crate) fn new(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }
}
