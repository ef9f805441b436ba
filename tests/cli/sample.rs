//! The sample pool of `tests/data/openpool`, unpacked as a directory tree.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};

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
    fs::read(path).expect("the sample pool is in the repository")
}

/// Writes the trees `events`, `redelivery` and `repair`, and `delivery.json`, below `dir`.
pub(crate) fn unpack(dir: &Path) {
    let lines = zstd::decode_all(data("pool.jsonl.zst").as_slice()).expect("it is compressed");
    let lines = String::from_utf8(lines).expect("it is text");
    let mut order = Vec::new();
    for line in lines.lines() {
        let line: Line = serde_json::from_str(line).expect("a line is a delivery");
        let path = dir.join(&line.tree).join(&line.key);
        fs::create_dir_all(path.parent().expect("a key has one")).expect("made");
        let bytes = line.text.map_or_else(
            || unhex(&line.hex.expect("a delivery has its bytes")),
            String::into_bytes,
        );
        fs::write(path, bytes).expect("written");
        order.push(json!({ "tree": line.tree, "key": line.key }));
    }
    fs::write(dir.join("delivery.json"), Value::from(order).to_string()).expect("written");
}

fn unhex(hex: &str) -> Vec<u8> {
    let pairs = (0..hex.len()).step_by(2);
    let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal digits");
    pairs.map(byte).collect()
}

/// What the pool adds up to: `base` or `after_repair`.
pub(crate) fn expected(state: &str) -> Value {
    let all: Value = serde_json::from_slice(&data("expected.json")).expect("it is JSON");
    all[state].clone()
}
