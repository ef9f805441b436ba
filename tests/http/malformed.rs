//! Payments in which something is wrong, and amounts past every limit: refused with a verdict per
//! ticket or with the limit's name, and without a trace.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use prost::Message;
use purser::tickets::wire::Payment;
use serde_json::{Value, json};

use crate::gateway::encoded;
use crate::server::{Seen, Server, Who, changed};
use crate::tickets::{PRICE, gateway, pay, quote_body, quoted, server, state};

/// A payment in which something is wrong, with the status and what is said of its first ticket.
type Wrong = (&'static str, fn(&mut Payment), u16, &'static str);

fn params(payment: &mut Payment) -> &mut purser::tickets::wire::TicketParams {
    payment.ticket_params.as_mut().expect("parameters")
}

const WRONGS: &[Wrong] = &[
    ("no round", |p| p.expiration_params = None, 400, "malformed"),
    (
        "a round below zero",
        |p| {
            p.expiration_params
                .as_mut()
                .expect("a round")
                .creation_round = -1;
        },
        422,
        "malformed",
    ),
    (
        "a short hash of the round",
        |p| {
            let round = p.expiration_params.as_mut().expect("a round");
            round.creation_round_block_hash.pop();
        },
        400,
        "malformed",
    ),
    ("no price", |p| p.expected_price = None, 400, "malformed"),
    (
        "a denominator of zero",
        |p| p.expected_price.as_mut().expect("a price").pixels_per_unit = 0,
        422,
        "malformed",
    ),
    (
        "a price below zero",
        |p| p.expected_price.as_mut().expect("a price").price_per_unit = -1,
        422,
        "malformed",
    ),
    (
        "no parameters",
        |p| p.ticket_params = None,
        400,
        "malformed",
    ),
    (
        "a short sender",
        |p| p.sender.truncate(19),
        400,
        "malformed",
    ),
    (
        "a short recipient",
        |p| params(p).recipient.truncate(19),
        400,
        "malformed",
    ),
    (
        "a short commitment",
        |p| params(p).recipient_rand_hash.truncate(31),
        400,
        "malformed",
    ),
    (
        "a long seed",
        |p| params(p).seed = vec![1; 33],
        422,
        "malformed",
    ),
    (
        "a face value of 2^96",
        |p| params(p).face_value = vec![1; 13],
        422,
        "malformed",
    ),
    (
        "a face value of 256 bits",
        |p| params(p).face_value = vec![255; 32],
        422,
        "malformed",
    ),
    (
        "a face value beyond 256 bits",
        |p| params(p).face_value = vec![1; 33],
        422,
        "malformed",
    ),
    (
        "a block of 65 bits",
        |p| params(p).expiration_block = vec![1; 9],
        422,
        "malformed",
    ),
    (
        "another recipient",
        |p| params(p).recipient = vec![7; 20],
        422,
        "wrong_recipient",
    ),
    ("no sender", |p| p.sender = vec![0; 20], 422, "wrong_sender"),
    (
        "another sender",
        |p| p.sender = vec![7; 20],
        422,
        "bad_commitment",
    ),
    (
        "another price",
        |p| p.expected_price.as_mut().expect("a price").price_per_unit += 1,
        422,
        "bad_commitment",
    ),
    (
        "a greater face value",
        |p| params(p).face_value.push(0),
        422,
        "bad_commitment",
    ),
    (
        "a later block",
        |p| params(p).expiration_block[0] += 1,
        422,
        "bad_commitment",
    ),
    (
        "a seed of nobody",
        |p| params(p).seed = vec![9; 32],
        422,
        "not_issued",
    ),
    (
        "no signature",
        |p| p.ticket_sender_params[0].sig.clear(),
        422,
        "bad_signature",
    ),
    (
        "a signature of 64 bytes",
        |p| p.ticket_sender_params[0].sig.truncate(64),
        422,
        "bad_signature",
    ),
    (
        "a signature of 66 bytes",
        |p| p.ticket_sender_params[0].sig.push(0),
        422,
        "bad_signature",
    ),
    (
        "a parity of 1",
        |p| p.ticket_sender_params[0].sig[64] = 1,
        422,
        "bad_signature",
    ),
    (
        "a signature of zeros",
        |p| p.ticket_sender_params[0].sig = vec![0; 65],
        422,
        "bad_signature",
    ),
    (
        "a high s",
        |p| high_s(&mut p.ticket_sender_params[0].sig),
        422,
        "bad_signature",
    ),
    (
        "another number",
        |p| p.ticket_sender_params[0].sender_nonce = 77,
        422,
        "bad_signature",
    ),
];

