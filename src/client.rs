//! A client of a running server, for the commands that go through one.

use std::time::Duration;

use axum::body::Bytes;
use reqwest::header::RETRY_AFTER;
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// How often a request is repeated that the server was too busy for.
const ATTEMPTS: u32 = 8;

/// The longest wait between two attempts.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// A server, and the key to it.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
    key: Option<Key>,
}

#[derive(Clone)]
struct Key(Box<str>);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(..)")
    }
}

/// Why a server did not answer as it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The text is no address of a server.
    #[error("{url} is no address of a server; write it as http://HOST:PORT")]
    Address {
        /// The text.
        url: String,
    },
    /// Nobody answers there.
    #[error("cannot reach {url}")]
    Unreachable {
        /// The server.
        url: Box<str>,
        /// The network's word.
        #[source]
        source: reqwest::Error,
    },
    /// The server refused.
    #[error("{url} refused: {detail} ({code}, status {status})")]
    Refused {
        /// What was asked for.
        url: Box<str>,
        /// The status.
        status: u16,
        /// The stable code; `unknown` when the answer had none.
        code: String,
        /// The server's word.
        detail: String,
    },
    /// The answer is not one that this program knows: the server is another version, or none.
    #[error("{url} answered what this program does not understand")]
    Answer {
        /// What was asked for.
        url: Box<str>,
        /// What is wrong with it.
        #[source]
        source: reqwest::Error,
    },
}

impl ClientError {
    /// Whether the server was reached and said no.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused { .. })
    }
}

/// The members of a problem+json answer that are shown.
#[derive(Deserialize)]
struct Problem {
    #[serde(default)]
    code: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    detail: String,
}

/// A request: where to, and what with.
#[derive(Clone, Debug, Default)]
pub struct Ask<'a> {
    /// The path, from `/` on.
    pub path: &'a str,
    /// The query.
    pub query: &'a [(&'a str, &'a str)],
}

impl Client {
    /// A client of the server at `url`, with the key that it is asked under.
    ///
    /// # Errors
    /// When `url` is not `http://HOST:PORT`.
    pub fn new(url: &str, key: Option<&str>) -> Result<Self, ClientError> {
        let wrong = || ClientError::Address {
            url: url.to_owned(),
        };
        let base = Url::parse(url).map_err(|_| wrong())?;
        if base.scheme() != "http" || !base.has_host() {
            return Err(wrong());
        }
        crate::tls::use_ring();
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(5))
            .build()
            .map_err(|source| ClientError::Unreachable {
                url: base.as_str().into(),
                source,
            })?;
        let key = key.map(|key| Key(key.into()));
        Ok(Self { http, base, key })
    }

    /// The server's address.
    #[must_use]
    pub const fn base(&self) -> &Url {
        &self.base
    }

    /// Whether the server runs on this machine.
    #[must_use]
    pub fn is_local(&self) -> bool {
        match self.base.host_str() {
            Some("localhost" | "[::1]") => true,
            Some(host) => host
                .parse()
                .is_ok_and(|ip: std::net::Ipv4Addr| ip.is_loopback()),
            None => false,
        }
    }

    /// Reads JSON.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn get<T: DeserializeOwned>(&self, ask: Ask<'_>) -> Result<T, ClientError> {
        let url = self.url(&ask);
        let response = self.send(&url, || self.request(Method::GET, &url)).await?;
        json(url, response).await
    }

    /// Sends JSON and reads JSON.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn post<T: DeserializeOwned>(
        &self,
        ask: Ask<'_>,
        body: &serde_json::Value,
    ) -> Result<T, ClientError> {
        let url = self.url(&ask);
        let request = || self.request(Method::POST, &url).json(body);
        let response = self.send(&url, request).await?;
        json(url, response).await
    }

    /// Sends bytes as they are and reads JSON.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn post_bytes<T: DeserializeOwned>(
        &self,
        ask: Ask<'_>,
        body: Bytes,
    ) -> Result<T, ClientError> {
        let url = self.url(&ask);
        let request = || self.request(Method::POST, &url).body(body.clone());
        let response = self.send(&url, request).await?;
        json(url, response).await
    }

    /// Reads an answer piece by piece.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn stream(&self, ask: Ask<'_>) -> Result<Pieces, ClientError> {
        let url = self.url(&ask);
        let response = self.send(&url, || self.request(Method::GET, &url)).await?;
        Ok(Pieces { url, response })
    }

    fn url(&self, ask: &Ask<'_>) -> Url {
        let mut url = self.base.clone();
        url.set_path(ask.path);
        if !ask.query.is_empty() {
            url.query_pairs_mut().extend_pairs(ask.query);
        }
        url
    }

    fn request(&self, method: Method, url: &Url) -> RequestBuilder {
        let request = self.http.request(method, url.clone());
        match &self.key {
            Some(key) => request.bearer_auth(&key.0),
            None => request,
        }
    }

    /// Sends a request, and sends it again while the server is too busy. Whatever this program
    /// writes is harmless when repeated.
    async fn send(
        &self,
        url: &Url,
        request: impl Fn() -> RequestBuilder,
    ) -> Result<Response, ClientError> {
        let mut attempt = 1;
        loop {
            let response = request().send().await;
            let response = response.map_err(|source| ClientError::Unreachable {
                url: self.base.as_str().into(),
                source: source.without_url(),
            })?;
            if response.status().is_success() {
                return Ok(response);
            }
            match pause(&response) {
                Some(wait) if attempt < ATTEMPTS => tokio::time::sleep(wait).await,
                _ => return Err(refused(url.clone(), response).await),
            }
            attempt += 1;
        }
    }
}

/// An answer that arrives piece by piece.
#[derive(Debug)]
pub struct Pieces {
    url: Url,
    response: Response,
}

impl Pieces {
    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// When the connection breaks before the end.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, ClientError> {
        match self.response.chunk().await {
            Ok(piece) => Ok(piece.map(|bytes| bytes.to_vec())),
            Err(source) => Err(ClientError::Answer {
                url: self.url.as_str().into(),
                source: source.without_url(),
            }),
        }
    }
}

/// How long the server asks to wait; `None` when waiting does not help.
fn pause(response: &Response) -> Option<Duration> {
    let busy = [
        StatusCode::SERVICE_UNAVAILABLE,
        StatusCode::TOO_MANY_REQUESTS,
    ];
    if !busy.contains(&response.status()) {
        return None;
    }
    let seconds = response
        .headers()
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .parse()
        .ok()?;
    Some(Duration::from_secs(seconds).min(WAIT_MAX))
}

async fn json<T: DeserializeOwned>(url: Url, response: Response) -> Result<T, ClientError> {
    response.json().await.map_err(|source| ClientError::Answer {
        url: url.as_str().into(),
        source: source.without_url(),
    })
}

async fn refused(mut url: Url, response: Response) -> ClientError {
    // The query may hold a session token.
    url.set_query(None);
    let status = response.status().as_u16();
    let problem = response.json::<Problem>().await.ok();
    let (code, detail) = match problem {
        Some(problem) if problem.detail.is_empty() => (problem.code, problem.title),
        Some(problem) => (problem.code, problem.detail),
        None => (String::from("unknown"), String::from("no reason given")),
    };
    ClientError::Refused {
        url: url.as_str().into(),
        status,
        code,
        detail,
    }
}
