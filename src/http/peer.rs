//! Who is at the other end of a connection, and how the server is that holds it.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use super::guests::Guest;
use crate::tls::Parties;

/// One connection, as far as a route may know; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Peer(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    guest: Guest,
    named: Parties,
    house: House,
}

/// What all connections of a server share: whether it stops, and what it waits for when it does.
#[derive(Clone, Debug)]
pub(crate) struct House {
    /// Turns true when the server stops.
    pub(crate) stopping: watch::Receiver<bool>,
    /// Work that goes on behind an answer, and that the server waits for when it stops.
    pub(crate) tasks: TaskTracker,
}

/// Waits until the server is told to stop; the sender's end counts as that.
pub(crate) async fn told(stopping: &mut watch::Receiver<bool>) {
    // An error means that nobody is left to ever say so.
    let _ = stopping.wait_for(|stop| *stop).await;
}

impl Peer {
    pub(crate) fn new(guest: Guest, named: Parties, house: House) -> Self {
        Self(Arc::new(Inner {
            guest,
            named,
            house,
        }))
    }

    /// The address that the connection comes from: a proxy's, where one stands between.
    pub(crate) fn address(&self) -> IpAddr {
        self.0.guest.address()
    }

    /// Whom the certificate of the other end names, if it showed one.
    pub(crate) fn named(&self) -> Parties {
        self.0.named
    }

    /// What all connections of the server share.
    pub(crate) fn house(&self) -> &House {
        &self.0.house
    }
}

/// The head of a request: what tells who asks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head<'a> {
    pub(crate) headers: &'a HeaderMap,
    pub(crate) peer: Option<&'a Peer>,
}

impl<'a> From<&'a Request> for Head<'a> {
    fn from(request: &'a Request) -> Self {
        Self {
            headers: request.headers(),
            peer: request.extensions().get(),
        }
    }
}

impl<'a> From<&'a Parts> for Head<'a> {
    fn from(parts: &'a Parts) -> Self {
        Self {
            headers: &parts.headers,
            peer: parts.extensions.get(),
        }
    }
}
