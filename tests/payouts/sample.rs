//! The sample pool, unpacked.

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;

/// A delivered file.
#[derive(Deserialize)]
pub(crate) struct Delivered {
    tree: String,
    pub(crate) key: String,
    text: Option<String>,
    hex: Option<String>,
}

fn data(name: &str) -> Vec<u8> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let path = root.join("tests/data/openpool").join(name);
    std::fs::read(path).expect("the sample pool is in the repository")
}

/// Everything that was delivered to the bucket, redeliveries included.
pub(crate) fn delivered() -> Vec<Delivered> {
    let lines = zstd::decode_all(data("pool.jsonl.zst").as_slice()).expect("it is compressed");
    let lines = String::from_utf8(lines).expect("it is text");
    let all = lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("a delivery"));
    all.filter(|one: &Delivered| one.tree != "repair").collect()
}

impl Delivered {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let unhex = |hex: &String| {
            let pairs = (0..hex.len()).step_by(2);
            let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).expect("digits");
            pairs.map(byte).collect()
        };
        match (&self.text, &self.hex) {
            (Some(text), _) => text.clone().into_bytes(),
            (None, hex) => unhex(hex.as_ref().expect("a delivery has its bytes")),
        }
    }
}

/// What the pool adds up to.
pub(crate) fn expected() -> Value {
    let all: Value = serde_json::from_slice(&data("expected.json")).expect("it is JSON");
    all["base"].clone()
}
