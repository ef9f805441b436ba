//! Why a connection ends, and what the worker is told.

use axum::extract::ws::{CloseFrame, close_code};
use tokio_tungstenite::tungstenite;

/// Why a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The worker closed it, or is not to be reached.
    Gone,
    /// The server stops.
    Stopping,
    /// A frame is no text.
    NotText,
    /// A frame is too long.
    TooLong,
    /// Too many frames in a row were refused.
    TooManyRefusals,
    /// The session ended.
    SessionEnded,
    /// Nothing was heard in time.
    Silent,
    /// The worker opened another connection.
    Replaced,
}

impl End {
    /// What reading a frame failed of.
    pub(super) fn of_error(error: axum::Error) -> Self {
        match error.into_inner().downcast_ref::<tungstenite::Error>() {
            Some(tungstenite::Error::Capacity(_)) => Self::TooLong,
            _ => Self::Gone,
        }
    }

    /// The last frame; `None` when nobody is there to read it.
    pub(super) fn frame(self) -> Option<CloseFrame> {
        let (code, reason) = match self {
            Self::Gone => return None,
            Self::Stopping => (close_code::AWAY, "server_stops"),
            Self::NotText => (close_code::UNSUPPORTED, "not_text"),
            Self::TooLong => (close_code::SIZE, "frame_too_long"),
            Self::TooManyRefusals => (close_code::POLICY, "too_many_refusals"),
            Self::SessionEnded => (4_401, "session_ended"),
            Self::Silent => (4_408, "silent"),
            Self::Replaced => (4_409, "replaced"),
        };
        let reason = reason.into();
        Some(CloseFrame { code, reason })
    }
}
