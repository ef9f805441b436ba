//! The parts of a score, exactly: whole millionths, rounded down.

use purser_events::matching::Components;

/// One whole in millionths.
pub(super) const WHOLE: u32 = 1_000_000;

/// The price at which a worker counts half, where the job names no greatest price: one credit per
/// kilosecond.
const REFERENCE_MICRO: u64 = 1_000_000;

/// Of a worker whose latency is not known.
pub(super) const UNKNOWN_LATENCY: u32 = 500_000;

/// How cheap a price is.
pub(super) fn price(price_micro: u64, cap: Option<u64>) -> u32 {
    let share = |part: u64, whole: u64| match part.checked_mul(WHOLE.into()) {
        Some(parts) => (parts / whole) as u32,
        None => {
            let share = u128::from(WHOLE) * u128::from(part) / u128::from(whole);
            u32::try_from(share).unwrap_or(WHOLE)
        }
    };
    match cap {
        Some(0) => WHOLE,
        Some(cap) => WHOLE - share(price_micro.min(cap), cap),
        None => share(REFERENCE_MICRO, REFERENCE_MICRO.saturating_add(price_micro)),
    }
}

/// How much room there is.
pub(super) fn load(parallel: u32, jobs: u32) -> u32 {
    let free = u64::from(parallel.saturating_sub(jobs));
    (u64::from(WHOLE) * free / (u64::from(parallel) + 1)) as u32
}

/// The share of what was wanted.
pub(super) fn share(found: usize, wanted: usize) -> u32 {
    let share = (WHOLE as usize * found).checked_div(wanted);
    share.map_or(WHOLE, |share| share as u32)
}

/// When a job may be done, in milliseconds.
pub(super) fn eta_ms(latency_ms: u32, parallel: u32, jobs: u32) -> u64 {
    let slots = u64::from(parallel.max(1));
    let all = slots + u64::from(jobs);
    match all.checked_mul(latency_ms.into()) {
        Some(waits) => waits / slots,
        None => {
            let eta = u128::from(latency_ms) * u128::from(all) / u128::from(slots);
            u64::try_from(eta).unwrap_or(u64::MAX)
        }
    }
}

/// The parts for people: three places, cut.
#[must_use]
pub fn explain(components: &Components) -> String {
    let Components {
        cap,
        price,
        latency,
        trust,
        load,
    } = components;
    let parts = [
        ("cap", cap),
        ("price", price),
        ("latency", latency),
        ("trust", trust),
        ("load", load),
    ];
    let mut text = String::with_capacity(80);
    for (name, part) in parts {
        if !text.is_empty() {
            text.push_str(" \u{2022} ");
        }
        text.push_str(name);
        text.push('=');
        three_places(&mut text, *part);
    }
    text
}

/// Millionths with three places, cut.
fn three_places(text: &mut String, part: u32) {
    let (whole, thousandths) = (part / WHOLE, part % WHOLE / 1_000);
    let digit = |digit: u32| char::from(b'0' + (digit % 10) as u8);
    // No part is more than a whole.
    text.push(digit(whole));
    text.push('.');
    text.push(digit(thousandths / 100));
    text.push(digit(thousandths / 10));
    text.push(digit(thousandths));
}
