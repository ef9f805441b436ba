//! The books that a scenario is played on, through the decisions that the ledger itself runs.

use purser_commands::command::{DeclareAsset, SetPolicy};
use purser_commands::grants::GrantCommand;
use purser_commands::grants::answer::{GrantAnswer, Granted};
use purser_commands::grants::command::{
    ConfirmGrant, DecideGrant, OpenPool, PaidBy, ReleaseGrant, SetTier, SettleGrant,
};
use purser_commands::jobs::JobCommand;
use purser_commands::jobs::command::{Deposit, Payment};
use purser_commands::{Answer, Command, Execution, Rejection, execute};
use purser_events::grant::{GrantRule, PayMode, Tier};
use purser_events::policy::PolicyChange;
use purser_events::{
    Amount, AssetNo, BasisPoints, Event, GrantNo, Label, Micros, PoolNo, Position, Recorded,
};
use purser_projections::accounts::Account;
use purser_projections::grants::{GrantAudit, sum_of};
use purser_projections::{Books, Projections};
use serde_json::{Map, Value, json};

use super::super::value::{Mismatch, Node};

/// The asset of all amounts.
const ASSET: &str = "U";

/// Books, and everything that led to them.
pub(super) struct World {
    books: Books,
    now: Micros,
    history: Vec<Event>,
    replayed: Projections,
    audit: GrantAudit,
    funded: Vec<String>,
}

impl World {
    /// The rules, the pool, the tiers and the funds that a scenario begins with.
    pub(super) fn begin(defaults: &Value, setup: &Value) -> Result<Self, Mismatch> {
        let mut world = Self {
            books: Books::default(),
            now: Micros(0),
            history: Vec::new(),
            replayed: Projections::default(),
            audit: GrantAudit::default(),
            funded: Vec::new(),
        };
        world.set_up(&Command::DeclareAsset(DeclareAsset {
            code: label(ASSET)?,
            exponent: 0,
        }))?;
        world.rules(&Node::root(defaults))?;
        let setup = Node::root(setup);
        world.set_up(&grant(GrantCommand::OpenPool(OpenPool {
            name: label("house")?,
            asset: label(ASSET)?,
            seed: Amount(setup.get("pool").integer()?),
            rail: label("seed")?,
        })))?;
        for (identity, tier) in setup.get("tiers").value().as_object().into_iter().flatten() {
            world.set_up(&set_tier(identity, tier)?)?;
        }
        for (payer, _) in setup.get("funds").value().as_object().into_iter().flatten() {
            world.set_up(&Command::Job(Box::new(JobCommand::Deposit(Deposit {
                payer: label(payer)?,
                asset: label(ASSET)?,
                payment: Payment {
                    amount: Amount(setup.get("funds").get(payer).integer()?),
                    rail: label("cash")?,
                    id: label(payer)?,
                },
            }))))?;
            world.funded.push(payer.clone());
        }
        Ok(world)
    }

    fn rules(&mut self, defaults: &Node<'_>) -> Result<(), Mismatch> {
        let budgets = defaults.get("budgets");
        let credit = defaults.get("credit_bps");
        let share = BasisPoints::new(credit.integer()?);
        let mut rules = vec![
            GrantRule::CreditShare(share.ok_or_else(|| credit.wrong("is no rate"))?),
            GrantRule::QuoteTtlMs(defaults.get("quote_ttl_ms").integer()?),
            GrantRule::HoldTtlMs(defaults.get("hold_ttl_ms").integer()?),
        ];
        for tier in Tier::ALL {
            let budget = budgets.get(tier.as_str()).integer()?;
            rules.push(GrantRule::Budget(tier, Amount(budget)));
        }
        for rule in rules {
            let (change, expected) = (PolicyChange::Grants(rule), None);
            self.set_up(&Command::SetPolicy(SetPolicy { change, expected }))?;
        }
        Ok(())
    }

    fn set_up(&mut self, command: &Command) -> Result<(), Mismatch> {
        let outcome = self.run(command)?;
        let wrong = |rejection: Rejection| Mismatch::new("setup", rejection.detail());
        outcome.map(drop).map_err(wrong)
    }

