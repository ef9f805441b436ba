//! A server's certificate, its key, and the authorities of its clients: read again when they
//! change. Connections that are open keep what they began with.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::server::WebPkiClientVerifier;

use super::{TlsError, authorities, certificates, private_key};

/// The files of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerFiles {
    /// Its certificate, and those between it and an authority, as PEM.
    pub certificate: PathBuf,
    /// The private key of the certificate, as PEM.
    pub key: PathBuf,
    /// The authorities of clients' certificates, as PEM; without it none is asked for.
    pub client_ca: Option<PathBuf>,
    /// Whether a client without a certificate is refused at once.
    pub client_required: bool,
}

/// A server's TLS.
#[derive(Debug)]
pub struct ServerTls {
    files: ServerFiles,
    current: RwLock<Arc<ServerConfig>>,
    seen: Mutex<Stamps>,
}

/// What the files looked like: which ones, how long, and when they were changed.
type Stamps = Vec<Option<[i64; 4]>>;

impl ServerTls {
    /// Reads the files.
    ///
    /// # Errors
    /// See [`TlsError`].
    pub fn load(files: ServerFiles) -> Result<Self, TlsError> {
        let seen = Mutex::new(stamps(&files));
        let current = RwLock::new(Arc::new(read(&files)?));
        Ok(Self {
            files,
            current,
            seen,
        })
    }

    /// Reads the files again. When they cannot be used, what was read before stays in force.
    ///
    /// # Errors
    /// See [`TlsError`].
    pub fn reload(&self) -> Result<(), TlsError> {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = stamps(&self.files);
        let fresh = Arc::new(read(&self.files)?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    /// Whether a file looks different from when it was last read.
    #[must_use]
    pub fn changed(&self) -> bool {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) != stamps(&self.files)
    }

    /// What a new connection begins with.
    #[must_use]
    pub fn current(&self) -> Arc<ServerConfig> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&current)
    }
}

fn stamps(files: &ServerFiles) -> Stamps {
    let paths = [&files.certificate, &files.key];
    let paths = paths.into_iter().chain(&files.client_ca);
    let stamp = |path: &PathBuf| {
        let seen = fs::metadata(path).ok()?;
        let (file, bytes) = (seen.ino().cast_signed(), seen.len().cast_signed());
        Some([file, bytes, seen.mtime(), seen.mtime_nsec()])
    };
    paths.map(stamp).collect()
}

fn read(files: &ServerFiles) -> Result<ServerConfig, TlsError> {
    super::use_ring();
    let builder = ServerConfig::builder();
    let builder = match &files.client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let verifier = WebPkiClientVerifier::builder(Arc::new(authorities(path)?));
            let verifier = if files.client_required {
                verifier
            } else {
                verifier.allow_unauthenticated()
            };
            let verifier = verifier.build().map_err(|source| TlsError::Authorities {
                path: path.clone(),
                source,
            })?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let (chain, key) = (certificates(&files.certificate)?, private_key(&files.key)?);
    let config = builder.with_single_cert(chain, key);
    let mut config = config.map_err(|source| TlsError::Unusable {
        path: files.certificate.clone(),
        source,
    })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