/// The other form of the same signature.
fn high_s(signature: &mut [u8]) {
    const ORDER: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xfe, 0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36,
        0x41, 0x41,
    ];
    let mut borrow = 0_i16;
    for at in (0..32).rev() {
        let digit = i16::from(ORDER[at]) - i16::from(signature[32 + at]) - borrow;
        borrow = i16::from(digit < 0);
        signature[32 + at] = digit.rem_euclid(256) as u8;
    }
    signature[64] = 27 + 28 - signature[64];
}

/// What must not change: the end of the log, live sets, open jobs, whoever is known as a payer.
async fn books(server: &Server) -> (u64, Value, Value) {
    let (position, tickets) = state(server).await;
    let seen = server.get("/v1/balances", Who::Auditor).await;
    assert_eq!(seen.status, 200, "{seen:?}");
    (position, tickets, seen.body)
}

#[tokio::test]
async fn each_ticket_of_a_malformed_or_refused_payment_has_its_verdict_and_nothing_changes() {
    let (server, gateway) = (server().await, gateway());
    let quoted = quoted(&server, &gateway, None).await;
    let good = gateway.payment(&quoted, PRICE, 1..=3);
    let before = books(&server).await;
    for (name, spoil, status, verdict) in WRONGS {
        let mut payment = good.clone();
        spoil(&mut payment);
        if *verdict == "bad_signature" {
            // The others are good, and would count.
            payment.ticket_sender_params.truncate(1);
        }
        let tickets = payment.ticket_sender_params.iter();
        let verdicts = tickets.map(|one| json!({ "nonce": one.sender_nonce, "verdict": verdict }));
        let verdicts: Value = verdicts.collect();
        let seen = pay(&server, &payment, "bad").await;
        assert_eq!(seen.status, *status, "{name}: {seen:?}");
        assert!(!seen.code().is_empty(), "{name}");
        assert_eq!(seen.body["results"], verdicts, "{name}: {seen:?}");
        assert_eq!(books(&server).await, before, "{name}");
    }
    let seen = pay(&server, &good, "good").await;
    assert_eq!(seen.status, 200, "{seen:?}");
}

#[tokio::test]
async fn a_payment_that_is_cut_anywhere_is_refused_and_nothing_changes() {
    let (server, gateway) = (server().await, gateway());
    let quoted = quoted(&server, &gateway, None).await;
    let bytes = gateway.payment(&quoted, PRICE, [1]).encode_to_vec();
    let before = books(&server).await;
    for end in 1..bytes.len() {
        let body = json!({ "payment": STANDARD.encode(&bytes[..end]), "job_id": "bad" });
        let seen = server.post("/v1/payments", Who::Coordinator, &body).await;
        assert!((400..500).contains(&seen.status), "{end}: {seen:?}");
        assert!(!seen.code().is_empty());
    }
    assert_eq!(books(&server).await, before);
}

#[tokio::test]
async fn good_tickets_beside_bad_ones_count_and_each_has_its_verdict() {
    let (server, gateway) = (server().await, gateway());
    let quoted = quoted(&server, &gateway, None).await;
    let mut payment = gateway.payment(&quoted, PRICE, 1..=4);
    payment.ticket_sender_params[1].sig.clear();
    high_s(&mut payment.ticket_sender_params[2].sig);
    payment.ticket_sender_params[3].sender_nonce = 1;
    let seen = pay(&server, &payment, "mixed").await;
    assert_eq!(seen.status, 200, "{seen:?}");
    assert_eq!(seen.body["credited"], "8000000000");
    let verdicts = [
        (1, "credited"),
        (2, "bad_signature"),
        (3, "bad_signature"),
        (1, "bad_signature"),
    ];
    let verdicts = verdicts.map(|(nonce, verdict)| json!({ "nonce": nonce, "verdict": verdict }));
    assert_eq!(seen.body["tickets"], json!(verdicts), "{seen:?}");
}

/// The greatest amount that a command may name, and some that are greater.
const MOST: &str = "79228162514264337593543950335";
const GREATER: &[&str] = &[
    "79228162514264337593543950336",
    "340282366920938463463374607431768211455",
    "340282366920938463463374607431768211456",
    "115792089237316195423570985008687907853269984665640564039457584007913129639935",
];

/// Whether an answer names a limit.
fn named(seen: &Seen) -> bool {
    let limits = [MOST, "2^96 - 1", "2^63 - 1"];
    limits.iter().any(|limit| seen.text.contains(limit))
}

