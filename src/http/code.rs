//! Every code that an error answer can carry: stable, documented in `docs/errors.md`.

use axum::http::StatusCode;

/// What kind of trouble a code tells of. Everything outward maps to one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The request is not well-formed, or says what cannot be.
    Invalid,
    /// There is no such thing.
    NotFound,
    /// The state of the books says no.
    Conflict,
    /// The caller may not.
    Refused,
    /// Not now; the same request may succeed later.
    Unavailable,
    /// Stored bytes are not what was written.
    Corrupt,
    /// A defect of Purser.
    Internal,
}

macro_rules! codes {
    ($($name:ident $text:literal $status:literal $kind:ident
       $meaning:literal => $remedy:literal;)*) => {
        /// The stable code of an error answer.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code {
            $(#[doc = $meaning] $name,)*
        }

        impl Code {
            /// Every code, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The text in the `code` member.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The status that it is answered with.
            #[must_use]
            pub fn status(self) -> StatusCode {
                let number: u16 = match self { $(Self::$name => $status,)* };
                StatusCode::from_u16(number).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }

            /// What kind of trouble it tells of.
            #[must_use]
            pub const fn kind(self) -> Kind {
                match self { $(Self::$name => Kind::$kind,)* }
            }

            /// What it means: the `title` member.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning,)* }
            }

            /// What the caller should do.
            #[must_use]
            pub const fn remedy(self) -> &'static str {
                match self { $(Self::$name => $remedy,)* }
            }
        }
    };
}

