//! Setting the pool's rules.

use crate::script::{Row, check, row};

/// Per command: the rejections in the order of the checks, then what is granted.
pub(crate) const ROWS: &[Row] = &[
    row(
        "another value than expected is refused",
        "policy commission 2500",
        "policy commission 3000 expected=2000",
        "policy_differs",
    ),
    row(
        "what is expected is checked before the range",
        "",
        "policy grace 1 expected=1",
        "policy_differs",
    ),
    row(
        "a time below a second is refused",
        "",
        "policy grace 999",
        "policy_out_of_range",
    ),
    row(
        "a time above a day is refused",
        "",
        "policy lease_ttl 86400001 expected=60000",
        "policy_out_of_range",
    ),
    row(
        "an interval of nothing is refused",
        "",
        "policy interval 0",
        "policy_out_of_range",
    ),
    row(
        "a second is within the range",
        "",
        "policy interval 1000",
        "done: policy_changed",
    ),
    row(
        "a day is within the range",
        "",
        "policy lease_ttl 86400000",
        "done: policy_changed",
    ),
    row(
        "the expected value may be the default",
        "",
        "policy grace 5000 expected=120000",
        "done: policy_changed",
    ),
    row(
        "the expected value is the latest",
        "policy commission 2500; policy commission 3000",
        "policy commission 2500 expected=3000",
        "done: policy_changed",
    ),
    row(
        "the value in force again is no event",
        "policy threshold 5",
        "policy threshold 5 expected=5",
        "unchanged:",
    ),
    row(
        "a default time set to itself is no event",
        "",
        "policy grace 120000",
        "unchanged:",
    ),
    row(
        "the first commission is an event even where it is the default",
        "",
        "policy commission 0",
        "done: policy_changed",
    ),
    row(
        "a commission of nothing set twice is one event",
        "policy commission 0",
        "policy commission 0",
        "unchanged:",
    ),
    row(
        "the whole may be the commission",
        "",
        "policy commission 10000",
        "done: policy_changed",
    ),
    row(
        "a partition is declared",
        "",
        "partition ai us-central",
        "done: partition_declared",
    ),
    row(
        "the same region of another node type is another partition",
        "partition ai us-central",
        "partition transcode us-central",
        "done: partition_declared",
    ),
    row(
        "a partition is declared once",
        "partition transcode eu; partition ai us-central",
        "partition ai us-central",
        "unchanged:",
    ),
    row(
        "another exponent of a declared asset is refused",
        "asset ETH 18",
        "asset ETH 6",
        "asset_differs",
    ),
    row(
        "an asset is declared",
        "",
        "asset ETH 18",
        "done: asset_declared",
    ),
    row(
        "an asset is declared once",
        "asset BTC 8; asset ETH 18",
        "asset ETH 18",
        "unchanged:",
    ),
];

#[test]
fn rules_are_decided_as_the_table_says() {
    ROWS.iter().for_each(check);
}
