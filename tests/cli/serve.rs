use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::run::{dir, purser, run};

/// A server on a free port, over the data directory `p`.
pub(crate) struct Serving {
    pub(crate) child: Child,
    pub(crate) url: String,
}

impl Serving {
    pub(crate) fn start(dir: &Path, args: &[&str]) -> Self {
        let mut child = purser(dir)
            .args(["serve", "--data", "p", "--bind", "127.0.0.1:0"])
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the server starts");
        let out = child.stdout.take().expect("its output is piped");
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line).expect("it greets");
        let url = line
            .trim()
            .strip_prefix("purser listens on ")
            .expect("it says where");
        let url = url.to_owned();
        Self { child, url }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).expect("a process id");
        let id = Pid::from_raw(id).expect("a process id");
        kill_process(id, signal).expect("the signal is sent");
    }

    pub(crate) fn end(mut self, signal: Signal) -> Option<i32> {
        self.signal(signal);
        self.child.wait().expect("the server ends").code()
    }

    /// The first key of a role.
    pub(crate) fn key(&self, dir: &Path, role: &str) -> String {
        let text = fs::read_to_string(dir.join("p/keys.toml")).expect("keys were made");
        let keys: toml::Table = text.parse().expect("the keys are TOML");
        keys[role][0].as_str().expect("a text").to_owned()
    }

    /// The status and the body of an answer.
    pub(crate) fn get(&self, path: &str) -> (String, String) {
        let address = self.url.strip_prefix("http://").expect("plain HTTP");
        let mut stream = TcpStream::connect(address).expect("the server listens");
        let head = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        stream
            .write_all(head.as_bytes())
            .expect("the request is sent");
        let mut answer = String::new();
        stream
            .read_to_string(&mut answer)
            .expect("the answer is read");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        let status = head.split(' ').nth(1).expect("a status");
        (status.to_owned(), body.to_owned())
    }
}

/// A test that fails leaves no server behind.
impl Drop for Serving {
    fn drop(&mut self) {
        // It has ended already where a test ended it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_server_answers_and_ends_in_order_on_either_signal() {
    let dir = dir();
    for signal in [Signal::TERM, Signal::INT] {
        let server = Serving::start(dir.path(), &[]);
        assert_eq!(server.get("/v1/health").0, "200");
        let address = fs::read_to_string(dir.path().join("p/ADDRESS")).expect("it is noted");
        assert_eq!(address.trim(), server.url);
        assert_eq!(server.end(signal), Some(0));
        assert!(!dir.path().join("p/ADDRESS").exists());
    }
    let snapshots = fs::read_dir(dir.path().join("p/snapshots")).expect("a snapshot was taken");
    assert!(snapshots.count() > 0);
}

#[test]
fn the_first_start_makes_keys_that_nobody_else_can_read() {
    let dir = dir();
    let server = Serving::start(dir.path(), &[]);
    let keys = fs::metadata(dir.path().join("p/keys.toml")).expect("keys were made");
    assert_eq!(keys.permissions().mode() & 0o777, 0o600);
    assert_eq!(server.end(Signal::TERM), Some(0));
}

#[test]
fn a_held_directory_and_a_taken_port_are_told() {
    let dir = dir();
    let server = Serving::start(dir.path(), &[]);
    let held = run(dir.path(), &["rebuild", "--data", "p"]);
    assert_eq!(held.code, 3);
    assert!(
        held.err.contains(&format!("--url {}", server.url)),
        "{}",
        held.err
    );
    let second = run(
        dir.path(),
        &["serve", "--data", "p", "--bind", "127.0.0.1:0"],
    );
    assert_eq!(second.code, 3);
    assert!(
        second.err.contains("held by a running server"),
        "{}",
        second.err
    );
    let address = server.url.strip_prefix("http://").expect("plain HTTP");
    let taken = run(dir.path(), &["serve", "--data", "q", "--bind", address]);
    assert_eq!(taken.code, 3);
    assert!(taken.err.contains("cannot listen on"), "{}", taken.err);
    assert!(
        !dir.path().join("q").exists(),
        "nothing is made before the port is taken"
    );
    assert_eq!(server.end(Signal::TERM), Some(0));
}

#[test]
fn a_directory_keeps_its_clock() {
    let dir = dir();
    let server = Serving::start(dir.path(), &["--test-clock"]);
    assert_eq!(server.end(Signal::TERM), Some(0));
    let refused = run(
        dir.path(),
        &["serve", "--data", "p", "--bind", "127.0.0.1:0"],
    );
    assert_eq!(refused.code, 3);
    assert!(refused.err.contains("--test-clock"), "{}", refused.err);
}