codes! {
    MalformedJson "malformed_json" 400 Invalid
        "the body is not JSON" => "send one complete JSON text";
    NotUtf8 "not_utf8" 400 Invalid
        "the body is not UTF-8 text" => "encode the body as UTF-8";
    TooDeep "too_deep" 400 Invalid
        "the JSON is nested deeper than 128 levels" => "send the documented shape";
    UnknownField "unknown_field" 400 Invalid
        "the body has a field that the route does not know"
        => "remove the field named in `errors`, or correct its spelling";
    MissingField "missing_field" 400 Invalid
        "a required field is missing" => "add the field named in `errors`";
    DuplicateField "duplicate_field" 400 Invalid
        "a field stands twice" => "send the field named in `errors` once";
    InvalidField "invalid_field" 400 Invalid
        "a field has the wrong type or form" => "correct the field named in `errors`";
    UnknownParameter "unknown_parameter" 400 Invalid
        "the query has a parameter that the route does not know"
        => "remove the parameter named in `errors`, or correct its spelling";
    MissingParameter "missing_parameter" 400 Invalid
        "a required query parameter is missing" => "add the parameter named in `errors`";
    InvalidParameter "invalid_parameter" 400 Invalid
        "a query or path parameter has the wrong type or form"
        => "correct the parameter named in `errors`";
    InvalidIdempotencyKey "invalid_idempotency_key" 400 Invalid
        "the idempotency key is no text of 1 to 128 bytes without control characters"
        => "send a shorter printable key, or none";
    BadKey "bad_key" 400 Invalid
        "the file key is no text of 1 to 256 bytes without control characters"
        => "send the key that the file was stored under";
    MalformedCommand "malformed_command" 400 Invalid
        "an item of a batch is no command" => "correct that item; the others were not affected";
    IncompleteBody "incomplete_body" 400 Invalid
        "the body ended before its announced length" => "send the request again";
    BodyTimeout "body_timeout" 408 Invalid
        "the body did not arrive in time" => "send the request again, faster or in smaller parts";
    HeaderTimeout "header_timeout" 408 Invalid
        "the head of the request did not arrive in time" => "send the request again";
    MethodNotAllowed "method_not_allowed" 405 Invalid
        "the route exists, but not with this method" => "use a method of the `Allow` header";
    BodyTooLarge "body_too_large" 413 Invalid
        "the body is larger than the route takes" => "send it in parts";
    TooManyCommands "too_many_commands" 413 Invalid
        "a batch holds more than 8192 commands" => "send it in parts";
    CommandTooLarge "command_too_large" 413 Invalid
        "the command leads to more events than one commit takes" => "split it";
    UpgradeRequired "upgrade_required" 426 Invalid
        "the route speaks WebSocket" => "open a WebSocket, or send the heartbeat by POST";
    UnsupportedMediaType "unsupported_media_type" 415 Invalid
        "the content type is not one that the route reads" => "send the documented content type";
    OutOfRange "out_of_range" 422 Invalid
        "a value is well-formed but outside what is allowed"
        => "correct the field named in `errors`";
    PolicyOutOfRange "policy_out_of_range" 422 Invalid
        "the value is outside the range of this rule"
            => "see the rule's range in the documentation";
    MalformedPayment "malformed_payment" 400 Invalid
        "the payment is no whole protobuf message net.Payment"
        => "correct the field named in `errors`; `results` name the tickets that it holds";
    InvalidHeader "invalid_header" 400 Invalid
        "a header that the route needs is missing or malformed"
        => "send the header named in `errors`";
    TicketsRefused "tickets_refused" 422 Invalid
        "no ticket of the payment counts" => "see the verdict of each in `results`";
    BlockTooFar "block_too_far" 422 Invalid
        "the L1 block is more than a million above the newest known one"
        => "send the number of a block";
    SenderReserveTooLow "sender_reserve_too_low" 402 Refused
        "the sender's reserve does not bear a ticket that is worth redeeming"
        => "raise the sender's reserve on the chain, and tell of it";
    TooManyTicketSets "too_many_ticket_sets" 429 Unavailable
        "as many sets of ticket parameters are live as there may be"
        => "wait until some expire, or pay with parameters that were used before";
    UnknownWinner "unknown_winner" 404 NotFound
        "no winner of this number is known" => "see `/v1/tickets/winners`";
    WinnerSettled "winner_settled" 409 Conflict
        "the winner came to another end before" => "report nothing more of it";
    TicketsOff "tickets_off" 409 Conflict
        "no tickets are issued or taken here" => "set `livepeer_recipient` in the configuration";
    ChainUnknown "chain_unknown" 409 Conflict
        "nobody told where the chain stands"
        => "send `chain` beside the quote, or to `/v1/tickets/chain`";
    InsufficientReserve "insufficient_sender_reserve" 503 Unavailable
        "the sender's reserve does not bear a ticket that is worth redeeming"
        => "raise the sender's reserve on the chain";
    Unauthenticated "unauthenticated" 401 Refused
        "the route needs a key and none was sent"
        => "send `Authorization: Bearer <key>`";
    InvalidCredentials "invalid_credentials" 401 Refused
        "the key is not known" => "use a key of `keys.toml`";
    InvalidSession "invalid_session" 401 Refused
        "the session token was not issued by this server" => "register, and use the token answered";
    SessionTokenExpired "session_token_expired" 401 Refused
        "the session token's time is over"
        => "register again; renew the lease before that, which answers a new token";
    SessionEnded "session_ended" 401 Refused
        "the session ended: logged out, lapsed or replaced" => "register again";
    Forbidden "forbidden" 403 Refused
        "the key's role may not do this" => "use a key of a role that the route names";
    AddressNotAllowed "address_not_allowed" 403 Refused
        "coordinators may not ask from this address"
        => "ask from one of `coordinator_networks`; behind a proxy, name it in `trusted_proxies`";
    CertificateRequired "certificate_required" 403 Refused
        "the role needs a client certificate that names it, as `ROLE.purser`"
        => "connect with such a certificate of the server's `tls_client_ca`";
    UnknownRoute "unknown_route" 404 NotFound
        "there is no such route" => "see `/v1/openapi.json`";
    UnknownWorker "unknown_worker" 404 NotFound
        "no worker of this id is known" => "register it first, or correct the id";
    UnknownPartition "unknown_partition" 404 NotFound
        "no such partition is declared" => "declare it first, or correct its name";
    KeyMismatch "key_mismatch" 409 Conflict
        "the worker's id belongs to another API key" => "use that key, or another id";
    IdempotencyConflict "idempotency_conflict" 409 Conflict
        "the idempotency key was used for another command" => "use a new key for a new command";
    PolicyDiffers "policy_differs" 409 Conflict
        "the rule has another value than the caller expected" => "read the policy and decide again";
    InstructionNotWaiting "instruction_not_waiting" 409 Conflict
        "no such instruction waits for the worker's answer"
        => "nothing; it was answered before, or asked anew";
    NotSilent "not_silent" 409 Conflict
        "the worker was heard within the grace" => "wait";
    AssetDiffers "asset_differs" 409 Conflict
        "the asset is declared with another exponent" => "use the declared exponent";
    UnknownAsset "unknown_asset" 404 NotFound
        "no asset of this code is declared" => "declare it first, or correct the code";
    UnknownPayout "unknown_payout" 404 NotFound
        "there is no payout of this id" => "correct the id";
    PayoutFinished "payout_finished" 409 Conflict
        "the payout is final, or was given up" => "read it; nothing is left to do";
    RailReserved "rail_reserved" 422 Invalid
        "`chain` is the rail of transfers that a run makes" => "name another way of paying";
    MoreThanOwed "more_than_owed" 402 Conflict
        "the worker is not owed as much" => "read its balance, and ask for less";
    PayoutUnderway "payout_underway" 409 Conflict
        "what was signed for the payout may still land" => "wait until it is final or failed";
    SignerMissing "signer_missing" 409 Conflict
        "no key signs payouts" => "configure a key and a node of the chain";
    SignerStopped "signer_stopped" 409 Conflict
        "the key made a transaction that the log does not know"
        => "run `purser audit payouts`, then `purser payouts resume`";
    SignerBusy "signer_busy" 409 Conflict
        "what another key signed may still land" => "start with that key until it is final";
    FundsShort "funds_short" 402 Conflict
        "the signer's account does not cover what is due"
        => "fund it, or lower the limit of a run";
    PayoutDiffers "payout_differs" 409 Conflict
        "the payout is in another state" => "read it again";
    NonceDiffers "nonce_differs" 409 Conflict
        "the nonce is not the one that is next" => "read it again";
    FeeOutOfRange "fee_out_of_range" 422 Invalid
        "the fees or the signed bytes are beyond what a transfer can have"
        => "see the limits of the configuration";
    FeeTooLow "fee_too_low" 409 Conflict
        "a replacement pays less than a tenth more" => "raise the fees";
    AmountTooLarge "amount_too_large" 422 Invalid
        "an amount, or a sum that it leads to, is beyond 2^96 - 1 base units"
        => "name smaller amounts, units or prices";
    Debt "debt" 402 Refused
        "the payer owes more than is allowed" => "deposit the `shortfall`, then open the job";
    InsufficientBalance "insufficient_balance" 402 Refused
        "the job's balance does not cover the units" => "credit the `shortfall` to the job";
    InsufficientFunds "insufficient_funds" 402 Refused
        "the payer's funds do not cover the transfer" => "deposit the `shortfall`";
    UnknownPayer "unknown_payer" 404 NotFound
        "no payer of this name is known"
        => "correct the name; payers are named by their first job or deposit";
    UnknownJob "unknown_job" 404 NotFound
        "the payer has no job of this id" => "open it first, or correct id or payer";
    UnknownAccount "unknown_account" 404 NotFound
        "there is no account of this name" => "see `/v1/accounts`";
    UnknownCapability "unknown_capability" 404 NotFound
        "no capability of this name is declared" => "declare it first";
    JobDiffers "job_differs" 409 Conflict
        "the payer's job of this id was opened with other terms" => "choose another id";
    JobClosed "job_closed" 409 Conflict
        "the job closed" => "open another one, or pay into the payer's own funds";
    PaymentDiffers "payment_differs" 409 Conflict
        "the payment id was used for another amount, payer or job"
        => "send each payment under its own id";
    DebitDiffers "debit_differs" 409 Conflict
        "the debit number was used for something else" => "number each debit of a job anew";
    NoPrice "no_price" 409 Conflict
        "the job was opened without a price" => "debit it by `amount`";
    NotIdle "not_idle" 409 Conflict
        "something happened to the job within the time that it may be idle" => "wait";
    SlotsHeld "slots_held" 409 Conflict
        "jobs hold slots of the capability" => "free them first";
    CapacityFull "capacity_full" 429 Unavailable
        "all slots of the capability are held" => "repeat after `Retry-After`";
    TooManyJobs "too_many_jobs" 429 Unavailable
        "the payer has as many open jobs as the rule `open_jobs_max` allows" => "close some first";
    TooManyNames "too_many_names" 429 Unavailable
        "as many rails or capabilities are known as there may be" => "use those that are known";
    UnknownMatch "unknown_match" 404 NotFound
        "no match of this job was recorded" => "correct the id, or match with `assign`";
    JobOfAnother "job_of_another" 403 Refused
        "the job is another coordinator's" => "report with the key that the job was matched with";
    JobAssigned "job_assigned" 409 Conflict
        "the job holds slots already" => "report on them before the job is matched again";
    JobCompleted "job_completed" 409 Conflict
        "a worker completed the job" => "use a new id for a new job";
    CandidatesGone "candidates_gone" 409 Conflict
        "none of the candidates can take the job any more" => "match again";
    NotExpired "not_expired" 409 Conflict
        "the slot's time is not over" => "wait";
    NoRegionClaimed "no_region_claimed" 409 Conflict
        "the worker claims no region that could be probed" => "register it with its region";
    BadAmount "bad_amount" 422 Invalid
        "an amount of work, a payment or a refund is at least 1"
        => "name an amount of at least 1";
    NoPool "no_pool" 409 Conflict
        "no pool of generosity is open"
        => "open one first";
    UnknownPool "unknown_pool" 404 NotFound
        "no pool of this name is open"
        => "open it first, or correct the name";
    PoolDiffers "pool_differs" 409 Conflict
        "the pool is open with another seed, or all pools are in another asset"
        => "choose another name, or the asset of the first pool";
    OrderIncomplete "order_incomplete" 422 Invalid
        "the order does not name every pool once"
        => "name every pool once";
    UnknownRequest "unknown_request" 404 NotFound
        "no request of this id was decided"
        => "decide it first, or correct the id";
    RequestDiffers "request_differs" 409 Conflict
        "the request was decided, or settled, with other values"
        => "send a new request under a new id";
    RequestClosed "request_closed" 409 Conflict
        "the request is closed"
        => "read how it was closed; send a new request under a new id";
    NotPaid "not_paid" 409 Conflict
        "the request waits for its payment"
        => "confirm its payment first";
    RequestOnJob "request_on_job" 409 Conflict
        "a job was opened on the request"
        => "close the job: that settles the request";
    NotDue "not_due" 409 Conflict
        "the request's time has not run out"
        => "wait";
    NotSettled "not_settled" 409 Conflict
        "the request was not settled"
        => "a payment that was not charged has gone back already";
    RefundTooLarge "refund_too_large" 422 Invalid
        "more would be paid back than was charged"
        => "name no more than what was charged and not paid back yet";
    InsufficientRevenue "insufficient_revenue" 402 Refused
        "the house's revenue does not cover the refund"
        => "pay the `shortfall` back outside of the books";
    AlreadyPaid "already_paid" 409 Conflict
        "the request was paid before; this payment was refunded in full"
        => "pay a request once";
    PaidTooLate "paid_too_late" 409 Conflict
        "the request was closed when it was paid; the payment was refunded in full"
        => "send a new request under a new id";
    WrongAmount "wrong_amount" 409 Conflict
        "the payment is not what was quoted; it was refunded in full"
        => "pay exactly the `charge` that was quoted";
    QuoteExpired "quote_expired" 409 Conflict
        "the quote's time had run out; the payment was refunded in full"
        => "send a new request under a new id";
    PoolDrained "pool_drained" 409 Conflict
        "the pools have less than what was quoted from them; the payment was refunded in full"
        => "send a new request under a new id";
    BudgetSpent "budget_spent" 409 Conflict
        "the day's budget is less than what was quoted from it; the payment was refunded in full"
        => "send a new request under a new id";
    BatchRefused "batch_refused" 409 Conflict
        "another command of an atomic batch was refused, so nothing happened"
        => "correct the command named in `results`";
    ClockBackward "clock_backward" 409 Conflict
        "the test clock only goes forward" => "send a later time";
    NotATestClock "not_a_test_clock" 409 Conflict
        "the server runs on the machine's clock" => "start it with `--test-clock`";
    PayoutsOff "payouts_off" 409 Conflict
        "payouts on chain are not configured"
        => "set `payout_rpc_urls` and `payout_key`, or pay elsewhere and book it";
    ChainUnavailable "chain_unavailable" 503 Unavailable
        "no node of the chain gives an answer; nothing happened"
        => "repeat after `Retry-After`; look at `payout_rpc_urls`";
    QueueFull "queue_full" 503 Unavailable
        "the queue of commands is full; nothing happened" => "repeat after `Retry-After`";
    TooManyStreams "too_many_streams" 503 Unavailable
        "as many exports run as the server allows" => "repeat after `Retry-After`";
    RateLimited "rate_limited" 429 Unavailable
        "more requests than the caller may send" => "repeat after `Retry-After`";
    TooManyConnections "too_many_connections" 429 Unavailable
        "one address holds as many connections as it may"
        => "close some, or wait; several workers may share a proxy in `trusted_proxies`";
    TooManySockets "too_many_sockets" 503 Unavailable
        "as many WebSockets are open as the server allows" => "repeat after `Retry-After`";
    LogReadOnly "log_read_only" 503 Unavailable
        "no space is left for the log; reads go on, nothing happened"
        => "make space; repeat after `Retry-After`";
    LogUnavailable "log_unavailable" 503 Unavailable
        "the log cannot be written or read; whether a write happened is not known"
        => "repeat under the same idempotency key after `Retry-After`";
    ArchiveUnavailable "archive_unavailable" 503 Unavailable
        "this part of the log is kept in its archive only, which cannot be read now"
        => "ask again after `Retry-After`; the operator looks at `s3_archive_bucket`";
    PositionNotReached "position_not_reached" 504 Unavailable
        "the read side did not reach `min_position` in time" => "repeat, or ask for less";
    LogDamaged "log_damaged" 500 Corrupt
        "stored bytes are not what was written" => "run `purser verify`, restore the directory";
    Internal "internal_error" 500 Internal
        "a defect of the server" => "report it with the request id";
}