    /// Plays one operation; what it answers, in the words of the file.
    pub(super) fn play(&mut self, op: &Value) -> Result<Value, Mismatch> {
        let op = Node::root(op);
        if op.get("t_ms").is_there() {
            let at = Micros::from_millis(op.get("t_ms").integer()?);
            self.now = self.now.max(at);
        }
        let name = op.get("op").text()?;
        if name == "sweep" {
            return self.sweep();
        }
        let command = match name {
            "decide" => match decide(&op)? {
                Some(command) => command,
                None => return Ok(json!({ "error": "bad_amount" })),
            },
            "confirm" => confirm(&op)?,
            "settle" => GrantCommand::Settle(SettleGrant {
                request: request(&op)?,
                actual: Amount(op.get("actual").integer()?),
                worker: None,
            }),
            "release" => GrantCommand::Release(ReleaseGrant {
                request: request(&op)?,
                fault: false,
            }),
            "set_tier" => {
                let command = set_tier(op.get("identity").text()?, op.get("tier").value())?;
                let outcome = self.run(&command)?;
                return Ok(shown(&outcome));
            }
            other => return Err(op.wrong(format!("no such operation: {other}"))),
        };
        Ok(shown(&self.run(&grant(command))?))
    }

    /// Closes whatever is due.
    fn sweep(&mut self) -> Result<Value, Mismatch> {
        let due: Vec<GrantNo> = self.books.projections.grants.due(self.now).collect();
        let before = self.history.len();
        for number in due {
            // What is refused counts for nothing: it is no event.
            let _ = self.run(&grant(GrantCommand::Expire(number)))?;
        }
        Ok(json!({ "swept": self.history.len() - before }))
    }

    /// Decides and folds one command; afterwards every invariant must hold, and a replay of
    /// everything that happened must be in the same state.
    fn run(&mut self, command: &Command) -> Result<Result<Answer, Rejection>, Mismatch> {
        let mut events = Vec::new();
        let outcome = execute(
            &mut Execution {
                books: &mut self.books,
                at: self.now,
                events: &mut events,
            },
            command,
        );
        for event in events {
            let fact = Recorded {
                position: self.replayed.position.next(),
                recorded_at: self.now,
                event: &event,
            };
            let seen = self.audit.see(&self.replayed, fact);
            seen.map_err(|breach| Mismatch::new("invariant", breach.to_string()))?;
            self.replayed.apply(fact);
            self.history.push(event);
        }
        let held = self.audit.close(&self.replayed);
        held.map_err(|breach| Mismatch::new("invariant", breach.to_string()))?;
        if self.replayed != self.books.projections {
            return Err(Mismatch::new("replay", "ends in another state"));
        }
        Ok(outcome)
    }

    fn balance(&self, account: Account) -> u128 {
        let accounts = &self.books.projections.accounts;
        accounts.balance(AssetNo::ETH, account).above_zero().0
    }

    /// Everything that a scenario may expect something of, beside the results of its steps.
    pub(super) fn found(&self) -> Value {
        json!({
            "pool": self.pool(), "operator": self.operator(), "funds": self.funds(),
            "grant_states": self.states(), "identity_days": self.days(),
            "identity_days_sum": self.days_together(), "grants": self.rows(),
        })
    }

    fn pool(&self) -> Value {
        let pool = self.books.projections.grants.pools()[0];
        json!({
            "seeded": number(pool.seeded), "topped_up": number(pool.topped_up),
            "credited": number(pool.credited), "granted": number(pool.granted),
            "available": number(Amount(self.balance(Account::GrantsAvailable(PoolNo::HOUSE)))),
            "reserved": number(Amount(self.balance(Account::GrantsReserved(PoolNo::HOUSE)))),
        })
    }

    /// What the payers paid for, less what the pool was credited with; what nobody paid for.
    fn operator(&self) -> Value {
        let pool = self.books.projections.grants.pools()[0];
        let overrun = self.balance(Account::Overrun);
        // Revenue is credited with the whole cost of the work, whoever bears it.
        let revenue = self.balance(Account::Revenue) - pool.granted.0 - overrun;
        json!({ "revenue": number(Amount(revenue)), "overrun": number(Amount(overrun)) })
    }

    fn funds(&self) -> Value {
        let names = &self.books.projections.names;
        let funds = |name: &String| {
            let payer = Label::new(name).ok().and_then(|name| names.payer(&name));
            let funds = payer.map_or(0, |payer| self.balance(Account::Payer(payer)));
            (name.clone(), number(Amount(funds)))
        };
        self.funded.iter().map(funds).collect::<Map<_, _>>().into()
    }

