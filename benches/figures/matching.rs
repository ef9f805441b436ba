//! Matches over a large pool that beats all the while: in process, and over HTTP beside a route
//! that only parses the same body and answers.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use purser::service::{Running, Service, Settings};
use purser_commands::Command;
use purser_events::Label;
use purser_events::matching::Ask;
use purser_projections::matching::index::Counting;

use super::http::{self, Server, coordinator_key};
use super::load;
use super::pool::{Dice, beat, label, register, submission};
use super::table::{Figures, rate};

const WORKERS: u64 = 100_000;

/// Heartbeats per second: each worker beats every 15 seconds.
const BEATS_PER_SEC: f64 = 6_667.0;

/// Matches per question.
const MATCHES: usize = 20_000;

/// How long each run over HTTP takes.
const PERIOD: Duration = Duration::from_secs(4);

const CAPABILITIES: [&str; 5] = ["task:llm", "model:a", "model:b", "model:c", "runtime:vllm"];
const REGIONS: [&str; 6] = [
    "eu-west-1",
    "eu-west",
    "eu",
    "us-east",
    "us-west",
    "ap-south",
];

/// A worker of a pool in which everybody offers something else.
fn worker(number: u64) -> Command {
    let Command::RegisterWorker(mut worker) = register(number) else {
        unreachable!("it is a registration")
    };
    let mut dice = Dice(number);
    let (capabilities, manifest) = (dice.next(), &mut worker.manifest);
    let kept = CAPABILITIES.iter().enumerate();
    let kept = kept.filter(|(at, _)| capabilities >> at & 1 == 1);
    manifest.capabilities = kept.map(|(_, word)| label(word)).collect();
    manifest.region = Some(label(REGIONS[dice.below(6) as usize]));
    manifest.vram_mb = [8_192, 12_288, 24_576, 81_920][dice.below(4) as usize];
    manifest.price_micro = dice.below(2_000_000);
    manifest.max_parallel = 1 + dice.below(8) as u32;
    if dice.below(2) == 0 {
        manifest.accel = vec![label("rocm")];
    }
    Command::RegisterWorker(worker)
}

