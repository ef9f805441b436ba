//! What a client trusts, and how it shows who it is.

use std::path::PathBuf;

use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt;

use super::{TlsError, authorities, certificates, private_key};

/// The files of a client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientFiles {
    /// The authorities that it trusts, as PEM; the system's where none is named.
    pub ca: Option<PathBuf>,
    /// Its certificate, as PEM; none is shown where none is named.
    pub certificate: Option<PathBuf>,
    /// The private key of the certificate, as PEM.
    pub key: Option<PathBuf>,
}

/// Reads the files of a client.
///
/// # Errors
/// See [`TlsError`].
pub fn client(files: &ClientFiles) -> Result<ClientConfig, TlsError> {
    super::use_ring();
    let builder = ClientConfig::builder();
    let builder = match &files.ca {
        Some(path) => builder.with_root_certificates(authorities(path)?),
        None => builder.with_platform_verifier().map_err(TlsError::System)?,
    };
    let mut config = match (&files.certificate, &files.key) {
        (None, None) => builder.with_no_client_auth(),
        (Some(path), Some(key)) => builder
            .with_client_auth_cert(certificates(path)?, private_key(key)?)
            .map_err(|source| TlsError::Unusable {
                path: path.clone(),
                source,
            })?,
        (Some(_), None) => {
            return Err(TlsError::Half {
                given: "--cert",
                missing: "--cert-key",
            });
        }
        (None, Some(_)) => {
            return Err(TlsError::Half {
                given: "--cert-key",
                missing: "--cert",
            });
        }
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
