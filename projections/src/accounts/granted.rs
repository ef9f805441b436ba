//! What grants move.

use purser_events::grant::{
    Earner, GrantConfirmed, GrantDecided, GrantSettled, Party, Refund, Share,
};
use purser_events::{Amount, AssetNo, Event, GrantNo, PoolNo};

use super::account::Account;
use super::postings::{Posting, post};

/// The postings of an event about grants.
pub(super) fn postings(event: &Event, mut each: impl FnMut(Posting)) {
    match event {
        Event::PoolOpened(one) => {
            let (from, to) = (Account::Rail(one.rail), Account::GrantsAvailable(one.pool));
            post(one.asset, from, to, one.seed, each);
        }
        Event::PoolToppedUp(one) => {
            let (from, to) = (Account::Rail(one.rail), Account::GrantsAvailable(one.pool));
            post(one.asset, from, to, one.amount, each);
        }
        Event::GrantDecided(one) => decided(one, each),
        Event::GrantConfirmed(one) => confirmed(one, each),
        Event::PaymentRefunded(one) => {
            let (rail, escrow) = (Account::Rail(one.rail), Account::Escrow(one.grant));
            post(one.asset, rail, escrow, one.paid, &mut each);
            post(one.asset, escrow, rail, one.paid, each);
        }
        Event::GrantSettled(one) => settled(one, each),
        Event::GrantReleased(one) => {
            given_back(one.asset, one.grant, &one.returned, one.refund, each);
        }
        Event::GrantExpired(one) => {
            given_back(one.asset, one.grant, &one.returned, one.refund, each);
        }
        Event::GrantOverran(one) => {
            let to = before_split(one.earner);
            post(one.asset, Account::Overrun, to, one.actual, &mut each);
            split(one.asset, one.earner, one.actual, Amount::ZERO, each);
        }
        Event::ChargeRefunded(one) => {
            post(one.asset, Account::Revenue, party(one.to), one.amount, each);
        }
        _ => {}
    }
}

/// The escrow that an event leaves nothing on.
pub(super) fn ended_by(event: &Event) -> Option<(AssetNo, Account)> {
    use purser_events::grant::RefusedPayment::AlreadyPaid;
    let (asset, grant) = match event {
        Event::PaymentRefunded(one) if one.reason != AlreadyPaid => (one.asset, one.grant),
        Event::GrantSettled(one) => (one.asset, one.grant),
        Event::GrantReleased(one) => (one.asset, one.grant),
        Event::GrantExpired(one) => (one.asset, one.grant),
        _ => return None,
    };
    Some((asset, Account::Escrow(grant)))
}

const fn party(party: Party) -> Account {
    match party {
        Party::Rail(rail) => Account::Rail(rail),
        Party::Payer(payer) => Account::Payer(payer),
    }
}

fn hold(asset: AssetNo, holds: &[Share], mut each: impl FnMut(Posting)) {
    for Share { pool, amount } in holds {
        let (from, to) = (
            Account::GrantsAvailable(*pool),
            Account::GrantsReserved(*pool),
        );
        post(asset, from, to, *amount, &mut each);
    }
}

fn decided(one: &GrantDecided, mut each: impl FnMut(Posting)) {
    hold(one.asset, &one.holds, &mut each);
    if let Some(payer) = one.payer {
        let (from, to) = (Account::Payer(payer), Account::Escrow(one.grant));
        post(one.asset, from, to, one.charge, each);
    }
}

fn confirmed(one: &GrantConfirmed, mut each: impl FnMut(Posting)) {
    hold(one.asset, &one.holds, &mut each);
    let (from, to) = (Account::Rail(one.rail), Account::Escrow(one.grant));
    post(one.asset, from, to, one.paid, each);
}

fn given_back(
    asset: AssetNo,
    grant: GrantNo,
    returned: &[Share],
    refund: Option<Refund>,
    mut each: impl FnMut(Posting),
) {
    for Share { pool, amount } in returned {
        let (from, to) = (
            Account::GrantsReserved(*pool),
            Account::GrantsAvailable(*pool),
        );
        post(asset, from, to, *amount, &mut each);
    }
    if let Some(Refund { to, amount }) = refund {
        post(asset, Account::Escrow(grant), party(to), amount, each);
    }
}

/// Where the cost of work goes before it is shared out.
const fn before_split(earner: Earner) -> Account {
    match earner {
        Earner::Nobody | Earner::Worker(..) => Account::Revenue,
        Earner::Job(job) => Account::Job(job),
    }
}

fn settled(one: &GrantSettled, mut each: impl FnMut(Posting)) {
    let (asset, to) = (one.asset, before_split(one.earner));
    let escrow = Account::Escrow(one.grant);
    for share in &one.shares {
        let reserved = Account::GrantsReserved(share.pool);
        post(asset, reserved, to, share.absorbed, &mut each);
        let available = Account::GrantsAvailable(share.pool);
        post(asset, reserved, available, share.returned, &mut each);
    }
    post(asset, escrow, to, one.charged, &mut each);
    post(asset, Account::Overrun, to, one.overrun, &mut each);
    if let Some(to) = one.paid_by {
        post(asset, escrow, party(to), one.refunded, &mut each);
    }
    split(asset, one.earner, one.actual, one.credit, each);
}

/// Shares out what work did cost. The credit comes out of what the house earned by it.
fn split(
    asset: AssetNo,
    earner: Earner,
    actual: Amount,
    credit: Amount,
    mut each: impl FnMut(Posting),
) {
    let house = Account::GrantsAvailable(PoolNo::HOUSE);
    match earner {
        Earner::Nobody => post(asset, Account::Revenue, house, credit, each),
        Earner::Worker(worker, split) => {
            let share = split.commission.share_of_amount(actual);
            let (from, net) = (Account::Revenue, actual.minus(share));
            post(asset, from, Account::Worker(worker), net, &mut each);
            post(asset, from, Account::Commission, share, &mut each);
            post(asset, Account::Commission, house, credit, each);
        }
        Earner::Job(_) => post(asset, Account::Commission, house, credit, each),
    }
}
