//! The sample pool: a bucket as four regions would have written it, faults included, and what it
//! adds up to.
//!
//! `pool.jsonl.zst` holds one JSON object per delivered file, in the order of delivery: the `tree`
//! (`events`, `redelivery`, `repair`), the `key`, and the bytes as `text`, or as `hex` where they
//! are no UTF-8. `expected.json` holds the sums under a commission of 25 %.

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Delivered {
    pub(crate) tree: String,
    pub(crate) key: String,
    pub(crate) bytes: Vec<u8>,
}

#[derive(Deserialize)]
struct Line {
    tree: String,
    key: String,
    text: Option<String>,
    hex: Option<String>,
}

fn data(name: &str) -> Vec<u8> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let path = root.join("tests/data/openpool").join(name);
    std::fs::read(path).expect("the sample pool is in the repository")
}

/// Every delivery of the sample pool, in order.
pub(crate) fn deliveries() -> Vec<Delivered> {
    let lines = zstd::decode_all(data("pool.jsonl.zst").as_slice()).expect("it is compressed");
    let lines = String::from_utf8(lines).expect("it is text");
    lines.lines().map(delivered).collect()
}

fn delivered(line: &str) -> Delivered {
    let line: Line = serde_json::from_str(line).expect("a line is a delivery");
    let bytes = match (line.text, line.hex) {
        (Some(text), _) => text.into_bytes(),
        (None, hex) => unhex(&hex.expect("a delivery has its bytes")),
    };
    Delivered {
        tree: line.tree,
        key: line.key,
        bytes,
    }
}

fn unhex(hex: &str) -> Vec<u8> {
    let pairs = (0..hex.len()).step_by(2);
    let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal digits");
    pairs.map(byte).collect()
}

/// The deliveries of some trees, in order.
pub(crate) fn trees(names: &[&str]) -> Vec<Delivered> {
    let mut all = deliveries();
    all.retain(|one| names.contains(&one.tree.as_str()));
    all
}

/// What the pool adds up to: `base` or `after_repair`.
pub(crate) fn expected(state: &str) -> Value {
    let all: Value = serde_json::from_slice(&data("expected.json")).expect("it is JSON");
    all[state].clone()
}
