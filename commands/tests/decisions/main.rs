//! What is decided: given a history, when a command comes, then these events or this rejection.

mod grants;
mod grants_properties;
mod grants_races;
mod grants_script;
mod instruction;
mod matching;
mod paid;
mod paid_properties;
mod paid_script;
mod payout;
mod policy;
mod properties;
mod script;
mod ticket;
mod ticket_script;
mod worker;

use purser_commands::Rejection;
use script::Row;

/// Workers and policy know every rejection there is; another subject adds its own rows.
#[test]
fn every_rejection_has_a_row() {
    let rows: Vec<&Row> = worker::ROWS
        .iter()
        .chain(policy::ROWS)
        .chain(payout::ROWS)
        .chain(paid::ROWS)
        .chain(matching::ROWS)
        .chain(instruction::ROWS)
        .chain(grants::ROWS)
        .chain(ticket::ROWS)
        .collect();
    for rejection in Rejection::ALL {
        let shown = rows.iter().any(|row| row.then == rejection.code());
        assert!(shown, "no row shows {}", rejection.code());
    }
}

#[test]
fn rejections_are_listed_in_the_order_of_the_checks() {
    let mut sorted = Rejection::ALL.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(sorted, Rejection::ALL);
}
