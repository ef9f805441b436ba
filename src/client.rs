//! A client of a running server, for the commands that go through one.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use reqwest::header::RETRY_AFTER;
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config, tungstenite};
use tokio_util::either::Either;

use crate::tls::{self, ClientFiles, TlsError};

/// How often a request is repeated that the server was too busy for.
const ATTEMPTS: u32 = 8;

/// The longest wait between two attempts.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Bytes of a WebSocket's buffer for reading.
const SOCKET_BUFFER_BYTES: usize = 1_024;

/// The bytes of a connection, plain or through TLS.
type Channel = Either<TcpStream, Box<TlsStream<TcpStream>>>;

/// A WebSocket of a client.
pub type Socket = WebSocketStream<Channel>;

/// A server, and the key to it.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
    key: Option<Key>,
    tls: Option<Arc<ClientConfig>>,
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
    #[error("{url} is no address of a server; write it as http://HOST:PORT or https://HOST:PORT")]
    Address {
        /// The text.
        url: String,
    },
    /// TLS cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A WebSocket cannot be opened.
    #[error("cannot open a WebSocket at {url}")]
    Socket {
        /// The server.
        url: Box<str>,
        /// What went wrong.
        #[source]
        source: tungstenite::Error,
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
    /// When `url` is no address of a server.
    pub fn new(url: &str, key: Option<&str>) -> Result<Self, ClientError> {
        Self::with_tls(url, key, &ClientFiles::default())
    }

    /// A client of the server at `url`, which trusts and shows what these files hold where the
    /// server speaks TLS.
    ///
    /// # Errors
    /// When `url` is no address of a server, or the files cannot be used.
    pub fn with_tls(
        url: &str,
        key: Option<&str>,
        files: &ClientFiles,
    ) -> Result<Self, ClientError> {
        let wrong = || ClientError::Address {
            url: url.to_owned(),
        };
        let base = Url::parse(url).map_err(|_| wrong())?;
        let tls = match base.scheme() {
            "http" => None,
            "https" => Some(tls::client(files)?),
            _ => return Err(wrong()),
        };
        if !base.has_host() {
            return Err(wrong());
        }
        tls::use_ring();
        let http = reqwest::Client::builder().connect_timeout(CONNECT_TIMEOUT);
        let http = match &tls {
            Some(tls) => http.tls_backend_preconfigured(tls.clone()),
            None => http,
        };
        let http = http.build().map_err(|source| ClientError::Unreachable {
            url: base.as_str().into(),
            source,
        })?;
        let key = key.map(|key| Key(key.into()));
        let tls = tls.map(Arc::new);
        Ok(Self {
            http,
            base,
            key,
            tls,
        })
    }

    /// The same client under another key.
    #[must_use]
    pub fn with_key(self, key: &str) -> Self {
        let key = Some(Key(key.into()));
        Self { key, ..self }
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

    /// Opens a WebSocket, as a worker does.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn socket(&self, ask: Ask<'_>) -> Result<Socket, ClientError> {
        let mut url = self.url(&ask);
        let failed = |source| ClientError::Socket {
            url: self.base.as_str().into(),
            source,
        };
        let stream = self.connect().await.map_err(|error| failed(error.into()))?;
        let scheme = if self.tls.is_some() { "wss" } else { "ws" };
        url.set_scheme(scheme)
            .expect("one scheme of the web becomes another");
        let limits = WebSocketConfig::default()
            .read_buffer_size(SOCKET_BUFFER_BYTES)
            .write_buffer_size(0);
        let opened = client_async_with_config(url.as_str(), stream, Some(limits)).await;
        Ok(opened.map_err(failed)?.0)
    }

    async fn connect(&self) -> io::Result<Channel> {
        let host = self.base.host_str().unwrap_or_default();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let port = self.base.port_or_known_default().unwrap_or(80);
        let reached = tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect((bare, port)));
        let stream = reached.await??;
        stream.set_nodelay(true)?;
        let Some(tls) = &self.tls else {
            return Ok(Channel::Left(stream));
        };
        let name = ServerName::try_from(bare.to_owned()).map_err(io::Error::other)?;
        let stream = TlsConnector::from(Arc::clone(tls)).connect(name, stream);
        Ok(Channel::Right(Box::new(stream.await?)))
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
