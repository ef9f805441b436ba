//! The scenarios of the grants, from their file, over real HTTP: parallel steps are sent over as
//! many connections as there are operations, up to 64.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use purser::conformance::freetier::{Counts, compare, expanded};
use purser::service::{self, GrantsGenesis, Running};
use purser_events::{Amount, BasisPoints, Label};
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::server::{Seen, Server, Start, Who};

const FREETIER: &str = include_str!("../data/vectors/freetier.json");

/// Connections that ask at once.
const CONNECTIONS: usize = 64;

/// How often each scenario with a parallel step is played.
const ROUNDS: usize = 2;

/// A server that a scenario is played on, and the requests that it named.
struct Stage {
    server: Server,
    requests: BTreeSet<String>,
    funded: Vec<String>,
}

/// Rules and pool of a scenario, from the beginning of the log.
async fn opened(defaults: &Value, setup: &Value) -> Server {
    let data = TempDir::new().expect("a directory can be made");
    let mut settings = service::Settings::new(data.path());
    settings.test_clock = true;
    let whole = |value: &Value| value.as_u64().expect("a number");
    let budget = |tier| Amount(whole(&defaults["budgets"][tier]).into());
    let share = u16::try_from(whole(&defaults["credit_bps"])).expect("a rate");
    settings.genesis.grants = GrantsGenesis {
        asset: Label::new("U").expect("a short text"),
        exponent: 0,
        seed: Amount(whole(&setup["pool"]).into()),
        credit_share: BasisPoints::new(share).expect("a rate"),
        budgets: ["new", "established", "trusted", "elite"].map(budget),
    };
    let running = tokio::task::spawn_blocking(move || Running::open(&settings));
    let running = running.await.expect("opening does not panic");
    let server = Server::on(running.expect("it opens"), data, Start::default().settings).await;
    for (rule, default) in [
        ("grant_quote_ttl_ms", "quote_ttl_ms"),
        ("grant_hold_ttl_ms", "hold_ttl_ms"),
    ] {
        let change = json!({"rule": rule, "value": defaults[default]});
        let seen = server.post("/v1/policy", Who::Operator, &change).await;
        assert_eq!(seen.status, 200, "{seen:?}");
    }
    server
}

impl Stage {
    async fn begin(defaults: &Value, setup: &Value) -> Self {
        let mut stage = Self {
            server: opened(defaults, setup).await,
            requests: BTreeSet::new(),
            funded: Vec::new(),
        };
        for (identity, tier) in setup["tiers"].as_object().into_iter().flatten() {
            let path = format!("/v1/identities/{identity}/tier");
            let tier = json!({"tier": tier});
            let seen = stage.server.post(&path, Who::Operator, &tier).await;
            assert_eq!(seen.status, 200, "{seen:?}");
        }
        for (payer, amount) in setup["funds"].as_object().into_iter().flatten() {
            let path = format!("/v1/payers/{payer}/deposits");
            let funds = json!({
                "amount": amount.to_string(), "asset": "U", "payment_id": payer, "source": "cash",
            });
            let seen = stage.server.post(&path, Who::Coordinator, &funds).await;
            assert_eq!(seen.status, 200, "{seen:?}");
            stage.funded.push(payer.clone());
        }
        stage
    }

    /// Moves the clock to where an operation stands, if it is not past that.
    async fn wait_until(&self, op: &Value) {
        if let Some(at) = op["t_ms"].as_u64() {
            let body = json!({"now_ms": at});
            let moved = self.server.post("/v1/test-clock", Who::Operator, &body);
            let moved = moved.await;
            assert!([200, 409].contains(&moved.status), "{moved:?}");
        }
    }

    fn note(&mut self, op: &Value) {
        if let ("decide", Some(request)) = (word(&op["op"]), op["request"].as_str()) {
            self.requests.insert(request.to_owned());
        }
    }

    /// Plays one step; what it answers, in the words of the file.
    async fn play(mut self, step: &Value) -> (Self, Value) {
        let Some(parallel) = step["parallel"].as_array() else {
            let mut first = None;
            for op in expanded(step) {
                self.note(&op);
                if op["op"] != "sweep" {
                    self.wait_until(&op).await;
                }
                let result = sent(&self.server, &op).await;
                first.get_or_insert(result);
            }
            return (self, first.unwrap_or(Value::Null));
        };
        let ops: Vec<Value> = parallel.iter().flat_map(expanded).collect();
        ops.iter().for_each(|op| self.note(op));
        // A sweep is the moving of the clock: the one side of its race.
        if ops.iter().all(|op| op["op"] != "sweep") {
            self.wait_until(&ops[0]).await;
        }
        let Self { server, .. } = self;
        let (server, counts) = at_once(server, ops).await;
        (Self { server, ..self }, counts.into_result())
    }
}

