//! Tickets: what is told of the chain, what quotes and payments say, and what they are answered.

use std::borrow::Cow;

use purser_commands::Command;
use purser_commands::answer::TicketsAnswer;
use purser_commands::ticket::chain::{ObserveChain, ObserveSender};
use purser_commands::ticket::winner::ReportWinner;
use purser_events::ticket::{SenderFunds, VerdictRun, WinnerReport};
use purser_events::{Address, Amount, Label, WinnerNo, Word};
use purser_projections::tickets::Winner;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::field::{address, amount, label, optional_name, word};
use crate::hex::hex;
use crate::http::code::Code;
use crate::http::error::Problem;
use crate::http::time::rfc3339;
use crate::tickets::payer_of;
use crate::tickets::token::ParamsBody;
use crate::writer::Reply;

/// Where the chain stands.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChainBody<'a> {
    /// The same as the `Idempotency-Key` header.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    pub(crate) id: Option<Cow<'a, str>>,
    /// The newest L1 block.
    l1_block: u64,
    /// The round.
    round: u64,
    /// The hash of the round's first L1 block: `0x` and 64 hexadecimal digits.
    #[serde(borrow)]
    #[schema(value_type = String)]
    round_block_hash: Cow<'a, str>,
    /// What gas costs, in wei: a text of digits.
    #[serde(borrow)]
    #[schema(value_type = String)]
    gas_price_wei: Cow<'a, str>,
    /// Whether tickets of this round can be redeemed by their recipient; yes where it is left out.
    #[serde(default = "yes")]
    recipient_active: bool,
}

const fn yes() -> bool {
    true
}

impl ChainBody<'_> {
    /// The command.
    pub(crate) fn command(&self) -> Result<Command, Problem> {
        Ok(Command::ObserveChain(Box::new(ObserveChain {
            l1_block: self.l1_block,
            round: self.round,
            round_hash: word("round_block_hash", &self.round_block_hash)?,
            gas_price: amount("gas_price_wei", &self.gas_price_wei)?,
            recipient_active: self.recipient_active,
        })))
    }
}

/// A sender's funds on the chain: texts of digits, in wei.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FundsBody<'a> {
    /// The deposit.
    #[serde(borrow)]
    #[schema(value_type = String)]
    deposit_wei: Cow<'a, str>,
    /// What is left of the reserve.
    #[serde(borrow)]
    #[schema(value_type = String)]
    reserve_wei: Cow<'a, str>,
    /// What was claimed of the reserve in this round.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>)]
    claimed_wei: Option<Cow<'a, str>>,
    /// What our recipient claimed of it in this round.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>)]
    claimed_by_us_wei: Option<Cow<'a, str>>,
    /// Active recipients that share the reserve.
    recipients: u32,
    /// Face values that wait to be redeemed.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>)]
    pending_wei: Option<Cow<'a, str>>,
    /// The round from which on the sender may take its funds back; 0 when it does not want to.
    #[serde(default)]
    unlock_round: u64,
}

impl FundsBody<'_> {
    fn funds(&self) -> Result<SenderFunds, Problem> {
        let or_nothing = |field, text: Option<&Cow<'_, str>>| {
            text.map_or(Ok(Amount::ZERO), |text| amount(field, text))
        };
        Ok(SenderFunds {
            deposit: amount("deposit_wei", &self.deposit_wei)?,
            reserve: amount("reserve_wei", &self.reserve_wei)?,
            claimed: or_nothing("claimed_wei", self.claimed_wei.as_ref())?,
            claimed_by_us: or_nothing("claimed_by_us_wei", self.claimed_by_us_wei.as_ref())?,
            recipients: self.recipients,
            pending: or_nothing("pending_wei", self.pending_wei.as_ref())?,
            unlock_round: self.unlock_round,
        })
    }

    /// The command.
    pub(crate) fn command(&self, sender: Address) -> Result<Command, Problem> {
        Ok(Command::ObserveSender(Box::new(ObserveSender {
            payer: payer_of(sender),
            funds: self.funds()?,
        })))
    }
}

/// A sender and its funds.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SenderBody<'a> {
    /// The same as the `Idempotency-Key` header.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    pub(crate) id: Option<Cow<'a, str>>,
    /// The sender: `0x` and 40 hexadecimal digits.
    #[serde(borrow)]
    #[schema(value_type = String)]
    sender: Cow<'a, str>,
    /// Its funds.
    #[serde(borrow)]
    funds: FundsBody<'a>,
}

