//! Commands and answers about payers' jobs as text.

use purser_commands::jobs::JobCommand;
use purser_commands::jobs::answer::JobAnswer;
use purser_commands::jobs::command::{
    AdmitJob, AdmitRule, ChooseFunds, CloseJob, CreditJob, DebitJob, DeclareCapability, Deposit,
    JobName, OpenJob, Payment, SettleDebt, SlotOf, StopRule, TransferFunds,
};
use purser_events::paid::{Decision, Used};
use purser_events::{Amount, JobNo, Price};

use crate::script::{Line, label, number};

/// A command from its line. A job is written `payer/id`.
pub(crate) fn command(line: &Line<'_>) -> JobCommand {
    match line.verb {
        "open" => JobCommand::Open(open(line)),
        "credit" => JobCommand::Credit(CreditJob {
            job: job(line.plain[0]),
            asset: line.get("asset").map(label),
            payment: payment(line),
        }),
        "deposit" => JobCommand::Deposit(Deposit {
            payer: label(line.plain[0]),
            asset: label(line.get("asset").unwrap_or("ETH")),
            payment: payment(line),
        }),
        "transfer" => JobCommand::Transfer(TransferFunds {
            job: job(line.plain[0]),
            asset: line.get("asset").map(label),
            amount: amount(line.plain[1]),
            transfer: line.get("id").map(label),
        }),
        "settle" => JobCommand::Settle(SettleDebt {
            payer: label(line.plain[0]),
            asset: label(line.get("asset").unwrap_or("ETH")),
        }),
        "choose" => JobCommand::Choose(ChooseFunds {
            payer: label(line.plain[0]),
            at_open: line.plain[1] == "yes",
        }),
        "admit" => JobCommand::Admit(AdmitJob {
            job: job(line.plain[0]),
            units: number(line.plain[1]),
            rule: match line.get("rule") {
                Some("all") => AdmitRule::AllAskedFor,
                _ => AdmitRule::UpToTimeout,
            },
        }),
        "debit" => JobCommand::Debit(debit(line)),
        "close" => JobCommand::Close(CloseJob {
            job: job(line.plain[0]),
            reason: line.get("reason").map(label),
        }),
        "idle" => JobCommand::CloseIdle(JobNo(number(line.plain[0]))),
        "find" => JobCommand::Find(job(line.plain[0])),
        "capability" => JobCommand::DeclareCapability(DeclareCapability {
            name: label(line.plain[0]),
            slots: u32::try_from(number(line.plain[1])).expect("a count"),
        }),
        "remove" => JobCommand::RemoveCapability(label(line.plain[0])),
        "reserve" => JobCommand::ReserveSlot(slot(line)),
        "free" => JobCommand::FreeSlot(slot(line)),
        verb => panic!("no such verb: {verb}"),
    }
}

fn open(line: &Line<'_>) -> OpenJob {
    OpenJob {
        job: job(line.plain[0]),
        asset: label(line.get("asset").unwrap_or("ETH")),
        price: line.get("price").map(price),
        timeout_sec: line.small("timeout"),
        capability: line.get("capability").map(label),
        payer_ref: line.get("ref").map(label),
        worker: line.get("worker").map(label),
        request: line.get("request").map(label),
    }
}

fn price(text: &str) -> Price {
    let (numerator, denominator) = text.split_once('/').unwrap_or((text, "1"));
    let denominator = u32::try_from(number(denominator)).expect("a denominator");
    Price::new(amount(numerator), denominator).expect("a price")
}

fn payment(line: &Line<'_>) -> Payment {
    Payment {
        amount: amount(line.plain[1]),
        rail: label(line.get("rail").unwrap_or("cash")),
        id: label(line.get("id").expect("a payment has an id")),
    }
}

fn debit(line: &Line<'_>) -> DebitJob {
    DebitJob {
        job: job(line.plain[0]),
        seq: number(line.plain[1]),
        used: match line.get("amount") {
            Some(text) => Used::Amount(amount(text)),
            None => Used::Units(line.number("units").expect("units or an amount")),
        },
        worker: line.get("worker").map(label),
        rule: match line.get("rule") {
            Some("second") => StopRule::SecondBelowZero,
            _ => StopRule::FoundBelowZero,
        },
    }
}

fn slot(line: &Line<'_>) -> SlotOf {
    let (payer, id) = match line.plain[1].split_once('/') {
        Some((payer, id)) => (Some(label(payer)), id),
        None => (None, line.plain[1]),
    };
    SlotOf {
        capability: label(line.plain[0]),
        job_id: label(id),
        payer,
    }
}

fn job(text: &str) -> JobName {
    let (payer, id) = text.split_once('/').expect("a job is written payer/id");
    JobName {
        payer: label(payer),
        id: label(id),
    }
}

/// Digits, or `max` for the greatest amount.
fn amount(text: &str) -> Amount {
    match text {
        "max" => Amount::MAX,
        digits => Amount(digits.parse().expect("an amount")),
    }
}

/// An answer in few words.
pub(crate) fn show(answer: &JobAnswer) -> String {
    let again = |repeated: bool| if repeated { " again" } else { "" };
    match answer {
        JobAnswer::Opened(one) => {
            let closed = if one.closed { " closed" } else { "" };
            format!("opened{closed}{} {}", again(!one.created), one.balance)
        }
        JobAnswer::Credited(one) => format!(
            "credited{} {} settled {}",
            again(one.repeated),
            one.balance,
            one.settled
        ),
        JobAnswer::Admitted(one) => {
            format!("admitted {} for {} of {}", one.units, one.held, one.balance)
        }
        JobAnswer::Debited(one) => {
            let decision = match one.decision {
                Decision::Run => "run",
                Decision::Grace => "grace",
                Decision::Stop => "stop",
            };
            format!(
                "debited{} {} to {} at {} {decision}",
                again(one.repeated),
                one.charged,
                one.balance,
                one.total_units
            )
        }
        JobAnswer::Closed(one) => format!(
            "closed{} settled {} swept {} debt {}",
            again(one.repeated),
            one.settled,
            one.swept,
            one.debt
        ),
        JobAnswer::Found(seen) => {
            let closed = if seen.closed.is_some() {
                "closed"
            } else {
                "open"
            };
            format!("found {closed}")
        }
    }
}