    fn days(&self) -> Value {
        let mut days = Map::new();
        for (identity, known) in self.books.projections.grants.identities() {
            for (day, used) in known.days() {
                let (absorbed, held) = (number(used.absorbed), number(used.held));
                let key = format!("{identity}/{}", day.0);
                days.insert(key, json!({ "absorbed": absorbed, "held": held }));
            }
        }
        days.into()
    }

    fn days_together(&self) -> Value {
        let (mut absorbed, mut held) = (Amount::ZERO, Amount::ZERO);
        for (_, known) in self.books.projections.grants.identities() {
            for (_, used) in known.days() {
                absorbed = absorbed.plus(used.absorbed);
                held = held.plus(used.held);
            }
        }
        json!({ "sum": { "absorbed": number(absorbed), "held": number(held) } })
    }

    /// How many requests stand where, by how they are served.
    fn states(&self) -> Value {
        let mut states = Map::new();
        for (_, row) in self.rows().as_object().into_iter().flatten() {
            let word = |key: &str| row[key].as_str().unwrap_or("?").to_owned();
            let key = format!("{}:{}", word("serve"), word("state"));
            let count = states.entry(key).or_insert_with(|| json!(0));
            *count = json!(count.as_u64().unwrap_or(0) + 1);
        }
        states.into()
    }

    /// The audit row of every request.
    fn rows(&self) -> Value {
        let mut rows = Map::new();
        let mut names: Vec<String> = Vec::new();
        let mut position = Position::ORIGIN;
        let mut requests = std::collections::BTreeMap::new();
        for event in &self.history {
            position = position.next();
            if let Event::GrantDecided(one) = event {
                requests.insert(one.grant, names.len());
                names.push(one.request.to_string());
                rows.insert(one.request.to_string(), decided(one));
            } else if let Some((grant, add)) = change(event)
                && let Some(row) = requests
                    .get(&grant)
                    .and_then(|at| rows.get_mut(&names[*at]))
            {
                add_to(row, &add);
            }
        }
        rows.into()
    }
}

/// The row of a request that was just decided.
fn decided(one: &purser_events::grant::GrantDecided) -> Value {
    let held = sum_of(&one.holds);
    let paid = one.payer.map_or(Amount::ZERO, |_| one.charge);
    let state = match (one.serve.as_str(), one.valid_ms, held, paid) {
        (_, _, held, _) if held > Amount::ZERO => "reserved",
        ("gate", _, _, Amount::ZERO) => "awaiting",
        ("gate", ..) => "full_price",
        _ => "quoted",
    };
    json!({
        "state": state, "serve": one.serve.as_str(),
        "reason": one.reason.map(|reason| reason.as_str()),
        "absorb": number(one.absorb), "charge": number(one.charge),
        "paid": number(paid), "reserved": number(held), "absorbed": 0, "returned": 0,
        "user_charge": 0, "refund": 0, "credit": 0, "overrun": 0,
    })
}

/// What an event changes on the row of its request: words are set, numbers are added.
fn change(event: &Event) -> Option<(GrantNo, Value)> {
    Some(match event {
        Event::GrantConfirmed(one) => {
            let held = sum_of(&one.holds);
            let gate = held == Amount::ZERO;
            let state = if gate { "full_price" } else { "reserved" };
            let paid = number(one.paid);
            (
                one.grant,
                json!({ "state": state, "reserved": number(held), "paid": paid }),
            )
        }
        Event::PaymentRefunded(one) => {
            let paid = number(one.paid);
            let mut change = json!({ "paid": paid, "refund": paid });
            if let Some(reason) = one.reason.voids() {
                change["state"] = "voided".into();
                change["reason"] = reason.as_str().into();
            }
            (one.grant, change)
        }
        Event::GrantSettled(one) => {
            let absorbed = one.shares.iter().map(|share| share.absorbed);
            let returned = one.shares.iter().map(|share| share.returned);
            let change = json!({
                "state": "settled", "user_charge": number(one.charged),
                "absorbed": number(absorbed.fold(Amount::ZERO, Amount::plus)),
                "returned": number(returned.fold(Amount::ZERO, Amount::plus)),
                "refund": number(one.refunded), "credit": number(one.credit),
                "overrun": number(one.overrun),
            });
            (one.grant, change)
        }
        Event::GrantReleased(one) => {
            let refund = one.refund.map_or(Amount::ZERO, |refund| refund.amount);
            (one.grant, ended("released", sum_of(&one.returned), refund))
        }
        Event::GrantExpired(one) => {
            let refund = one.refund.map_or(Amount::ZERO, |refund| refund.amount);
            (one.grant, ended("expired", sum_of(&one.returned), refund))
        }
        Event::GrantVoided(one) => (
            one.grant,
            json!({ "state": "voided", "reason": one.reason.as_str() }),
        ),
        Event::GrantOverran(one) => (one.grant, json!({ "overrun": number(one.actual) })),
        _ => return None,
    })
}

