//! The vectors of go-livepeer's payment accounting.

mod pay;
mod price;
mod request;
mod session;
mod ticket;
mod token;

use serde_json::Value;

use super::value::{Mismatch, Node};
use super::{Report, Suite};

/// The suite.
pub(super) const SUITE: Suite = Suite {
    name: "livepeer",
    recognises: |file| file["vectors"].is_array(),
    play,
};

/// How many vectors of the reference file are played at least.
#[cfg(test)]
pub(super) const PLAYED_MIN: u64 = 75;

/// Plays the `input` of one vector and compares with its `expected`.
type Check = fn(&Node<'_>, &Node<'_>) -> Result<(), Mismatch>;

/// Every category, with how it is played. A category without a check is
/// skipped: those of the paying side are none of the ledger's.
const CATEGORIES: &[(&str, Option<Check>)] = &[
    ("ticket_aux_data", Some(ticket::hash)),
    ("ticket_hash", Some(ticket::hash)),
    ("eip191_signature", Some(request::signature)),
    ("recipient_rand", Some(ticket::rand)),
    ("win_condition", Some(ticket::win)),
    ("ticket_ev", Some(ticket::expected_value)),
    ("ticket_params", Some(ticket::params)),
    ("token_balance_field", Some(token::balance)),
    ("request_signature", Some(request::text)),
    ("byoc_job_v1_signature", Some(request::job_v1)),
    ("payment_header", Some(ticket::payment)),
    ("balance_stage_update", None),
    ("balance_complete_update", None),
    ("balance_sequence", None),
    ("balance_header_text", None),
    ("gateway_balance_reconcile", None),
    ("ticket_count_for_cost", None),
    ("sender_validate_params", None),
    ("sender_max_float", Some(ticket::float)),
    ("price_to_int64", Some(price::to_whole)),
    ("price_to_fixed", Some(price::to_fixed)),
    ("job_price", Some(price::of_job)),
    ("debit_fees", Some(price::debit)),
    ("byoc_admission", Some(session::admission)),
    ("process_payment", Some(pay::payments)),
    ("job_token_json", Some(token::token)),
    ("stream_debit_schedule", Some(session::stream)),
    ("live_session_units", Some(session::units)),
    ("live_session_account", Some(session::account)),
];

fn play(file: &Value, report: &mut Report) {
    for vector in file["vectors"].as_array().into_iter().flatten() {
        let node = Node::root(vector);
        let id = vector["id"].as_str().unwrap_or("a vector without an id");
        let category = vector["category"].as_str().unwrap_or_default();
        match CATEGORIES.iter().find(|(name, _)| *name == category) {
            Some((_, Some(check))) => {
                report.note(id, check(&node.get("input"), &node.get("expected")));
            }
            Some((_, None)) => report.skip(),
            None => report.note(id, Err(Mismatch::new("category", "no such category"))),
        }
    }
}
