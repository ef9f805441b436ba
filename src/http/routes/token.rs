//! Tokens for gateways of the reference node, old and new.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use purser_commands::ticket::price::{Rate, whole_wei, with_overhead};
use purser_commands::ticket::route::{own_id, pool_of};
use purser_events::{Address, Label, Position};
use purser_projections::Projections;
use purser_projections::accounts::Account;

use super::tickets::{desk, issue};
use crate::hex::unhex;
use crate::http::app::App;
use crate::http::code::Code;
use crate::http::error::{Problem, ProblemBody};
use crate::http::extract::Answer;
use crate::http::wire::ticket::Asked;
use crate::tickets::request::text_signer;
use crate::tickets::show::{reference_token_balance, token_balance};
use crate::tickets::token::{ParamsBody, PriceBody, SignedAddress, Token};
use crate::tickets::{Desk, payer_of};

const ADDRESS: HeaderName = HeaderName::from_static("livepeer-eth-address");
const CAPABILITY: HeaderName = HeaderName::from_static("livepeer-capability");
const JOB_ID: HeaderName = HeaderName::from_static("livepeer-job-id");

/// What a gateway that keeps a balance per job sends while it has no id yet.
const NEW_JOB: &str = "new";

/// The capability whose price stands for all that have none of their own.
const OTHERS: &str = "default";

/// What a gateway asks for.
struct Request {
    sender: Address,
    signed: SignedAddress,
    capability: String,
    job: JobAsked,
}

/// Which balance a gateway asks for.
enum JobAsked {
    /// That of all its work of the capability.
    Pool(Label),
    /// That of a job that has no id yet: nothing.
    New,
    /// That of this job.
    Named(Label),
}

/// The token of the reference node: price, parameters of tickets and balance. A gateway that sends
/// no `Livepeer-Job-Id` is told the balance of all its work of the capability; one that does, that
/// of the job, or nothing for the id `new`.
#[utoipa::path(
    get, path = "/process/token", tag = "tickets",
    params(
        ("Livepeer-Eth-Address" = String, Header,
            description = "base64 of `{\"addr\",\"sig\"}`; the signature is over the text of addr"),
        ("Livepeer-Capability" = String, Header, description = "The capability"),
        ("Livepeer-Job-Id" = Option<String>, Header, description = "The job, or `new`"),
    ),
    responses(
        (status = 200, body = Token), (status = 400, body = ProblemBody),
        (status = 409, body = ProblemBody), (status = 503, body = ProblemBody),
    )
)]
pub(crate) async fn token(
    State(app): State<App>,
    headers: HeaderMap,
) -> Result<Answer<Token>, Problem> {
    let desk = desk(&app)?;
    let request = request(&headers)?;
    let folds = app.service.view.read();
    let (position, body) = answer(desk, &folds, request)?;
    drop(folds);
    Ok(Answer { position, body })
}

