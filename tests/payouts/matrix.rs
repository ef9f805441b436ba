//! Every fault, crossed with every place to die.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::{Arc, Mutex};

use crate::case::{Lane, Outcome, play};
use crate::faults;

/// The places, in the order of a payout's life: around each event, and around the broadcast.
const PLACES: &[&str] = &[
    "nowhere",
    "opened",
    "requested",
    "before_signed",
    "signed",
    "before_broadcast",
    "broadcast",
    "sent",
    "mined",
    "before_final",
    "final",
];

fn setting(name: &str, default: usize) -> usize {
    let text = std::env::var(name).ok();
    text.map_or(default, |text| text.parse().expect("a number"))
}

/// A run that waits for a lane.
#[derive(Clone, Copy, Debug)]
struct Job {
    fault: usize,
    place: usize,
    round: usize,
}

impl Job {
    /// Where the program dies: each round once more, a place further on.
    fn kills(&self) -> Vec<String> {
        if self.place == 0 {
            return Vec::new();
        }
        let at = |step: usize| {
            let place = (self.place - 1 + step) % (PLACES.len() - 1) + 1;
            format!("{}:{}", PLACES[place], self.round % 3)
        };
        (0..=self.round % 3).map(|step| at(step * 3)).collect()
    }
}

#[derive(Default)]
struct Tally {
    runs: u32,
    kills: u32,
    doubles: u32,
    losses: u32,
}

impl Tally {
    fn add(&mut self, outcome: Outcome) {
        self.runs += 1;
        self.kills += outcome.kills;
        self.doubles += outcome.doubles;
        self.losses += outcome.losses;
    }
}

/// Runs on one chain: a node takes its dumped state back only up to the size of a request.
const RUNS_OF_A_CHAIN: usize = 50;

type Tallies = Arc<Mutex<BTreeMap<usize, Tally>>>;

async fn lane(jobs: Arc<Mutex<Vec<Job>>>, tallies: Tallies) {
    let mut lane = Lane::start().await;
    for run in 1_usize.. {
        if run % RUNS_OF_A_CHAIN == 0 {
            lane = Lane::start().await;
        }
        let Some(job) = jobs.lock().expect("no panic").pop() else {
            return;
        };
        let (title, fault) = faults::all()[job.fault];
        let name = format!(
            "{title}, killed at {} in round {}",
            PLACES[job.place], job.round
        );
        let outcome = play(&mut lane, &*fault(), (&name, &job.kills())).await;
        assert_eq!((outcome.doubles, outcome.losses), (0, 0), "{name}");
        let mut tallies = tallies.lock().expect("no panic");
        tallies.entry(job.fault).or_default().add(outcome);
    }
}

fn table(tallies: &BTreeMap<usize, Tally>) -> String {
    let mut text = format!(
        "{:46} {:>5} {:>6} {:>8} {:>7}\n",
        "case", "runs", "kills", "doubles", "losses"
    );
    let mut all = Tally::default();
    for (fault, tally) in tallies {
        let title = faults::all()[*fault].0;
        let Tally {
            runs,
            kills,
            doubles,
            losses,
        } = tally;
        writeln!(text, "{title:46} {runs:5} {kills:6} {doubles:8} {losses:7}").expect("text");
        all.runs += runs;
        all.kills += kills;
        all.doubles += doubles;
        all.losses += losses;
    }
    let Tally {
        runs,
        kills,
        doubles,
        losses,
    } = all;
    writeln!(
        text,
        "{:46} {runs:5} {kills:6} {doubles:8} {losses:7}",
        "all"
    )
    .expect("text");
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_fails_wherever_the_program_dies_everybody_is_paid_once() {
    let rounds = setting("PURSER_PAYOUT_ROUNDS", 1);
    let lanes = setting("PURSER_PAYOUT_LANES", 2);
    let only = std::env::var("PURSER_PAYOUT_ONLY").ok();
    let mut jobs = Vec::new();
    for round in 0..rounds {
        for (fault, (title, _)) in faults::all().iter().enumerate() {
            let wanted = only.as_deref().is_none_or(|only| title.contains(only));
            let places = (0..PLACES.len()).filter(|_| wanted);
            jobs.extend(places.map(|place| Job {
                fault,
                place,
                round,
            }));
        }
    }
    let expected = jobs.len();
    jobs.reverse();
    let (jobs, tallies) = (Arc::new(Mutex::new(jobs)), Tallies::default());
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..lanes {
        running.spawn(lane(Arc::clone(&jobs), Arc::clone(&tallies)));
    }
    while let Some(ended) = running.join_next().await {
        ended.expect("no run failed");
    }
    let tallies = tallies.lock().expect("no panic");
    let runs: u32 = tallies.values().map(|tally| tally.runs).sum();
    assert_eq!(runs as usize, expected, "no run was left out");
    // Past the harness's capture: the table is what this test is for.
    let mut out = std::io::stdout();
    writeln!(out, "{}", table(&tallies)).expect("standard output can be written");
}

/// The counts can fail: a payee that got its money twice is a double, one that got a wei less than
/// the log says is a loss.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payee_that_got_another_amount_is_counted() {
    let mut lane = Lane::start().await;
    for (more, expected) in [(true, (1, 0)), (false, (0, 1))] {
        let planted = faults::Planted { more };
        let name = format!("planted, more: {more}");
        let seen = play(&mut lane, &planted, (&name, &[])).await;
        assert_eq!((seen.doubles, seen.losses), expected, "{name}");
    }
}
