//! The one provider of TLS: ring, which needs nothing but a C compiler.

use std::sync::Once;

/// Makes ring the provider of TLS of this process. Clients of HTTP need one even for plain
/// addresses. May be called any number of times.
pub fn use_ring() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error says that a provider is there already: then there is one, which is all we need.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}