fn request(headers: &HeaderMap) -> Result<Request, Problem> {
    let signed = text(headers, &ADDRESS)?.ok_or_else(|| missing(&ADDRESS))?;
    let signed = STANDARD.decode(signed).ok();
    let signed = signed.and_then(|json| serde_json::from_slice::<SignedAddress>(&json).ok());
    let signed = signed.ok_or_else(|| invalid(&ADDRESS, "is no base64 of addr and sig"))?;
    let sender = Address::parse(&signed.addr)
        .ok_or_else(|| invalid(&ADDRESS, "holds no address of 40 hexadecimal digits"))?;
    let signature = unhex(&signed.sig)
        .ok_or_else(|| invalid(&ADDRESS, "holds a signature that is no hexadecimal text"))?;
    if text_signer(&signed.addr, &signature) != Ok(sender) {
        return Err(invalid(&ADDRESS, "is not signed by the address"));
    }
    let capability = text(headers, &CAPABILITY)?.filter(|text| !text.is_empty());
    let capability = capability.ok_or_else(|| missing(&CAPABILITY))?.to_owned();
    let job = match text(headers, &JOB_ID)? {
        None => {
            JobAsked::Pool(pool_of(&capability).ok_or_else(|| invalid(&CAPABILITY, "is too long"))?)
        }
        Some(NEW_JOB) => JobAsked::New,
        Some(id) => JobAsked::Named(
            own_id(id).ok_or_else(|| invalid(&JOB_ID, "is no id of 1 to 128 printable bytes"))?,
        ),
    };
    Ok(Request {
        sender,
        signed,
        capability,
        job,
    })
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Problem> {
    let value = headers.get(name).map(|value| value.to_str());
    value.transpose().map_err(|_| invalid(name, "is no text"))
}

fn missing(name: &HeaderName) -> Problem {
    invalid(name, "is required")
}

fn invalid(name: &HeaderName, detail: &'static str) -> Problem {
    Problem::field(Code::InvalidHeader, name.as_str().to_owned(), detail)
}

fn answer(
    desk: &Desk,
    folds: &Projections,
    request: Request,
) -> Result<(Position, Token), Problem> {
    let price = price(desk, folds, &request.capability)?;
    let asked = Asked {
        sender: request.sender,
        price,
        job: None,
    };
    let (job, balance) = match &request.job {
        JobAsked::New => (None, 0),
        JobAsked::Pool(pool) => (None, balance(folds, request.sender, pool)),
        JobAsked::Named(id) => (Some(id.as_str()), balance(folds, request.sender, id)),
    };
    let params = issue(desk, folds, &asked, job).map_err(|problem| match problem.code {
        // The reference node's one reason to answer 503.
        Code::SenderReserveTooLow => Problem::with(Code::InsufficientReserve, problem.detail),
        _ => problem,
    })?;
    let shown = match desk.rules.compat.token_balance_zero {
        true => reference_token_balance(balance),
        false => token_balance(balance),
    };
    let token = Token {
        sender_address: request.signed,
        ticket_params: ParamsBody::of(&params),
        balance: shown,
        price: PriceBody {
            price_per_unit: i64::try_from(price.0).unwrap_or(i64::MAX),
            pixels_per_unit: i64::try_from(price.1).unwrap_or(i64::MAX),
        },
        service_addr: desk.rules.service_addr.clone(),
        available_capacity: free_slots(folds, &request.capability),
        last_nonce: 0,
        balance_keying: Some("job".into()),
    };
    Ok((folds.position, token))
}

/// What a second of the capability costs.
fn price(desk: &Desk, folds: &Projections, capability: &str) -> Result<Rate, Problem> {
    let prices = &desk.rules.prices;
    let price = prices.get(capability).or_else(|| prices.get(OTHERS));
    let unpriced = || invalid(&CAPABILITY, "names no capability that has a price here");
    let mut price = *price.ok_or_else(unpriced)?;
    if desk.rules.compat.price_overhead
        && let Some(state) = folds.tickets.chain.state()
    {
        let cost = desk
            .rules
            .wanted
            .redeem_cost(purser_events::Wei(state.gas_price.0));
        let multiplier = u128::from(desk.rules.wanted.cost_multiplier);
        price = with_overhead(price, cost.0.saturating_mul(multiplier), cost.0);
    }
    if desk.rules.compat.whole_wei_prices {
        price = whole_wei(price);
    }
    Ok(price)
}

/// The balance of a job in whole wei; nothing where it is not open.
fn balance(folds: &Projections, sender: Address, job: &Label) -> i128 {
    let payer = folds.names.payer(&payer_of(sender));
    let job = payer.and_then(|payer| folds.jobs.named(payer, job));
    let Some(job) = job else { return 0 };
    let balance = folds.accounts.balance(job.asset, Account::Job(job.number));
    let amount = i128::try_from(balance.amount.0).unwrap_or(i128::MAX);
    if balance.below_zero { -amount } else { amount }
}

/// Slots of the capability that are free.
fn free_slots(folds: &Projections, capability: &str) -> i64 {
    let name = Label::new(capability).ok();
    let number = name.and_then(|name| folds.names.capability(&name));
    let known = number.and_then(|number| folds.jobs.capacity.get(number));
    let free = known.and_then(|known| Some(known.slots?.saturating_sub(known.in_use())));
    free.unwrap_or(0).into()
}
