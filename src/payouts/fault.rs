//! Places where a test may kill the process. They exist in debug builds only: a release holds
//! nothing of them.

/// The variable that names the place, and how often it is passed before: `signed`, `sent:2`.
#[cfg(debug_assertions)]
const VARIABLE: &str = "PURSER_DEBUG_KILL_AT";

/// Kills the process here, as a power cut would, if a test asked for it.
#[cfg(debug_assertions)]
pub(super) fn point(name: &str) {
    use std::sync::atomic::{AtomicU32, Ordering};
    static PASSED: AtomicU32 = AtomicU32::new(0);
    let Ok(wanted) = std::env::var(VARIABLE) else {
        return;
    };
    let (place, times) = wanted.split_once(':').unwrap_or((&wanted, "0"));
    let times: u32 = times.parse().unwrap_or_default();
    if place == name && PASSED.fetch_add(1, Ordering::Relaxed) == times {
        let own = rustix::process::getpid();
        let _ = rustix::process::kill_process(own, rustix::process::Signal::KILL);
        // The signal may take a moment; nothing more happens until then.
        loop {
            std::thread::park();
        }
    }
}

/// Nothing.
#[cfg(not(debug_assertions))]
pub(super) const fn point(_name: &str) {}