impl Code {
    /// How many seconds to wait before the same request makes sense again.
    #[must_use]
    pub const fn retry_after_sec(self) -> Option<u32> {
        match self {
            Self::QueueFull | Self::TooManyStreams | Self::CapacityFull => Some(1),
            Self::RateLimited => Some(1),
            Self::TooManySockets | Self::TooManyConnections => Some(5),
            Self::LogUnavailable => Some(2),
            Self::LogReadOnly | Self::TooManyJobs | Self::TooManyNames => Some(10),
            Self::ChainUnavailable | Self::ArchiveUnavailable => Some(5),
            Self::InsufficientReserve => Some(10),
            // A block of L1 takes twelve seconds.
            Self::TooManyTicketSets => Some(12),
            _ => None,
        }
    }
}

/// The documentation of all codes: the text of `docs/errors.md`.
#[must_use]
pub fn documentation() -> String {
    let mut page = String::from(HEAD);
    for code in Code::ALL {
        let (name, status, kind) = (code.as_str(), code.status().as_u16(), code.kind());
        let (meaning, remedy) = (code.meaning(), code.remedy());
        page.push_str(&format!(
            "| `{name}` | {status} | {kind:?} | {meaning} | {remedy} |\n"
        ));
    }
    page
}

const HEAD: &str = "\
# Errors

