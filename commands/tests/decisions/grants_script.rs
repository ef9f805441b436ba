//! Commands and answers about grants as text.

use purser_commands::grants::GrantCommand;
use purser_commands::grants::answer::{GrantAnswer, Granted};
use purser_commands::grants::command::{
    ConfirmGrant, DecideGrant, OpenPool, PaidBy, RefundCharge, ReleaseGrant, SetTier, SettleGrant,
    TopUpPool,
};
use purser_events::grant::{GrantRule, PayMode, Tier};
use purser_events::{Amount, BasisPoints, Event, EventKind, GrantNo};

use crate::script::{Line, label, number};

/// A command from its line; `None` when the verb is another subject's. Nobody is written `-`.
pub(crate) fn command(line: &Line<'_>) -> Option<GrantCommand> {
    Some(match line.verb {
        "decide" => GrantCommand::Decide(DecideGrant {
            request: label(line.plain[0]),
            identity: Some(line.plain[1]).filter(|who| *who != "-").map(label),
            est: amount(line.plain[2]),
            mode: match line.plain.get(3) {
                Some(_) => PayMode::Prepaid,
                None => PayMode::Invoice,
            },
        }),
        "receive" => GrantCommand::Confirm(ConfirmGrant {
            request: label(line.plain[0]),
            paid: paid(line),
        }),
        "done" => GrantCommand::Settle(SettleGrant {
            request: label(line.plain[0]),
            actual: amount(line.plain[1]),
            worker: line.get("worker").map(label),
        }),
        "release" => GrantCommand::Release(ReleaseGrant {
            request: label(line.plain[0]),
            fault: line.get("fault").is_some(),
        }),
        "expire" if line.plain.len() == 1 => GrantCommand::Expire(GrantNo(number(line.plain[0]))),
        "refund" => GrantCommand::RefundCharge(RefundCharge {
            request: label(line.plain[0]),
            amount: amount(line.plain[1]),
            refund: label(line.get("id").expect("a refund has an id")),
        }),
        "request" => GrantCommand::Find(label(line.plain[0])),
        "pool" => GrantCommand::OpenPool(OpenPool {
            name: label(line.plain[0]),
            asset: label(line.get("asset").unwrap_or("ETH")),
            seed: amount(line.plain[1]),
            rail: label("seed"),
        }),
        "order" => GrantCommand::OrderPools(line.plain.iter().map(|name| label(name)).collect()),
        "topup" => GrantCommand::TopUp(TopUpPool {
            pool: line.get("pool").map(label),
            paid: paid(line),
        }),
        "tier" => GrantCommand::SetTier(SetTier {
            identity: label(line.plain[0]),
            tier: Tier::parse(line.plain[1]),
        }),
        _ => return None,
    })
}

fn paid(line: &Line<'_>) -> PaidBy {
    PaidBy {
        amount: amount(line.plain[1]),
        rail: label(line.get("rail").unwrap_or("invoice")),
        payment: label(line.get("id").expect("a payment has an id")),
    }
}

fn amount(text: &str) -> Amount {
    Amount(text.parse().expect("an amount"))
}

/// I10: a repetition adds nothing, a payment that is refused only itself and its refund, a late
/// result only its cost. A name that is new on the way has its own event before.
pub(crate) fn assert_adds_no_more(answer: &GrantAnswer, events: &[Event]) {
    if answer.repeated {
        assert_eq!(events, [], "I10: a repetition adds nothing");
    }
    let only = match answer.what {
        _ if answer.repeated => return,
        Granted::Refused { .. } => EventKind::PaymentRefunded,
        Granted::Late { .. } => EventKind::GrantOverran,
        _ => return,
    };
    let named = [EventKind::RailNamed, EventKind::WorkerNamed];
    let kinds = events.iter().map(Event::kind);
    let kinds: Vec<EventKind> = kinds.filter(|kind| !named.contains(kind)).collect();
    assert_eq!(kinds, [only], "I10");
}

/// An answer as text.
pub(crate) fn show(answer: &GrantAnswer) -> String {
    let text = match answer.what {
        Granted::Decided(one) => {
            let reason = one.reason.map_or("", |reason| reason.as_str());
            let (serve, state) = (one.serve.as_str(), one.state.as_str());
            format!("{serve} {}/{} {state} {reason}", one.absorb, one.charge)
        }
        Granted::Confirmed { held, state } => format!("held {held} {}", state.as_str()),
        Granted::Refused { reason, refunded } => format!("{} back {refunded}", reason.as_str()),
        Granted::Settled(one) => format!(
            "absorbed {} charged {} back {} overrun {} credit {}",
            one.absorbed, one.charged, one.refunded, one.overrun, one.credit
        ),
        Granted::Released { returned, refunded } => format!("returned {returned} back {refunded}"),
        Granted::Late { overrun } => format!("late {overrun}"),
        Granted::PaidBack { amount } => format!("paid back {amount}"),
        Granted::Found(trail) => format!("request {}", trail.number),
    };
    let text = text.trim_end();
    if answer.repeated {
        format!("{text} again")
    } else {
        text.to_owned()
    }
}

/// A rule of the grants, by its name.
pub(crate) fn rule(name: &str, value: u64) -> GrantRule {
    let small = || u32::try_from(value).expect("a number below 2^32");
    let share = || BasisPoints::new(u16::try_from(value).expect("a rate")).expect("a rate");
    let tiered = |prefix| Tier::parse(name.strip_prefix(prefix)?);
    if let Some(tier) = tiered("grant_budget_") {
        return GrantRule::Budget(tier, Amount(value.into()));
    }
    if let Some(tier) = tiered("grant_score_") {
        return GrantRule::Score(tier, small());
    }
    if let Some(tier) = tiered("grant_paid_") {
        return GrantRule::Paid(tier, Amount(value.into()));
    }
    match name {
        "grant_paid_share" => GrantRule::PaidShare(share()),
        "grant_credit" => GrantRule::CreditShare(share()),
        "grant_quote_ttl" => GrantRule::QuoteTtlMs(small()),
        "grant_hold_ttl" => GrantRule::HoldTtlMs(small()),
        other => panic!("no such rule: {other}"),
    }
}