/// Sends all operations over many connections at once.
async fn at_once(server: Server, ops: Vec<Value>) -> (Server, Counts) {
    let server = Arc::new(server);
    let asked = Arc::new(tokio::sync::Mutex::new(ops));
    let mut connections = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (server, asked) = (Arc::clone(&server), Arc::clone(&asked));
        connections.spawn(async move {
            let mut answers = Vec::new();
            loop {
                let Some(op) = asked.lock().await.pop() else {
                    return answers;
                };
                let result = sent(&server, &op).await;
                answers.push((op, result));
            }
        });
    }
    let mut counts = Counts::default();
    for (op, result) in connections.join_all().await.into_iter().flatten() {
        counts.count(&op, &result);
    }
    let server = Arc::into_inner(server).expect("nobody asks any more");
    (server, counts)
}

/// Where the log ends: a write that changes nothing tells.
async fn end(server: &Server) -> u64 {
    let same = json!({"tier": null});
    let path = "/v1/identities/nobody/tier";
    server.post(path, Who::Operator, &same).await.position()
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or("?")
}

/// Sends one operation; what it answers, in the words of the file.
async fn sent(server: &Server, op: &Value) -> Value {
    let text = |name: &str| op[name].to_string();
    let path = |verb: &str| format!("/v1/grants/{}/{verb}", word(&op["request"]));
    let (path, who, body) = match word(&op["op"]) {
        "sweep" => {
            let before = end(server).await;
            let body = json!({"now_ms": op["t_ms"]});
            let moved = server.post("/v1/test-clock", Who::Operator, &body).await;
            return json!({"swept": moved.position() - before});
        }
        "decide" => {
            let mut body = json!({
                "request": op["request"], "est": text("est"),
                "mode": op.get("mode").unwrap_or(&json!("invoice")),
            });
            if op["identity"].is_string() {
                body["identity"] = op["identity"].clone();
            }
            ("/v1/grants/decide".to_owned(), Who::Coordinator, body)
        }
        "confirm" => {
            let payment = op.get("payment").unwrap_or(&op["request"]);
            let body = json!({"paid": text("paid"), "payment": payment});
            (path("confirm"), Who::Coordinator, body)
        }
        "settle" => {
            let body = json!({"actual": text("actual")});
            (path("settle"), Who::Coordinator, body)
        }
        "release" => (path("release"), Who::Coordinator, json!({})),
        "set_tier" => {
            let path = format!("/v1/identities/{}/tier", word(&op["identity"]));
            (path, Who::Operator, json!({"tier": op["tier"]}))
        }
        other => panic!("no such operation: {other}"),
    };
    shown(op, &server.post(&path, who, &body).await)
}

/// An answer in the words of the file.
fn shown(op: &Value, seen: &Seen) -> Value {
    if seen.status >= 400 {
        let code = match seen.code() {
            "request_differs" => "conflict",
            "request_closed" => "closed",
            // An estimate below zero is no text of digits.
            "invalid_field" if seen.body["errors"][0]["field"] == "est" => "bad_amount",
            other => other,
        };
        return json!({"error": code});
    }
    let mut result = match word(&op["op"]) {
        "decide" => json!({
            "serve": seen.body["serve"], "reason": seen.body["reason"],
            "absorb": number(&seen.body["absorb"]), "charge": number(&seen.body["charge"]),
        }),
        _ => json!({"ok": true}),
    };
    if seen.body["replayed"] == true {
        result["replayed"] = true.into();
    }
    result
}

/// An amount as the file writes it.
fn number(text: &Value) -> Value {
    let digits = text.as_str().unwrap_or("0");
    digits.parse::<u64>().expect("a small amount").into()
}

/// What a scenario may expect something of.
impl Stage {
    async fn found(&self) -> Value {
        let path = format!("/v1/pool?min_position={}", end(&self.server).await);
        let pool = self.get(&path).await;
        let members = [
            "seeded",
            "topped_up",
            "credited",
            "granted",
            "available",
            "reserved",
        ];
        let members = members.map(|name| (name.to_owned(), number(&pool[name])));
        let bodies = self.bodies().await;
        let (days, sum) = days(&bodies);
        let rows = bodies
            .iter()
            .map(|(request, body)| (request.clone(), row(body)));
        let grants = Value::from(Map::from_iter(rows));
        json!({
            "pool": Map::from_iter(members), "funds": self.funds().await,
            "operator": self.operator(&pool).await, "grant_states": states(&grants),
            "identity_days": days, "identity_days_sum": sum, "grants": grants,
        })
    }

    async fn get(&self, path: &str) -> Value {
        let seen = self.server.get(path, Who::Auditor).await;
        assert_eq!(seen.status, 200, "{path}: {seen:?}");
        seen.body
    }

    /// What stands on an account; nothing where it never moved.
    async fn balance(&self, account: &str) -> u64 {
        let path = format!("/v1/accounts/{account}");
        let seen = self.server.get(&path, Who::Auditor).await;
        number(&seen.body["balances"][0]["balance"])
            .as_u64()
            .expect("an amount")
    }

