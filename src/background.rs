//! Threads whose work can wait: sealing, snapshots, analytics.

use std::io;
use std::thread::{Builder, JoinHandle};

/// How much less urgent they are than the threads that answer, as `nice` counts.
#[cfg(target_os = "linux")]
const STEP_BACK: i32 = 10;

/// Starts a thread that steps back wherever a thread that answers wants the processor: on few
/// cores a long sort or compression would hold up commits for tens of milliseconds. It must hold
/// no lock for long that a commit or a reader waits for.
///
/// # Errors
/// When the thread cannot be started.
pub(crate) fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    Builder::new().name(name.to_owned()).spawn(move || {
        step_back();
        work()
    })
}

/// On Linux a thread has a priority of its own. Where that may not be changed, it is as urgent as
/// the others, and nothing is wrong.
#[cfg(target_os = "linux")]
fn step_back() {
    let _ = rustix::process::nice(STEP_BACK);
}

#[cfg(not(target_os = "linux"))]
const fn step_back() {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::process::getpriority_process;

    #[test]
    fn it_steps_back_alone() {
        let own = || getpriority_process(None).expect("a thread has a priority");
        let (before, (tell, told)) = (own(), std::sync::mpsc::channel());
        let thread = super::spawn("background", move || {
            tell.send(own()).expect("the test listens");
        });
        thread.expect("it starts").join().expect("it ends");
        assert_eq!(told.recv(), Ok((before + super::STEP_BACK).min(19)));
        assert_eq!(own(), before, "who started it is as urgent as before");
    }
}
