//! A simulated worker's connection: it beats when it is told to, and does what it is asked for.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::client::{Ask, Client, ClientError, Socket};
use crate::clock::Clock;

/// How often it beats while it has nothing else to do.
const EVERY: Duration = Duration::from_secs(15);

/// A simulated worker's connection.
pub(super) struct Line {
    socket: Socket,
    url: Box<str>,
    latency_ms: u32,
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
    pub(super) async fn open(
        client: &Client,
        token: &str,
        latency_ms: u32,
    ) -> Result<Self, ClientError> {
        let query = [("session_token", token)];
        let path = "/v1/miners/heartbeat";
        let ask = Ask {
            path,
            query: &query,
        };
        let socket = client.socket(ask).await?;
        let url = client.base().as_str().into();
        Ok(Self {
            socket,
            url,
            latency_ms,
        })
    }

    /// Beats once and waits until that is durable; where the server asks for patience, it has it.
    /// Answers the beat's position.
    pub(super) async fn beat(&mut self) -> Result<u64, ClientError> {
        loop {
            let beat = json!({
                "ts": Clock::Real.now().millis(),
                "queue_len": 0,
                "avg_latency_ms": self.latency_ms,
            });
            self.say(&beat).await?;
            let refusal = match self.answered().await? {
                Ok(position) => return Ok(position),
                Err(refusal) => refusal,
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

    /// Stays connected, beats now and then, and does what it is asked for, until the connection
    /// ends.
    pub(super) async fn stay(mut self) {
        // Whatever ends the connection, a simulated worker leaves it at that.
        loop {
            let beaten = match tokio::time::timeout(EVERY, self.hear()).await {
                Ok(Ok(heard)) => self.heed(&heard).await,
                Ok(Err(_)) => return,
                Err(_) => self.beat().await.map(drop),
            };
            if beaten.is_err() {
                return;
            }
        }
    }

    async fn say(&mut self, frame: &serde_json::Value) -> Result<(), ClientError> {
        let sent = self.socket.send(Message::text(frame.to_string())).await;
        sent.map_err(|source| self.failed(source))
    }

    /// The next frame of text.
    async fn hear(&mut self) -> Result<Heard, ClientError> {
        use tokio_tungstenite::tungstenite::Error;
        loop {
            let next = self.socket.next().await;
            let frame = match next.unwrap_or(Err(Error::ConnectionClosed)) {
                Ok(Message::Text(text)) => text,
                Ok(_) => continue,
                Err(source) => return Err(self.failed(source)),
            };
            let strange = |_| self.failed(Error::Utf8(String::from("no frame of Purser")));
            return serde_json::from_str(&frame).map_err(strange);
        }
    }

    /// Says yes to what it is asked for.
    async fn heed(&mut self, heard: &Heard) -> Result<(), ClientError> {
        let Some(instruction) = heard.instruction else {
            return Ok(());
        };
        let yes = json!({"instruction": instruction, "accepted": true});
        self.say(&yes).await
    }

    /// Waits for the answer to what was said; says yes to what it is asked for meanwhile.
    async fn answered(&mut self) -> Result<Result<u64, Refusal>, ClientError> {
        loop {
            let heard = self.hear().await?;
            self.heed(&heard).await?;
            if heard.instruction.is_some() {
                continue;
            }
            if let Some(refusal) = heard.error {
                return Ok(Err(refusal));
            }
            if let Some(position) = heard.position {
                return Ok(Ok(position));
            }
        }
    }

    fn failed(&self, source: tokio_tungstenite::tungstenite::Error) -> ClientError {
        let url = self.url.clone();
        ClientError::Socket { url, source }
    }
}
