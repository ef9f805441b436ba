//! Session tokens: they prove which worker asks, for a while, without any state beside the log.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use purser_events::{Micros, WorkerNo};
use sha2::Sha256;

/// How a session token begins, so that a leaked one is recognised.
pub const PREFIX: &str = "wk_";

/// The worker, its session, and until when the token is good, in milliseconds since 1970.
const NAMES: usize = 16;
const PROOF: usize = 16;
const LEN: usize = NAMES + PROOF;

/// Says what the proof is for, so that it is none for anything else under the same secret.
const DOMAIN: &[u8] = b"purser session 2";

/// What a token proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proved {
    /// The worker.
    pub worker: WorkerNo,
    /// Its session.
    pub session: u32,
    /// Until when the token is good, in milliseconds since 1970. The session may last longer.
    pub until_ms: u64,
}

impl Proved {
    /// Whether the token is still good.
    #[must_use]
    pub const fn is_good(&self, now: Micros) -> bool {
        now.millis() <= self.until_ms
    }
}

/// Makes and checks session tokens.
#[derive(Clone)]
pub struct Sessions {
    keyed: Hmac<Sha256>,
}

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sessions(..)")
    }
}

impl Sessions {
    /// Tokens of one secret; tokens of any other are void.
    #[must_use]
    pub fn new(secret: &[u8; 32]) -> Self {
        let keyed = Hmac::new_from_slice(secret).expect("a key of any length will do");
        Self { keyed }
    }

    /// A token of a worker's session.
    #[must_use]
    pub fn issue(&self, proved: Proved) -> String {
        let mut token = [0; LEN];
        token[..4].copy_from_slice(&proved.worker.0.to_be_bytes());
        token[4..8].copy_from_slice(&proved.session.to_be_bytes());
        token[8..NAMES].copy_from_slice(&proved.until_ms.to_be_bytes());
        let proof = self.over(&token[..NAMES]).finalize().into_bytes();
        token[NAMES..].copy_from_slice(&proof[..PROOF]);
        let mut text = String::from(PREFIX);
        URL_SAFE_NO_PAD.encode_string(token, &mut text);
        text
    }

    /// What a token proves; `None` for whatever is no token of ours. Whether it is still good is
    /// for the clock to say, and whether the session goes on for the ledger.
    #[must_use]
    pub fn verify(&self, text: &str) -> Option<Proved> {
        let mut token = [0; LEN];
        let coded = text.strip_prefix(PREFIX)?;
        let read = URL_SAFE_NO_PAD.decode_slice(coded, &mut token).ok()?;
        if read != LEN {
            return None;
        }
        let (names, proof) = token.split_at(NAMES);
        // Compares in constant time.
        self.over(names).verify_truncated_left(proof).ok()?;
        let (worker, rest) = names.split_first_chunk()?;
        let (session, until) = rest.split_first_chunk()?;
        Some(Proved {
            worker: WorkerNo(u32::from_be_bytes(*worker)),
            session: u32::from_be_bytes(*session),
            until_ms: u64::from_be_bytes(*until.first_chunk()?),
        })
    }

    fn over(&self, names: &[u8]) -> Hmac<Sha256> {
        self.keyed.clone().chain_update(DOMAIN).chain_update(names)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sessions() -> Sessions {
        Sessions::new(&[7; 32])
    }

    fn proved(worker: u32, session: u32, until_ms: u64) -> Proved {
        let worker = WorkerNo(worker);
        Proved {
            worker,
            session,
            until_ms,
        }
    }

    #[test]
    fn a_token_is_good_to_the_millisecond() {
        let proved = proved(1, 1, 5_000);
        assert!(proved.is_good(Micros::from_millis(5_000)));
        assert!(!proved.is_good(Micros::from_millis(5_001)));
    }

    proptest! {
        #[test]
        fn a_token_proves_what_it_was_issued_for(worker: u32, session: u32, until: u64) {
            let proved = proved(worker, session, until);
            let token = sessions().issue(proved);
            prop_assert!(token.bytes().all(|byte| byte.is_ascii_graphic()));
            prop_assert_eq!(sessions().verify(&token), Some(proved));
            prop_assert_eq!(Sessions::new(&[8; 32]).verify(&token), None);
        }

        #[test]
        fn any_other_text_proves_nothing(text in "(wk_)?[A-Za-z0-9_=+/-]{0,80}|\\PC{0,40}") {
            prop_assert_eq!(sessions().verify(&text), None);
        }

        #[test]
        fn a_changed_token_proves_nothing(at in 0usize..46, to in "[A-Za-z0-9_-]") {
            let token = sessions().issue(proved(3, 2, 1 << 40));
            let mut other = token.clone();
            other.replace_range(at..=at, &to);
            prop_assume!(other != token);
            prop_assert_eq!(sessions().verify(&other), None);
        }
    }

    #[test]
    fn a_cut_or_longer_token_proves_nothing() {
        let token = sessions().issue(proved(0, 1, 1));
        for end in 0..token.len() {
            assert_eq!(sessions().verify(&token[..end]), None, "{end}");
        }
        assert_eq!(sessions().verify(&format!("{token}A")), None);
        assert_eq!(sessions().verify(&"w".repeat(1 << 20)), None);
    }

    #[test]
    fn tokens_stay_what_they_are() {
        let token = sessions().issue(proved(1, 2, 1_767_225_600_000));
        // From another implementation of HMAC-SHA-256.
        assert_eq!(token, "wk_AAAAAQAAAAIAAAGbdtqoADLzlW6AZxW58Hfl2XLWu3Q");
    }
}