fn payment_of(amount: &str) -> Value {
    json!({ "payer": "p", "amount": amount, "payment_id": "x", "source": "cash" })
}

/// A route, and the body that names an amount to it.
type Naming = (&'static str, fn(&str) -> Value);

const NAMINGS: &[Naming] = &[
    ("/v1/jobs/j/credits", payment_of),
    (
        "/v1/payers/p/deposits",
        |amount| json!({ "amount": amount, "payment_id": "x", "source": "cash" }),
    ),
    (
        "/v1/transfers",
        |amount| json!({ "payer": "p", "job_id": "j", "amount": amount }),
    ),
    (
        "/v1/jobs/j/debits",
        |amount| json!({ "payer": "p", "amount": amount, "debit_seq": 1 }),
    ),
    (
        "/v1/jobs",
        |amount| json!({ "payer": "p", "job_id": "k", "price": { "num": amount } }),
    ),
];

#[tokio::test]
async fn amounts_up_to_256_bits_are_refused_with_the_limit_named() {
    let (server, gateway) = (server().await, gateway());
    let job = json!({ "payer": "p", "job_id": "j", "price": { "num": "1" } });
    let opened = server.post("/v1/jobs", Who::Coordinator, &job).await;
    assert_eq!(opened.status, 201, "{opened:?}");
    quoted(&server, &gateway, None).await;
    let path = format!("/v1/tickets?min_position={}", opened.position());
    server.get(&path, Who::Auditor).await;
    let before = books(&server).await;
    for amount in GREATER {
        for (path, body) in NAMINGS {
            let seen = server.post(path, Who::Coordinator, &body(amount)).await;
            assert!(seen.is(422, "out_of_range"), "{path} {amount}: {seen:?}");
            assert!(seen.text.contains(MOST), "{path} {amount}: {seen:?}");
        }
        let chain = quote_body(&gateway, None)["chain"].clone();
        let chain = changed(chain, "gas_price_wei", json!(amount));
        let seen = server
            .post("/v1/tickets/chain", Who::Coordinator, &chain)
            .await;
        assert!(seen.is(422, "out_of_range"), "{amount}: {seen:?}");
        assert!(named(&seen), "{amount}: {seen:?}");
        let quote = changed(
            quote_body(&gateway, None),
            "price",
            json!({ "num": amount }),
        );
        let seen = server.post("/v1/quotes", Who::Coordinator, &quote).await;
        assert_eq!(seen.status, 422, "{amount}: {seen:?}");
        assert!(named(&seen), "{amount}: {seen:?}");
    }
    assert_eq!(books(&server).await, before);
}

/// A part of a payment that is past its limit, and how the limit is named.
type Past = (fn(&mut Payment), &'static str);

const PASTS: &[Past] = &[
    (|p| params(p).face_value = vec![1; 13], "2^96 - 1"),
    (|p| params(p).face_value = vec![255; 16], "2^96 - 1"),
    (|p| params(p).face_value = vec![255; 17], "2^96 - 1"),
    (|p| params(p).face_value = vec![255; 32], "2^96 - 1"),
    (|p| params(p).face_value = vec![255; 33], "2^256 - 1"),
    (|p| params(p).win_prob = vec![255; 33], "2^256 - 1"),
    (|p| params(p).seed = vec![255; 33], "2^256 - 1"),
    (|p| params(p).expiration_block = vec![255; 9], "2^64 - 1"),
    (
        |p| {
            let ticket = p.ticket_sender_params[0].clone();
            p.ticket_sender_params = vec![ticket; 601];
        },
        "600 tickets",
    ),
];

#[tokio::test]
async fn parts_of_a_payment_past_their_limit_are_refused_with_the_limit_named() {
    let (server, gateway) = (server().await, gateway());
    let quoted = quoted(&server, &gateway, None).await;
    let good = gateway.payment(&quoted, PRICE, [1]);
    let before = books(&server).await;
    for (spoil, limit) in PASTS {
        let mut payment = good.clone();
        spoil(&mut payment);
        let body = json!({ "payment": encoded(&payment), "job_id": "bad" });
        let seen: Seen = server.post("/v1/payments", Who::Coordinator, &body).await;
        assert!(seen.is(422, "out_of_range"), "{limit}: {seen:?}");
        assert!(seen.text.contains(limit), "{limit}: {seen:?}");
        assert_eq!(seen.body["results"][0]["verdict"], "malformed");
    }
    assert_eq!(books(&server).await, before);
}
