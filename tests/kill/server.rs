//! The program as a child process.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use rustix::process::{Pid, Signal, kill_process};

use crate::gateway::RECIPIENT;

/// A server on a free port.
pub(crate) struct Server {
    child: Child,
    url: String,
    coordinator: String,
    auditor: String,
    operator: String,
}

/// A way to reach it.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    pub(crate) url: String,
    pub(crate) coordinator: reqwest::Client,
    pub(crate) auditor: reqwest::Client,
    pub(crate) operator: reqwest::Client,
}

/// The program, to be run in an empty environment.
pub(crate) fn purser() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_purser"));
    command.env_clear();
    command
}

impl Server {
    /// Starts it on a data directory and waits until it listens.
    pub(crate) fn start(data: &Path) -> Self {
        let mut child = purser()
            .args(["serve", "--bind", "127.0.0.1:0", "--data"])
            .arg(data)
            .env("PURSER_LIVEPEER_RECIPIENT", RECIPIENT)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let out = child.stdout.take().expect("its output is piped");
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line).expect("it greets");
        let url = line.trim().strip_prefix("purser listens on ");
        let url = url.expect("it says where").to_owned();
        let keys = std::fs::read_to_string(data.join("keys.toml")).expect("it made keys");
        let keys: toml::Table = keys.parse().expect("the keys are TOML");
        let key = |role: &str| keys[role][0].as_str().expect("a key is text").to_owned();
        Self {
            child,
            url,
            coordinator: key("coordinator"),
            auditor: key("auditor"),
            operator: key("operator"),
        }
    }

    /// A new client of it.
    pub(crate) fn http(&self) -> Http {
        Http {
            url: self.url.clone(),
            coordinator: client(&self.coordinator),
            auditor: client(&self.auditor),
            operator: client(&self.operator),
        }
    }

    /// Ends it at once: no destructor, no flush.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("the signal is sent");
        self.child.wait().expect("the server is gone");
    }

    /// Asks it to end; answers its exit code.
    pub(crate) fn end_in_order(mut self) -> Option<i32> {
        let id = i32::try_from(self.child.id()).expect("a process id");
        let id = Pid::from_raw(id).expect("a process id");
        kill_process(id, Signal::TERM).expect("the signal is sent");
        self.child.wait().expect("the server ends").code()
    }
}

/// A test that fails leaves no server behind.
impl Drop for Server {
    fn drop(&mut self) {
        // It has ended already where a test ended it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn client(key: &str) -> reqwest::Client {
    purser::tls::use_ring();
    let mut value = HeaderValue::from_str(&format!("Bearer {key}")).expect("a key is plain");
    value.set_sensitive(true);
    let headers = HeaderMap::from_iter([(AUTHORIZATION, value)]);
    let client = reqwest::Client::builder().default_headers(headers);
    client.build().expect("a client")
}
