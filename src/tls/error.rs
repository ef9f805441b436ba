//! Why TLS cannot be used.

use std::path::PathBuf;

/// Why TLS cannot be used. No variant holds any part of a key.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or is no PEM.
    #[error("cannot read {path} as PEM")]
    Read {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: rustls::pki_types::pem::Error,
    },
    /// A file holds no certificate.
    #[error("{path} holds no certificate")]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// What a file holds cannot be used; a key that does not fit its certificate, perhaps.
    #[error("{path} cannot be used")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// The library's word.
        #[source]
        source: rustls::Error,
    },
    /// Certificates of clients cannot be checked against these authorities.
    #[error("the authorities in {path} cannot be used")]
    Authorities {
        /// The file.
        path: PathBuf,
        /// The library's word.
        #[source]
        source: rustls::server::VerifierBuilderError,
    },
    /// The system's authorities cannot be used.
    #[error("the system's authorities cannot be used; name one with --ca")]
    System(#[source] rustls::Error),
    /// A setting is there without the one that it needs.
    #[error("{given} needs {missing}")]
    Half {
        /// The setting that is there.
        given: &'static str,
        /// The setting that is not.
        missing: &'static str,
    },
}