Every error answer is `application/problem+json` with `type`, `title`, `status`, `detail`, `code`
and `request_id`; where single fields are at fault, `errors` lists each with `field` and `detail`.
`code` is stable: programs branch on it, people read `detail`. Answers of 429 and 503 carry
`Retry-After` in seconds, and `retry_after_sec` in the body; those of 402 say in `shortfall` how
many base units are missing. What is not even HTTP is answered by the HTTP layer with an empty 400
or 431.

This page is generated from `src/http/code.rs`; a test keeps the two equal.

| Code | Status | Kind | Means | Do |
| --- | --- | --- | --- | --- |
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_lists_exactly_the_codes_of_the_program() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/errors.md");
        let found = std::fs::read_to_string(path).expect("docs/errors.md can be read");
        assert_eq!(
            found,
            documentation(),
            "write documentation() to docs/errors.md"
        );
    }

    #[test]
    fn codes_are_unique_snake_case_words() {
        let mut seen = std::collections::HashSet::new();
        for code in Code::ALL {
            let text = code.as_str();
            assert!(seen.insert(text), "{text} stands twice");
            assert!(
                text.bytes()
                    .all(|byte| byte == b'_' || byte.is_ascii_lowercase() || byte.is_ascii_digit())
            );
        }
    }

    #[test]
    fn what_is_unavailable_says_when_to_come_back() {
        for code in Code::ALL {
            let later = [
                StatusCode::SERVICE_UNAVAILABLE,
                StatusCode::TOO_MANY_REQUESTS,
            ];
            let unavailable = later.contains(&code.status());
            assert_eq!(code.retry_after_sec().is_some(), unavailable, "{code:?}");
        }
    }
}