    /// Revenue is credited with the whole cost of the work, whoever bears it.
    async fn operator(&self, pool: &Value) -> Value {
        let granted = number(&pool["granted"]).as_u64().expect("an amount");
        let overrun = self.balance("operator:overrun").await;
        let revenue = self.balance("pool:revenue").await;
        json!({"revenue": revenue - granted - overrun, "overrun": overrun})
    }

    async fn funds(&self) -> Value {
        let mut funds = Map::new();
        for payer in &self.funded {
            let has = self.balance(&format!("payer:{payer}")).await;
            funds.insert(payer.clone(), has.into());
        }
        funds.into()
    }

    /// The audit row of every request that was decided.
    async fn bodies(&self) -> BTreeMap<String, Value> {
        let mut bodies = BTreeMap::new();
        for request in &self.requests {
            let path = format!("/v1/grants/{request}");
            let seen = self.server.get(&path, Who::Auditor).await;
            if !seen.is(404, "unknown_request") {
                assert_eq!(seen.status, 200, "{seen:?}");
                bodies.insert(request.clone(), seen.body);
            }
        }
        bodies
    }
}

/// What each identity was granted, by the day on which it counts; and the sums.
fn days(bodies: &BTreeMap<String, Value>) -> (Value, Value) {
    let mut days: BTreeMap<String, [u64; 2]> = BTreeMap::new();
    for body in bodies.values() {
        let amount = |name: &str| number(&body[name]).as_u64().expect("an amount");
        let is_open = body["state"] == "reserved";
        let held = if is_open { amount("held") } else { 0 };
        if held + amount("absorbed") > 0 {
            let key = format!("{}/{}", word(&body["identity"]), body["day"]);
            let day = days.entry(key).or_default();
            *day = [day[0] + amount("absorbed"), day[1] + held];
        }
    }
    let sum = |sum: [u64; 2], day: &[u64; 2]| [sum[0] + day[0], sum[1] + day[1]];
    let sum = days.values().fold([0; 2], sum);
    let shown = |[absorbed, held]: [u64; 2]| json!({"absorbed": absorbed, "held": held});
    let days = days.into_iter().map(|(key, day)| (key, shown(day)));
    (Map::from_iter(days).into(), json!({"sum": shown(sum)}))
}

/// The audit row as the file writes it.
fn row(body: &Value) -> Value {
    let amounts = [
        ("absorb", "quoted_absorb"),
        ("charge", "quoted_charge"),
        ("paid", "paid"),
        ("reserved", "held"),
        ("absorbed", "absorbed"),
        ("returned", "returned"),
        ("user_charge", "charged"),
        ("refund", "refunded"),
        ("credit", "credit"),
        ("overrun", "overrun"),
    ];
    let mut row = json!({
        "state": body["state"], "serve": body["serve"], "reason": body["reason"],
    });
    for (name, member) in amounts {
        row[name] = number(&body[member]);
    }
    row
}

/// How many requests stand where, by how they are served.
fn states(rows: &Value) -> Value {
    let mut states: BTreeMap<String, u64> = BTreeMap::new();
    for (_, row) in rows.as_object().into_iter().flatten() {
        let key = format!("{}:{}", word(&row["serve"]), word(&row["state"]));
        *states.entry(key).or_default() += 1;
    }
    json!(states)
}

async fn plays(defaults: &Value, scenario: &Value) -> Result<(), String> {
    let mut stage = Stage::begin(defaults, &scenario["setup"]).await;
    let mut results = Vec::new();
    for step in scenario["steps"].as_array().expect("steps are a list") {
        let (after, result) = stage.play(step).await;
        stage = after;
        results.push(result);
    }
    let mut found = stage.found().await;
    found["results"] = results.into();
    let compared = compare(&scenario["expect"], &found);
    // Everything over again from the log ends in the same state.
    stage.server.rebuilt(true).await;
    compared.map_err(|mismatch| format!("{}: {mismatch}", scenario["id"]))
}

fn is_parallel(scenario: &Value) -> bool {
    let mut steps = scenario["steps"].as_array().into_iter().flatten();
    steps.any(|step| step["parallel"].is_array())
}

async fn play_those(wanted: impl Fn(&Value) -> bool, rounds: usize) -> usize {
    let file: Value = serde_json::from_str(FREETIER).expect("the vectors are JSON");
    let scenarios = file["scenarios"].as_array().expect("a list");
    let (mut failed, mut played) = (Vec::new(), 0);
    for scenario in scenarios.iter().filter(|one| wanted(one)) {
        played += 1;
        for _ in 0..rounds {
            failed.extend(plays(&file["defaults"], scenario).await.err());
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    played
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_parallel_scenario_of_the_file_holds_over_real_connections() {
    assert_eq!(play_those(is_parallel, ROUNDS).await, 7);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_other_scenario_of_the_file_comes_out_over_http_as_it_says() {
    assert_eq!(play_those(|one| !is_parallel(one), 1).await, 21);
}
