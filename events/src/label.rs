//! Text that came from outside, bounded.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

/// Text from outside of 1 to [`Label::MAX`] bytes without control characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Label(Box<str>);

/// Why a text is no [`Label`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LabelError {
    /// The text is empty.
    #[error("the text is empty")]
    Empty,
    /// The text is longer than [`Label::MAX`] bytes.
    #[error("the text is longer than 256 bytes")]
    TooLong,
    /// The text holds a control character.
    #[error("the text holds a control character")]
    Control,
}

impl Label {
    /// The greatest length in bytes.
    pub const MAX: usize = 256;

    /// Checks a text.
    ///
    /// # Errors
    /// When the text is empty, longer than [`Label::MAX`] bytes or holds a control character.
    pub fn new(text: &str) -> Result<Self, LabelError> {
        if text.is_empty() {
            return Err(LabelError::Empty);
        }
        if text.len() > Self::MAX {
            return Err(LabelError::TooLong);
        }
        if text.chars().any(char::is_control) {
            return Err(LabelError::Control);
        }
        Ok(Self(text.into()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Label {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Box::<str>::deserialize(from)?;
        Self::new(&text).map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
