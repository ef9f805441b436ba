//! A simulated worker's connection: it beats when it is told to, and does what it is asked for.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::client::{Ask, Client, ClientError, Socket};
use crate::clock::Clock;

/// A simulated worker's connection.
pub(super) struct Line {
    socket: Socket,
    url: Box<str>,
}

/// The frames of a server, as far as a simulated worker reads them.
#[derive(Deserialize)]
struct Heard {
    position: Option<u64>,
    error: Option<Refusal>,
    instruction: Option<u64>,
}

#[derive(Deserialize)]
struct Refusal {
    code: String,
    detail: String,
    status: u16,
    retry_after_sec: Option<u64>,
}

impl Line {
    /// Connects with the token of a session.
    pub(super) async fn open(client: &Client, token: &str) -> Result<Self, ClientError> {
        let query = [("session_token", token)];
        let path = "/v1/miners/heartbeat";
        let ask = Ask {
            path,
            query: &query,
        };
        let socket = client.socket(ask).await?;
        let url = client.base().as_str().into();
        Ok(Self { socket, url })
    }

    /// Beats once and waits until that is durable; where the server asks for patience, it has it.
    pub(super) async fn beat(&mut self, round: u32) -> Result<(), ClientError> {
        loop {
            let beat = json!({
                "ts": Clock::Real.now().millis(),
                "queue_len": round,
                "avg_latency_ms": 40 + round,
            });
            self.say(&beat).await?;
            let Some(refusal) = self.answered().await? else {
                return Ok(());
            };
            let Some(seconds) = refusal.retry_after_sec else {
                let Refusal {
                    code,
                    detail,
                    status,
                    ..
                } = refusal;
                let url = self.url.clone();
                return Err(ClientError::Refused {
                    url,
                    status,
                    code,
                    detail,
                });
            };
            tokio::time::sleep(Duration::from_secs(seconds)).await;
        }
    }

    /// Stays connected, and does what it is asked for, until the connection ends.
    pub(super) async fn stay(mut self) {
        // Whatever ends the connection, a simulated worker leaves it at that.
        while self.answered().await.is_ok() {}
    }

    async fn say(&mut self, frame: &serde_json::Value) -> Result<(), ClientError> {
        let sent = self.socket.send(Message::text(frame.to_string())).await;
        sent.map_err(|source| ClientError::Socket {
            url: self.url.clone(),
            source,
        })
    }

    /// Waits for the answer to what was said; says yes to what it is asked for meanwhile.
    async fn answered(&mut self) -> Result<Option<Refusal>, ClientError> {
        use tokio_tungstenite::tungstenite::Error;
        let failed = |url: &str, source| ClientError::Socket {
            url: url.into(),
            source,
        };
        loop {
            let frame = self
                .socket
                .next()
                .await
                .unwrap_or(Err(Error::ConnectionClosed));
            let frame = frame.map_err(|source| failed(&self.url, source))?;
            let Message::Text(text) = frame else {
                continue;
            };
            let Ok(heard) = serde_json::from_str::<Heard>(&text) else {
                return Err(failed(
                    &self.url,
                    Error::Utf8(String::from("no frame of Purser")),
                ));
            };
            if let Some(instruction) = heard.instruction {
                let yes = json!({"instruction": instruction, "accepted": true});
                self.say(&yes).await?;
            } else if heard.error.is_some() || heard.position.is_some() {
                return Ok(heard.error);
            }
        }
    }
}