impl SenderBody<'_> {
    /// The command.
    pub(crate) fn command(&self) -> Result<Command, Problem> {
        self.funds.command(address("sender", &self.sender)?)
    }
}

/// A price in wei per unit.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RateBody<'a> {
    /// The numerator: a text of digits.
    #[serde(borrow)]
    #[schema(value_type = String)]
    num: Cow<'a, str>,
    /// The denominator; 1 where it is left out.
    #[serde(default = "one")]
    den: u64,
}

const fn one() -> u64 {
    1
}

/// What a quote is asked for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct QuoteBody<'a> {
    /// Who will pay: `0x` and 40 hexadecimal digits.
    #[serde(borrow)]
    #[schema(value_type = String)]
    sender: Cow<'a, str>,
    /// The price of the work.
    #[serde(borrow)]
    price: RateBody<'a>,
    /// The job that the tickets shall pay for, and no other; the first that they pay for where it
    /// is left out.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>)]
    job_id: Option<Cow<'a, str>>,
    /// Where the chain stands; as it was last told where it is left out.
    #[serde(borrow, default)]
    pub(crate) chain: Option<ChainBody<'a>>,
    /// The sender's funds; as they were last told where they are left out.
    #[serde(borrow, default)]
    pub(crate) funds: Option<FundsBody<'a>>,
}

/// A quote that is asked for, once its form is checked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) sender: Address,
    pub(crate) price: (u64, u64),
    pub(crate) job: Option<Label>,
}

impl QuoteBody<'_> {
    /// Checks the form.
    pub(crate) fn asked(&self) -> Result<Asked, Problem> {
        let numerator = amount("price.num", &self.price.num)?;
        let numerator = i64::try_from(numerator.0).ok();
        let numerator = numerator.and_then(|number| u64::try_from(number).ok());
        let too_large = || Problem::field(Code::OutOfRange, "price.num", "is above 2^63 - 1");
        let denominator = self.price.den;
        if !(1..=purser_events::Price::DENOMINATOR_MAX.into()).contains(&denominator) {
            let detail = "is from 1 to 1000000000";
            return Err(Problem::field(Code::OutOfRange, "price.den", detail));
        }
        Ok(Asked {
            sender: address("sender", &self.sender)?,
            price: (numerator.ok_or_else(too_large)?, denominator),
            job: optional_name("job_id", self.job_id.as_deref())?,
        })
    }
}

/// A quote.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QuoteAnswer {
    /// The parameters of tickets, as gateways read them.
    pub(crate) ticket_params: ParamsBody,
    /// The same as the protobuf message `net.TicketParams`, in base64.
    pub(crate) protobuf: String,
    /// What a winner pays, in wei.
    pub(crate) face_value_wei: String,
    /// What a ticket is worth, in whole wei.
    pub(crate) expected_value_wei: String,
    /// The L1 block from which on no ticket is taken.
    pub(crate) expiration_block: u64,
    /// The number of the secret that was used.
    pub(crate) secret: u16,
    /// What the quote is made of was durable at this position.
    pub(crate) position: u64,
}

/// A payment: a batch of signed tickets, and the job that they are for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PaymentBody<'a> {
    /// The same as the `Idempotency-Key` header.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    pub(crate) id: Option<Cow<'a, str>>,
    /// The protobuf message `net.Payment` in base64.
    #[serde(borrow)]
    #[schema(value_type = String)]
    pub(crate) payment: Cow<'a, str>,
    /// The job; where it is left out, the fields below name it.
    #[serde(default)]
    pub(crate) job_id: Option<String>,
    /// The id of an authenticated session: its job is `sess:` and the id.
    #[serde(default)]
    pub(crate) session_id: Option<String>,
    /// The stream that a control or top-up request names.
    #[serde(default)]
    pub(crate) stream_id: Option<String>,
    /// The id of the gateway's request.
    #[serde(default)]
    pub(crate) request_id: Option<String>,
    /// The capability that is asked for: without any of the above, the job is `cap:` and this.
    #[serde(default)]
    pub(crate) capability: Option<String>,
    /// Whether the gateway keeps a balance per job: it sent `Livepeer-Job-Id`, or signed its id.
    #[serde(default)]
    pub(crate) by_job: Option<bool>,
    /// The newest L1 block, as the node sees it.
    #[serde(default)]
    pub(crate) l1_block: Option<u64>,
    /// Whose money the payer spends, by the payer's own name.
    #[serde(default)]
    pub(crate) payer_ref: Option<String>,
}

