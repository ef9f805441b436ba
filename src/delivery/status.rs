//! What the intake from a bucket is at, for its operator.

use serde::Serialize;

use super::gaps::Gap;

/// What the intake from a bucket is at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct IntakeStatus {
    /// The bucket, such as `s3://pool-events`.
    pub bucket: String,
    /// Where files are copied before they are taken in; null when they are not.
    pub archive: Option<String>,
    /// Files of the bucket, as last listed.
    pub listed: u64,
    /// Files that were taken in since the start.
    pub taken: u64,
    /// Of these, files that had been taken in before.
    pub repeated: u64,
    /// Of these, files that were set aside with a reason.
    pub quarantined: u64,
    /// Files of the last pass that could not be had; the next one tries them again.
    pub lost: u64,
    /// The key that was taken in last.
    pub last_key: Option<String>,
    /// Times in which live partitions delivered nothing.
    pub gaps: Vec<Gap>,
}