/// What jobs ask for, each with its name.
fn asks() -> [(&'static str, Ask); 4] {
    let labels = |words: &[&str]| -> Vec<Label> { words.iter().map(|word| label(word)).collect() };
    let anybody = Ask {
        top_k: 10,
        ..Ask::default()
    };
    let usual = Ask {
        min_vram_mb: 8_192,
        accel: labels(&["cuda"]),
        capabilities_any: labels(&["model:a", "model:b"]),
        max_price_micro: Some(1_200_000),
        ..anybody.clone()
    };
    let regional = Ask {
        region: Some(label("eu")),
        min_vram_mb: 20_000,
        deadline_ms: Some(700),
        ..anybody.clone()
    };
    let narrow = Ask {
        capabilities_any: labels(&CAPABILITIES),
        max_price_micro: Some(50_000),
        ..anybody.clone()
    };
    [
        ("anybody", anybody),
        ("task, memory, price", usual),
        ("region, deadline", regional),
        ("five capabilities, low price", narrow),
    ]
}

/// Fills the pool and lets everybody beat once.
fn fill(service: &Service) {
    let mut dice = Dice(3);
    for number in (0..WORKERS).step_by(4_000) {
        let registrations = (number..number + 4_000).map(|one| submission(worker(one)));
        let beats = (number..number + 4_000).map(|one| submission(beat(one, &mut dice)));
        for replies in [registrations.collect::<Vec<_>>(), beats.collect()] {
            for reply in service.writer.submit_all_blocking(replies) {
                reply.expect("nothing is refused");
            }
        }
    }
}

/// Lets one worker after the other beat, as often as a pool does, until it is told to end; `send`
/// takes the numbers of those whose turn it is. Answers how many did per second.
fn beat_on(end: &AtomicBool, pause: Duration, mut send: impl FnMut(Range<u64>)) -> f64 {
    let (mut done, began) = (0, Instant::now());
    while !end.load(Ordering::Relaxed) {
        std::thread::sleep(pause);
        let due = (began.elapsed().as_secs_f64() * BEATS_PER_SEC) as u64;
        send(done..due);
        done = due;
    }
    done as f64 / began.elapsed().as_secs_f64()
}

/// Lets the workers beat in the process itself.
fn beat_in_process(service: &Service, end: &AtomicBool) -> f64 {
    let mut dice = Dice(4);
    beat_on(end, Duration::from_millis(2), |numbers| {
        let beats = numbers.map(|one| submission(beat(one % WORKERS, &mut dice)));
        for reply in service.writer.submit_all_blocking(beats.collect()) {
            reply.expect("nothing is refused");
        }
    })
}

/// Lets the workers beat by batches over HTTP.
fn beat_over_http(server: &Server, key: &str, end: &AtomicBool) -> f64 {
    let mut dice = Dice(5);
    beat_on(end, Duration::from_millis(10), |numbers| {
        let beats = numbers.map(|one| http::beat(one % WORKERS, &mut dice));
        let batch = http::batch_of(&beats.collect::<Vec<_>>());
        load::once(server.address, &load::post("/v1/commands", key, &batch));
    })
}

/// Every time another question, unlike all before.
fn unlike(ask: &Ask, number: usize) -> Ask {
    Ask {
        min_ram_mb: number as u32 + 1,
        max_price_micro: Some(1_200_000 - number as u64),
        ..ask.clone()
    }
}

/// How long matches take: half of them, all but a hundredth, all but a thousandth, the longest.
fn timed(service: &Service, ask: impl Fn(usize) -> Ask, counting: Counting) -> [String; 4] {
    let mut times: Vec<Duration> = (0..MATCHES)
        .map(|number| {
            let ask = ask(number);
            let began = Instant::now();
            let now = service.clock.now();
            let found = service
                .view
                .matching(now, |index| index.find(&ask, counting));
            assert_eq!(found.candidates.len(), 10);
            began.elapsed()
        })
        .collect();
    times.sort_unstable();
    [0.5, 0.99, 0.999, 1.0].map(|share: f64| {
        let time = times[((MATCHES - 1) as f64 * share) as usize];
        format!("{:.1}", time.as_secs_f64() * 1e6)
    })
}

pub(crate) fn measure(figures: &mut Figures, directory: &Path) {
    in_process(figures, &directory.join("matching"));
    over_http(figures, &directory.join("matching-http"));
}

fn in_process(figures: &mut Figures, data: &Path) {
    let running = Running::open(&Settings::new(data)).expect("it starts");
    let service = &running.service;
    fill(service);
    let end = AtomicBool::new(false);
    let beaten = std::thread::scope(|scope| {
        let beating = scope.spawn(|| beat_in_process(service, &end));
        let countings = [
            (Counting::None, "best only", "p50 <= 50 us, p99 <= 1 ms"),
            (Counting::First, "first reasons", "p50 <= 1 ms"),
            (Counting::All, "every reason", "p50 <= 1 ms"),
        ];
        for (counting, counted, bar) in countings {
            let mut row = |name: &str, times: [String; 4]| {
                figures.row(
                    &format!("match among {WORKERS} that beat, {counted}: {name}"),
                    format!("{} us", times.join(" / ")),
                    "p50 / p99 / p99.9 / max".into(),
                    bar,
                );
            };
            let asks = asks();
            for (name, ask) in &asks {
                row(name, timed(service, |_| ask.clone(), counting));
            }
            let (name, usual) = &asks[1];
            let times = timed(service, |number| unlike(usual, number), counting);
            row(&format!("{name}, unlike all before"), times);
        }
        end.store(true, Ordering::Relaxed);
        beating.join().expect("it beats to the end")
    });
    let name = "... heartbeats that went on";
    figures.row(name, rate(beaten), String::new(), "6,667/s");
    running.stop().expect("it stops in order");
}

/// The question of [`asks`] that is asked most, as a request has it, with a greatest price.
fn body(price_micro: u64) -> String {
    let (whole, part) = (price_micro / 1_000_000, price_micro % 1_000_000);
    format!(
        "{{\"job_id\":\"j\",\"requirements\":{{\"min_vram_gb\":8,\"accel\":[\"cuda\"],\
         \"capabilities_any\":[\"model:a\",\"model:b\"]}},\
         \"hints\":{{\"max_price\":\"{whole}.{part:06}\"}},\"top_k\":10}}"
    )
}

/// Different prices, far more than a server keeps in mind.
const PRICES: u64 = 8_192;

fn over_http(figures: &mut Figures, data: &Path) {
    let running = Running::open(&Settings::new(data)).expect("it starts");
    fill(&running.service);
    running.stop().expect("it stops in order");
    let server = Server::purser_with(data, &[("PURSER_MATCH_RATE", "off")]);
    let bare = Server::bare();
    let key = coordinator_key(data);
    // Over how many connections, at how many prices, and whether the workers beat.
    let asked = [
        (1, 1, false, ""),
        (64, 1, false, ""),
        (64, 1, true, ", while they beat"),
        (64, PRICES, false, ", always at another price"),
    ];
    for reasons in ["none", "first"] {
        let path = format!("/v1/match?reasons={reasons}");
        for (connections, prices, beats, so) in asked {
            let request = |at| load::post(&path, &key, &body(1_200_000 - at));
            let requests: Arc<[Vec<u8>]> = (0..prices).map(request).collect();
            let ask = |to| {
                let requests = Arc::clone(&requests);
                load::run(to, connections, PERIOD, move |number, count| {
                    let at = count as usize * connections + number;
                    requests[at % requests.len()].clone()
                })
            };
            let parsed = ask(bare.address);
            let end = AtomicBool::new(!beats);
            let (found, beaten) = std::thread::scope(|scope| {
                let beating = scope.spawn(|| beat_over_http(&server, &key, &end));
                let found = ask(server.address);
                end.store(true, Ordering::Relaxed);
                (found, beating.join().expect("it beats to the end"))
            });
            let ratio = found.per_second() / parsed.per_second();
            figures.row(
                &format!("match over HTTP, reasons={reasons}, {connections} connections{so}"),
                format!(
                    "{}, {} / {} us",
                    rate(found.per_second()),
                    found.percentile_us(0.5),
                    found.percentile_us(0.99)
                ),
                format!("{ratio:.2} of bare {}", rate(parsed.per_second())),
                ">= 0.50 of bare",
            );
            if beats {
                let name = "... heartbeats that went on";
                figures.row(name, rate(beaten), String::new(), "6,667/s");
            }
        }
    }
}