impl PaymentBody<'_> {
    /// What it is for.
    pub(crate) fn about(self) -> PaymentAbout {
        PaymentAbout {
            job_id: self.job_id,
            session_id: self.session_id,
            stream_id: self.stream_id,
            request_id: self.request_id,
            capability: self.capability,
            by_job: self.by_job,
            l1_block: self.l1_block,
            payer_ref: self.payer_ref,
        }
    }
}

/// What a payment is for: parameters of the query beside raw bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PaymentAbout {
    /// The job; where it is left out, the fields below name it.
    #[serde(default)]
    pub(crate) job_id: Option<String>,
    /// The id of an authenticated session: its job is `sess:` and the id.
    #[serde(default)]
    pub(crate) session_id: Option<String>,
    /// The stream that a control or top-up request names.
    #[serde(default)]
    pub(crate) stream_id: Option<String>,
    /// The id of the gateway's request.
    #[serde(default)]
    pub(crate) request_id: Option<String>,
    /// The capability that is asked for: without any of the above, the job is `cap:` and this.
    #[serde(default)]
    pub(crate) capability: Option<String>,
    /// Whether the gateway keeps a balance per job: it sent `Livepeer-Job-Id`, or signed its id.
    #[serde(default)]
    pub(crate) by_job: Option<bool>,
    /// The newest L1 block, as the node sees it.
    #[serde(default)]
    pub(crate) l1_block: Option<u64>,
    /// Whose money the payer spends, by the payer's own name.
    #[serde(default)]
    pub(crate) payer_ref: Option<String>,
}

/// What became of one ticket.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TicketAnswer {
    /// Its number.
    pub(crate) nonce: u32,
    /// Why it counts, or does not; `docs/tickets.md` lists all words.
    pub(crate) verdict: &'static str,
}

/// What became of a payment.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PaymentAnswer {
    /// The job that was paid; null where the payment holds no tickets.
    pub(crate) job_id: Option<String>,
    /// Who paid.
    pub(crate) payer: Option<String>,
    /// The asset of the amounts.
    pub(crate) asset: &'static str,
    /// What the job was credited.
    pub(crate) credited: String,
    /// How much of that settled the payer's debt.
    pub(crate) settled: String,
    /// What the job's balance came to; null where the payment holds no tickets.
    pub(crate) balance: Option<String>,
    /// How many tickets won.
    pub(crate) winners: u32,
    /// What became of each ticket, in the order of the payment.
    pub(crate) tickets: Vec<TicketAnswer>,
    /// The position that made it durable.
    pub(crate) position: u64,
    /// Whether this is the first answer to an earlier delivery of the same payment.
    pub(crate) replayed: bool,
}

/// Verdicts, one per ticket.
pub(crate) fn verdicts(runs: &[VerdictRun]) -> Vec<TicketAnswer> {
    let tickets = runs.iter().flat_map(|run| {
        let verdict = run.verdict.as_str();
        let nonces = (0..run.count).map(move |at| run.nonce + at);
        nonces.map(move |nonce| TicketAnswer { nonce, verdict })
    });
    tickets.collect()
}

impl PaymentAnswer {
    /// What became of a payment that holds tickets.
    pub(crate) fn of(job: &Label, payer: &Label, tickets: &TicketsAnswer, reply: &Reply) -> Self {
        Self {
            job_id: Some(job.to_string()),
            payer: Some(payer.to_string()),
            asset: "ETH",
            credited: tickets.credited.to_string(),
            settled: tickets.settled.to_string(),
            balance: Some(tickets.balance.to_string()),
            winners: tickets.winners,
            tickets: verdicts(&tickets.verdicts),
            position: reply.position.0,
            replayed: reply.replayed,
        }
    }

    /// What becomes of a payment without tickets, as gateways send them for free work: nothing.
    pub(crate) fn nothing(position: u64) -> Self {
        Self {
            job_id: None,
            payer: None,
            asset: "ETH",
            credited: "0".into(),
            settled: "0".into(),
            balance: None,
            winners: 0,
            tickets: Vec::new(),
            position,
            replayed: false,
        }
    }
}

