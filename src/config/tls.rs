//! The files of TLS, and who needs a certificate.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::value::{Setting, ValueError};
use crate::tls::{Parties, Party};

/// A file in PEM; absent where it is not named.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct PemFile(PathBuf);

impl TryFrom<String> for PemFile {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        Self::from_text(&text)
    }
}

impl Setting for PemFile {
    type Effective = Option<PathBuf>;

    fn from_text(text: &str) -> Result<Self, ValueError> {
        if text.is_empty() {
            return Err(ValueError::Empty);
        }
        Ok(Self(text.into()))
    }

    fn effective(value: Option<Self>) -> Option<PathBuf> {
        value.map(|Self(path)| path)
    }
}

/// Those who need a certificate that names them; a list of texts in `purser.toml`, separated by
/// commas in a variable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct ClientRoles(Parties);

impl ClientRoles {
    /// Those who need one.
    #[must_use]
    pub const fn parties(self) -> Parties {
        self.0
    }

    fn read<'a>(texts: impl Iterator<Item = &'a str>) -> Result<Self, ValueError> {
        let read = |text: &str| {
            let found = Party::ALL.into_iter().find(|party| party.as_str() == text);
            found.ok_or(ValueError::Party)
        };
        texts.map(read).collect::<Result<_, _>>().map(Self)
    }
}

impl TryFrom<Vec<String>> for ClientRoles {
    type Error = ValueError;

    fn try_from(texts: Vec<String>) -> Result<Self, ValueError> {
        Self::read(texts.iter().map(String::as_str))
    }
}

impl From<ClientRoles> for Vec<String> {
    fn from(roles: ClientRoles) -> Self {
        let held = Party::ALL.into_iter().filter(|party| roles.0.hold(*party));
        held.map(|party| party.as_str().to_owned()).collect()
    }
}

impl Setting for ClientRoles {
    type Effective = Self;

    fn from_text(text: &str) -> Result<Self, ValueError> {
        let texts = text.split(',').map(str::trim);
        Self::read(texts.filter(|text| !text.is_empty()))
    }

    fn effective(value: Option<Self>) -> Self {
        value.unwrap_or_default()
    }
}
