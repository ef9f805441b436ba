//! Asking again for what may succeed a moment later.

use std::future::Future;
use std::time::Duration;

use super::ObjectError;

/// How often a request is tried.
const ATTEMPTS: u32 = 4;

/// The wait before the second attempt; it doubles from then on.
const FIRST_WAIT: Duration = Duration::from_millis(50);

/// Tries until it succeeds, fails for good, or was tried often enough. Requests that wait are told
/// apart by `spread`, so that they do not all come back at once.
pub(super) async fn insistently<T, F>(
    spread: &str,
    mut attempt: impl FnMut(u32) -> F,
) -> Result<T, ObjectError>
where
    F: Future<Output = Result<T, ObjectError>>,
{
    let mut tried = 0;
    loop {
        match attempt(tried).await {
            Err(error) if error.is_passing() && tried + 1 < ATTEMPTS => {
                tokio::time::sleep(wait(spread, tried)).await;
                tried += 1;
            }
            outcome => return outcome,
        }
    }
}

/// Between one and two times the wait of this attempt.
fn wait(spread: &str, tried: u32) -> Duration {
    let hash = xxhash_rust::xxh3::xxh3_64_with_seed(spread.as_bytes(), tried.into());
    let whole = FIRST_WAIT * (1 << tried);
    let part = u32::try_from(hash % 64).unwrap_or(0);
    whole + whole * part / 64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timeout() -> ObjectError {
        let place = "s3://x".into();
        ObjectError::Timeout { place }
    }

    #[tokio::test]
    async fn what_passes_is_tried_again_and_what_does_not_is_not() {
        let outcome = insistently("k", |tried| async move {
            if tried < 2 { Err(timeout()) } else { Ok(tried) }
        });
        assert_eq!(outcome.await, Ok(2));
        let mut tries = 0;
        let refused = insistently("k", |_| {
            tries += 1;
            async { Err::<(), _>(ObjectError::NoAccess) }
        });
        assert_eq!(refused.await, Err(ObjectError::NoAccess));
        assert_eq!(tries, 1);
        let mut tries = 0;
        let given_up = insistently("k", |_| {
            tries += 1;
            async { Err::<(), _>(timeout()) }
        });
        assert_eq!(given_up.await, Err(timeout()));
        assert_eq!(tries, ATTEMPTS);
    }

    #[test]
    fn waits_grow_and_differ() {
        assert!(wait("a", 0) < wait("a", 2));
        assert_ne!(wait("a", 0), wait("b", 0));
        assert!(wait("a", 3) <= FIRST_WAIT * 16);
    }
}