/// A winner that waits to be redeemed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WinnerBody {
    /// Its number: the position of the event that says that it won.
    winner: u64,
    /// `queued` or `submitted`.
    state: &'static str,
    /// Who pays.
    payer: String,
    /// The number of the job that it paid for.
    job: u64,
    /// What is signed, and what redeems it.
    ticket: WonBody,
    /// When it came in.
    won_at: String,
    /// The transaction on its way.
    tx_hash: Option<String>,
    /// When that was reported.
    submitted_at: Option<String>,
}

/// A ticket as the chain wants it. Numbers are texts of digits, bytes are `0x` and hexadecimal
/// digits.
#[derive(Debug, Serialize, ToSchema)]
struct WonBody {
    recipient: String,
    sender: String,
    face_value: String,
    win_prob: String,
    sender_nonce: u32,
    recipient_rand_hash: String,
    creation_round: u64,
    creation_round_block_hash: String,
    sig: String,
    /// What it was drawn with: digits. Null until its parameters expired, since whoever knows it
    /// can choose which tickets win.
    recipient_rand: Option<String>,
    expiration_block: u64,
}

impl WinnerBody {
    /// A winner, and what it was drawn with where that may be told.
    pub(crate) fn of(number: WinnerNo, winner: &Winner, payer: String, rand: Option<Word>) -> Self {
        let params = &winner.params;
        let hex = |bytes: &[u8]| format!("0x{}", hex(bytes));
        let rand = rand.map(|rand| purser_events::U256::from_be_bytes(rand.0).to_string());
        Self {
            winner: number.0,
            state: match winner.submitted {
                Some(_) => "submitted",
                None => "queued",
            },
            payer,
            job: winner.job.0,
            ticket: WonBody {
                recipient: params.recipient.to_string(),
                sender: params.sender.to_string(),
                face_value: params.face_value.to_string(),
                win_prob: params.win_prob.to_string(),
                sender_nonce: winner.nonce,
                recipient_rand_hash: params.rand_hash.to_string(),
                creation_round: params.round,
                creation_round_block_hash: params.round_hash.to_string(),
                sig: hex(&winner.signature.to_bytes()),
                recipient_rand: rand,
                expiration_block: params.expiration_block,
            },
            won_at: rfc3339(winner.won_at),
            tx_hash: winner.submitted.map(|(hash, _)| hash.to_string()),
            submitted_at: winner.submitted.map(|(_, at)| rfc3339(at)),
        }
    }
}

/// What became of a winner.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReportBody<'a> {
    /// The same as the `Idempotency-Key` header.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 128)]
    pub(crate) id: Option<Cow<'a, str>>,
    /// `submitted`, `redeemed` or `failed`.
    #[serde(borrow)]
    #[schema(value_type = String)]
    state: Cow<'a, str>,
    /// The transaction, where one was submitted or redeemed it.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>)]
    tx_hash: Option<Cow<'a, str>>,
    /// Why it will never be redeemed, where it failed.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>)]
    reason: Option<Cow<'a, str>>,
}

impl ReportBody<'_> {
    /// The command.
    pub(crate) fn command(&self, winner: WinnerNo) -> Result<Command, Problem> {
        let report = match (self.state.as_ref(), &self.tx_hash, &self.reason) {
            ("submitted", Some(hash), None) => WinnerReport::Submitted(word("tx_hash", hash)?),
            ("redeemed", Some(hash), None) => WinnerReport::Redeemed(word("tx_hash", hash)?),
            ("failed", None, Some(reason)) => WinnerReport::Failed(label("reason", reason)?),
            ("submitted" | "redeemed", _, _) => {
                let detail = "stands beside `submitted` and `redeemed`, without a reason";
                return Err(Problem::field(Code::InvalidField, "tx_hash", detail));
            }
            ("failed", _, _) => {
                let detail = "stands beside `failed`, without a tx_hash";
                return Err(Problem::field(Code::InvalidField, "reason", detail));
            }
            _ => {
                let detail = "is `submitted`, `redeemed` or `failed`";
                return Err(Problem::field(Code::OutOfRange, "state", detail));
            }
        };
        Ok(Command::ReportWinner(Box::new(ReportWinner {
            winner,
            report,
        })))
    }
}