fn ended(state: &str, returned: Amount, refund: Amount) -> Value {
    json!({ "state": state, "returned": number(returned), "refund": number(refund) })
}

fn add_to(row: &mut Value, change: &Value) {
    for (key, value) in change.as_object().into_iter().flatten() {
        row[key] = match (row[key].as_u64(), value.as_u64()) {
            (Some(before), Some(more)) => json!(before + more),
            _ => value.clone(),
        };
    }
}

/// The amounts of the scenarios fit JSON's numbers; one that does not is told as text.
fn number(amount: Amount) -> Value {
    u64::try_from(amount.0).map_or_else(|_| amount.to_string().into(), Value::from)
}

fn label(text: &str) -> Result<Label, Mismatch> {
    Label::new(text).map_err(|error| Mismatch::new(text, error.to_string()))
}

fn request(op: &Node<'_>) -> Result<Label, Mismatch> {
    label(op.get("request").text()?)
}

fn grant(command: GrantCommand) -> Command {
    Command::Grant(Box::new(command))
}

/// An estimate below zero cannot even be asked: `None`.
fn decide(op: &Node<'_>) -> Result<Option<GrantCommand>, Mismatch> {
    let est: i64 = op.get("est").integer()?;
    let Ok(est) = u128::try_from(est) else {
        return Ok(None);
    };
    let identity = op.get("identity");
    let identity = identity.is_there().then(|| identity.text());
    let identity = identity.transpose()?.map(label).transpose()?;
    let prepaid = op.get("mode").value() == "prepaid";
    Ok(Some(GrantCommand::Decide(DecideGrant {
        request: request(op)?,
        identity,
        est: Amount(est),
        mode: if prepaid {
            PayMode::Prepaid
        } else {
            PayMode::Invoice
        },
    })))
}

/// A payment without an id is the only one of its request.
fn confirm(op: &Node<'_>) -> Result<GrantCommand, Mismatch> {
    let request = request(op)?;
    let id = op.get("payment");
    let id = if id.is_there() {
        id.text()?
    } else {
        request.as_str()
    };
    Ok(GrantCommand::Confirm(ConfirmGrant {
        paid: PaidBy {
            amount: Amount(op.get("paid").integer()?),
            rail: label("invoice")?,
            payment: label(id)?,
        },
        request,
    }))
}

fn set_tier(identity: &str, tier: &Value) -> Result<Command, Mismatch> {
    let tier = tier.as_str().and_then(Tier::parse);
    let tier = tier.ok_or_else(|| Mismatch::new(identity, "has no tier"))?;
    Ok(grant(GrantCommand::SetTier(SetTier {
        identity: label(identity)?,
        tier: Some(tier),
    })))
}

/// An outcome in the words of the file.
fn shown(outcome: &Result<Answer, Rejection>) -> Value {
    let answer = match outcome {
        Ok(Answer::Grant(answer)) => answer,
        Ok(_) => return json!({ "ok": true }),
        Err(rejection) => {
            let word = match rejection {
                Rejection::RequestDiffers => "conflict",
                Rejection::RequestClosed => "closed",
                other => other.code(),
            };
            return json!({ "error": word });
        }
    };
    with_repetition(answer)
}

fn with_repetition(answer: &GrantAnswer) -> Value {
    let mut shown = match answer.what {
        Granted::Decided(one) => json!({
            "serve": one.serve.as_str(), "absorb": number(one.absorb),
            "charge": number(one.charge), "reason": one.reason.map(|reason| reason.as_str()),
        }),
        Granted::Refused { reason, .. } => return json!({ "error": reason.as_str() }),
        Granted::Late { .. } => return json!({ "error": "closed" }),
        _ => json!({ "ok": true }),
    };
    if answer.repeated {
        shown["replayed"] = true.into();
    }
    shown
}
