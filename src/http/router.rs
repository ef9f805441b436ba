//! All routes together, and the document that describes them.

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use tokio::sync::Semaphore;
use utoipa::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::app::{App, Shared};
use super::frame::{RequestIds, frame};
use super::limits::Limits;
use super::routes::{
    accounts, analytics, balances, capabilities, clock, commands, events, fees, files, funds,
    grants, health, instructions, intake, jobs, matching, miners, payer_statement, payments,
    payouts, policy, pool, registry, standing, statement, status, stream, tickets, token, what_if,
};
use super::settings::Settings;
use super::socket::{__path_socket, Seats, socket};
use crate::keys::Keys;
use crate::metrics::Metrics;
use crate::payouts::PayoutsHandle;
use crate::service::Service;
use crate::tickets::Desk;

/// What the surface is made of.
#[derive(Debug)]
pub struct Surface {
    /// The ledger.
    pub service: Service,
    /// Who may do what.
    pub keys: Keys,
    /// What the server allows.
    pub settings: Settings,
    /// The payouts' runner; absent where payouts on chain are off.
    pub payouts: Option<PayoutsHandle>,
    /// Where tickets are issued and checked; absent where there is no recipient.
    pub desk: Option<Arc<Desk>>,
}

#[derive(OpenApi)]
#[openapi(info(
    title = "Purser",
    description = "The book of record of a compute pool: an event log, and everything that adds \
                   up from it. Errors are `application/problem+json`; `docs/errors.md` lists \
                   their codes."
))]
struct Document;

/// All routes, ready to be served.
///
/// # Panics
/// When the document cannot be written as JSON: a defect.
pub fn surface(parts: Surface) -> Router {
    let (router, openapi) = routes();
    let text = openapi.to_json().expect("the document is plain JSON");
    let streams = Arc::new(Semaphore::new(parts.settings.streams_max));
    let seats = Seats::new(parts.settings.sockets_max);
    let limits = Limits::new(&parts.settings.rates, &parts.service.clock);
    let app = App::new(Shared {
        service: parts.service,
        keys: parts.keys,
        settings: parts.settings,
        payouts: parts.payouts,
        desk: parts.desk,
        metrics: Metrics::new(openapi.paths.paths.keys().cloned()),
        request_ids: RequestIds::new(boot_number()),
        streams,
        seats,
        limits,
        offers: super::offers::Offers::default(),
        openapi: text.into(),
    });
    router
        .fallback(async || StatusCode::NOT_FOUND)
        .layer(axum::middleware::from_fn_with_state(app.clone(), frame))
        .with_state(app)
}

/// Tells the request ids of one run from those of another.
fn boot_number() -> u32 {
    getrandom::u32().unwrap_or(std::process::id())
}

fn grant_routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(grants::decide))
        .routes(routes!(grants::estimate))
        .routes(routes!(grants::open))
        .routes(routes!(grants::one))
        .routes(routes!(grants::confirm))
        .routes(routes!(grants::settle))
        .routes(routes!(grants::release))
        .routes(routes!(grants::refund))
        .routes(routes!(pool::read))
        .routes(routes!(pool::open))
        .routes(routes!(pool::order))
        .routes(routes!(pool::top_up))
        .routes(routes!(pool::identity))
        .routes(routes!(pool::set_tier))
}

fn payout_routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(payouts::page, payouts::elsewhere))
        .routes(routes!(payouts::run))
        .routes(routes!(payouts::resume))
        .routes(routes!(payouts::one))
        .routes(routes!(payouts::cancel))
        .routes(routes!(payouts::confirm))
}

fn routes() -> (Router<App>, utoipa::openapi::OpenApi) {
    let mut document = Document::openapi();
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer);
    let bearer = bearer.description(Some(
        "A key of `keys.toml`; its role must be one of the route's",
    ));
    let session = HttpBuilder::new().scheme(HttpAuthScheme::Bearer);
    let session = session.description(Some("A worker's session token"));
    let secret = ApiKey::Header(ApiKeyValue::new("X-Coordinator-Secret"));
    let components = document.components.get_or_insert_default();
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer.build()));
    components.add_security_scheme("session", SecurityScheme::Http(session.build()));
    components.add_security_scheme("coordinator_secret", SecurityScheme::ApiKey(secret));
    OpenApiRouter::with_openapi(document)
        .routes(routes!(miners::register))
        .routes(routes!(miners::beat, socket))
        .routes(routes!(miners::update))
        .routes(routes!(miners::renew))
        .routes(routes!(miners::lease))
        .routes(routes!(miners::logout))
        .routes(routes!(registry::page))
        .routes(routes!(registry::one))
        .routes(routes!(instructions::instruct, instructions::asked))
        .routes(routes!(matching::make))
        .routes(routes!(matching::made))
        .routes(routes!(matching::feedback))
        .routes(routes!(what_if::ask))
        .routes(routes!(standing::suspend))
        .routes(routes!(standing::resume))
        .routes(routes!(standing::probe))
        .routes(routes!(standing::rotate))
        .routes(routes!(standing::capacity))
        .routes(routes!(health::health))
        .routes(routes!(health::metrics))
        .routes(routes!(health::openapi))
        .routes(routes!(status::status))
        .routes(routes!(policy::read, policy::change))
        .merge(grant_routes())
        .routes(routes!(clock::advance))
        .routes(routes!(commands::commands))
        .routes(routes!(intake::take))
        .routes(routes!(intake::report))
        .routes(routes!(fees::fees))
        .routes(routes!(analytics::analytics))
        .routes(routes!(statement::statement))
        .merge(payout_routes())
        .routes(routes!(events::events))
        .routes(routes!(files::files))
        .routes(routes!(stream::follow))
        .routes(routes!(jobs::open))
        .routes(routes!(jobs::one))
        .routes(routes!(jobs::credit))
        .routes(routes!(jobs::admit))
        .routes(routes!(jobs::debit))
        .routes(routes!(jobs::close))
        .routes(routes!(funds::deposit))
        .routes(routes!(funds::transfer))
        .routes(routes!(funds::settle))
        .routes(routes!(funds::choose))
        .routes(routes!(balances::balances))
        .routes(routes!(payer_statement::statement))
        .routes(routes!(accounts::page))
        .routes(routes!(accounts::one))
        .routes(routes!(capabilities::all, capabilities::declare))
        .routes(routes!(capabilities::remove))
        .routes(routes!(capabilities::reserve))
        .routes(routes!(capabilities::free))
        .merge(ticket_routes())
        .split_for_parts()
}

fn ticket_routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(tickets::quote))
        .routes(routes!(tickets::chain))
        .routes(routes!(tickets::sender))
        .routes(routes!(tickets::winners))
        .routes(routes!(tickets::report))
        .routes(routes!(tickets::rotate))
        .routes(routes!(tickets::state))
        .routes(routes!(payments::pay))
        .routes(routes!(token::token))
}
