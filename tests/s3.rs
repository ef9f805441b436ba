//! Buckets: the real program and its parts against a real S3 server over HTTP, with faults
//! between the two.

#[path = "s3/archive.rs"]
mod archive;
#[path = "s3/dashboards.rs"]
mod dashboards;
#[path = "s3/datasets.rs"]
mod datasets;
#[path = "s3/export.rs"]
mod export;
#[path = "s3/intake.rs"]
mod intake;
#[path = "s3/objects.rs"]
mod objects;
#[path = "s3/program.rs"]
mod program;
#[path = "s3/pruning.rs"]
mod pruning;
#[path = "intake/sample.rs"]
mod sample;
#[path = "s3/store.rs"]
mod store;
