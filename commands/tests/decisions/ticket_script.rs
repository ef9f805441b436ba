//! Commands and answers about tickets as text.

use purser_commands::Command;
use purser_commands::answer::TicketsAnswer;
use purser_commands::ticket::chain::{ObserveChain, ObserveSender};
use purser_commands::ticket::pay::{
    BatchRule, Binding, IssuedSet, Origin, PaidTicket, PayTickets, Recipient, SignatureFact,
};
use purser_commands::ticket::winner::ReportWinner;
use purser_events::ticket::{SenderFunds, TicketParams, TicketSignature, WinnerReport};
use purser_events::{Address, Amount, U256, WinnerNo, Word};

use crate::script::{Line, label, number};

/// A command from its line; `None` for a verb of another subject.
pub(crate) fn command(line: &Line<'_>) -> Option<Command> {
    Some(match line.verb {
        "tickets" => Command::PayTickets(Box::new(tickets(line))),
        "chain" => Command::ObserveChain(Box::new(ObserveChain {
            l1_block: number(line.plain[0]),
            round: line.number("round").unwrap_or(7),
            round_hash: Word([7; 32]),
            gas_price: Amount(line.number("gas").unwrap_or(0).into()),
            recipient_active: line.get("active") != Some("no"),
        })),
        "sender" => Command::ObserveSender(Box::new(ObserveSender {
            payer: label(line.plain[0]),
            funds: SenderFunds {
                reserve: Amount(line.number("reserve").unwrap_or(0).into()),
                unlock_round: line.number("unlock").unwrap_or(0),
                ..SenderFunds::default()
            },
        })),
        "secret" => {
            let id = u16::try_from(number(line.plain[0])).expect("a small number");
            Command::AddTicketSecret(id)
        }
        "winner" => Command::ReportWinner(Box::new(ReportWinner {
            winner: WinnerNo(number(line.plain[0])),
            report: report(line),
        })),
        _ => return None,
    })
}

fn report(line: &Line<'_>) -> WinnerReport {
    let hash = Word([line.small("tx").unwrap_or(1) as u8; 32]);
    match line.plain[1] {
        "submitted" => WinnerReport::Submitted(hash),
        "redeemed" => WinnerReport::Redeemed(hash),
        reason => WinnerReport::Failed(label(reason)),
    }
}

/// Numbers as `1-3,7`.
fn nonces(text: &str) -> Vec<u32> {
    let mut all = Vec::new();
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let end = |text| u32::try_from(number(text)).expect("a nonce");
        all.extend(end(first)..=end(last));
    }
    all
}

/// A batch: `tickets payer/job 1-3 set=1 bad=2 won=3`, and what is out of the ordinary.
fn tickets(line: &Line<'_>) -> PayTickets {
    let (payer, job) = line.plain[0].split_once('/').expect("payer/job");
    let listed = |name| nonces(line.get(name).unwrap_or(""));
    let (bad, won) = (listed("bad"), listed("won"));
    let tickets = nonces(line.plain[1]).into_iter().map(|nonce| PaidTicket {
        nonce,
        signature: TicketSignature {
            r: Word([nonce as u8; 32]),
            s: Word::ZERO,
            v: 27,
        },
        fact: match (bad.contains(&nonce), won.contains(&nonce)) {
            (true, _) => SignatureFact::Bad,
            (_, true) => SignatureFact::Won,
            _ => SignatureFact::Lost,
        },
    });
    PayTickets {
        payer: label(payer),
        job: label(job),
        capability: None,
        payer_ref: line.get("ref").map(label),
        set: set(line),
        tickets: tickets.collect(),
        l1_block: line.number("block"),
        redeem_gas: 10,
        rule: match line.get("rule") {
            Some("sticky") => BatchRule::EndAtFirstFailure,
            _ => BatchRule::EachByItself,
        },
        digest: digest(line),
    }
}

/// The same for the same line, but for what stands beside the signed tickets.
fn digest(line: &Line<'_>) -> [u8; 16] {
    let mut digest = [0_u8; 16];
    let signed = line.plain.iter().copied();
    let beside = ["set", "bad", "won"]
        .into_iter()
        .filter_map(|name| line.get(name));
    for (at, byte) in signed.chain(beside).flat_map(str::bytes).enumerate() {
        digest[at % 16] = digest[at % 16].wrapping_mul(31).wrapping_add(byte);
        digest[15 - at % 8] ^= byte.rotate_left(at as u32);
    }
    digest
}

fn set(line: &Line<'_>) -> IssuedSet {
    let mut mark = [1; 32];
    mark[..4].copy_from_slice(&line.small("set").unwrap_or(1).to_be_bytes());
    let win_prob = match line.get("prob") {
        Some("third") => U256::MAX.divided_by(3).0,
        _ => U256::MAX,
    };
    let params = TicketParams {
        sender: Address([u8::from(line.get("sender") != Some("zero")); 20]),
        recipient: Address([9; 20]),
        face_value: match line.get("face") {
            Some("max") => Amount::MAX,
            face => Amount(face.map_or(10, number).into()),
        },
        win_prob,
        rand_hash: Word(mark),
        seed: Word(mark),
        secret: 1,
        expiration_block: line.number("expires").unwrap_or(140),
        round: 7,
        round_hash: Word([7; 32]),
        price_numerator: line.number("price").unwrap_or(1),
        price_denominator: 1,
    };
    IssuedSet {
        params,
        origin: match line.get("origin") {
            Some("altered") => Origin::Altered,
            Some("unknown") => Origin::Unknown,
            _ => Origin::Ours,
        },
        recipient: match line.get("recipient") {
            Some("foreign") => Recipient::Foreign,
            _ => Recipient::Ours,
        },
        binding: match line.get("quoted") {
            Some("other") => Binding::OtherJob,
            Some("this") => Binding::ThisJob,
            _ => Binding::Free,
        },
    }
}

/// An answer in few words.
pub(crate) fn show(answer: &TicketsAnswer) -> String {
    let runs = answer.verdicts.iter().map(|run| {
        let verdict = run.verdict.as_str();
        match run.count {
            1 => format!("{} {verdict}", run.nonce),
            count => format!("{}-{} {verdict}", run.nonce, run.nonce + count - 1),
        }
    });
    let runs: Vec<_> = runs.collect();
    let runs = runs.join(", ");
    if answer.refused {
        return format!("refused [{runs}]");
    }
    let TicketsAnswer {
        credited,
        settled,
        balance,
        winners,
        ..
    } = answer;
    format!("credited {credited} settled {settled} to {balance} won {winners} [{runs}]")
}
