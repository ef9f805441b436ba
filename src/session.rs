//! Session tokens: they prove which worker asks, without any state beside the log.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use purser_events::WorkerNo;
use sha2::Sha256;

/// How a session token begins, so that a leaked one is recognised.
pub const PREFIX: &str = "wk_";

const NAMES: usize = 8;
const PROOF: usize = 16;
const LEN: usize = NAMES + PROOF;

/// Says what the proof is for, so that it is none for anything else under the same secret.
const DOMAIN: &[u8] = b"purser session 1";

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

    /// The token of a worker's session.
    #[must_use]
    pub fn issue(&self, worker: WorkerNo, session: u32) -> String {
        let mut token = [0; LEN];
        token[..4].copy_from_slice(&worker.0.to_be_bytes());
        token[4..NAMES].copy_from_slice(&session.to_be_bytes());
        let proof = self.over(&token[..NAMES]).finalize().into_bytes();
        token[NAMES..].copy_from_slice(&proof[..PROOF]);
        let mut text = String::from(PREFIX);
        URL_SAFE_NO_PAD.encode_string(token, &mut text);
        text
    }

    /// The worker and session that a token proves; `None` for whatever is no token of ours. Whether
    /// the session still goes on is for the ledger to say.
    #[must_use]
    pub fn verify(&self, text: &str) -> Option<(WorkerNo, u32)> {
        let mut token = [0; LEN];
        let coded = text.strip_prefix(PREFIX)?;
        let read = URL_SAFE_NO_PAD.decode_slice(coded, &mut token).ok()?;
        if read != LEN {
            return None;
        }
        let (names, proof) = token.split_at(NAMES);
        // Compares in constant time.
        self.over(names).verify_truncated_left(proof).ok()?;
        let (worker, session) = names.split_first_chunk()?;
        let session = session.first_chunk()?;
        Some((
            WorkerNo(u32::from_be_bytes(*worker)),
            u32::from_be_bytes(*session),
        ))
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

    proptest! {
        #[test]
        fn a_token_proves_what_it_was_issued_for(worker: u32, session: u32) {
            let token = sessions().issue(WorkerNo(worker), session);
            prop_assert!(token.bytes().all(|byte| byte.is_ascii_graphic()));
            prop_assert_eq!(sessions().verify(&token), Some((WorkerNo(worker), session)));
            prop_assert_eq!(Sessions::new(&[8; 32]).verify(&token), None);
        }

        #[test]
        fn any_other_text_proves_nothing(text in "(wk_)?[A-Za-z0-9_=+/-]{0,80}|\\PC{0,40}") {
            prop_assert_eq!(sessions().verify(&text), None);
        }

        #[test]
        fn a_changed_token_proves_nothing(at in 0usize..35, to in "[A-Za-z0-9_-]") {
            let token = sessions().issue(WorkerNo(3), 2);
            let mut other = token.clone();
            other.replace_range(at..=at, &to);
            prop_assume!(other != token);
            prop_assert_eq!(sessions().verify(&other), None);
        }
    }

    #[test]
    fn a_cut_or_longer_token_proves_nothing() {
        let token = sessions().issue(WorkerNo(0), 1);
        for end in 0..token.len() {
            assert_eq!(sessions().verify(&token[..end]), None, "{end}");
        }
        assert_eq!(sessions().verify(&format!("{token}A")), None);
        assert_eq!(sessions().verify(&"w".repeat(1 << 20)), None);
    }

    #[test]
    fn tokens_stay_what_they_are() {
        let token = sessions().issue(WorkerNo(1), 2);
        // From another implementation of HMAC-SHA-256.
        assert_eq!(token, "wk_AAAAAQAAAALi_tCYEcsTaVMuAeAmKOMT");
    }
}
