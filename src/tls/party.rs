//! Whom a client's certificate names.

use rustls::client::verify_server_name;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::ParsedCertificate;

/// Whom a client's certificate may name, as a DNS name among its alternative names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    /// `coordinator.purser`
    Coordinator,
    /// `operator.purser`
    Operator,
    /// `auditor.purser`
    Auditor,
    /// `worker.purser`
    Worker,
}

impl Party {
    /// Every party.
    pub const ALL: [Self; 4] = [
        Self::Coordinator,
        Self::Operator,
        Self::Auditor,
        Self::Worker,
    ];

    /// The word of the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Coordinator => "coordinator",
            Self::Operator => "operator",
            Self::Auditor => "auditor",
            Self::Worker => "worker",
        }
    }

    /// The name in a certificate.
    #[must_use]
    pub fn name(self) -> ServerName<'static> {
        let name = format!("{}.purser", self.as_str());
        ServerName::try_from(name).expect("the name is a DNS name")
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A set of parties.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parties(u8);

impl Parties {
    /// Nobody.
    pub const NONE: Self = Self(0);

    /// Whom a certificate names. Whether it is to be trusted was found out before.
    #[must_use]
    pub fn of(certificate: &CertificateDer<'_>) -> Self {
        let Ok(certificate) = ParsedCertificate::try_from(certificate) else {
            return Self::NONE;
        };
        let named = |party: &Party| verify_server_name(&certificate, &party.name()).is_ok();
        Party::ALL.into_iter().filter(named).collect()
    }

    /// Whether a party is among them.
    #[must_use]
    pub const fn hold(self, party: Party) -> bool {
        self.0 & party.bit() != 0
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl FromIterator<Party> for Parties {
    fn from_iter<I: IntoIterator<Item = Party>>(parties: I) -> Self {
        Self(parties.into_iter().fold(0, |set, party| set | party.bit()))
    }
}
