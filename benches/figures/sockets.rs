//! Workers on WebSockets, each beating every 15 seconds, against the real program: its share of
//! the machine and its memory, apart from those of the generator.

use std::path::Path;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt, stream};
use purser::client::{Ask, Client, Socket};
use serde::Deserialize;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use super::http::{Server, coordinator_key};
use super::table::Figures;

/// How many workers are connected, unless `PURSER_BENCH_SOCKETS` says otherwise.
const WORKERS: usize = 10_000;

/// How often each beats.
const EVERY: Duration = Duration::from_secs(15);

/// How long they are looked at, once all of them beat.
const PERIOD: Duration = Duration::from_secs(30);

/// Registrations and connections that come about at once.
const AT_ONCE: usize = 64;

#[derive(Deserialize)]
struct Session {
    session_token: String,
}

/// Resident memory of a process in KiB.
fn resident(process: u32) -> f64 {
    let path = format!("/proc/{process}/status");
    let status = std::fs::read_to_string(path).expect("the system tells");
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    kib.and_then(|kib| kib.parse().ok()).expect("a number")
}

/// Processor time of a process so far, in hundredths of a second.
fn busy(process: &str) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).expect("the system tells");
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let fields = fields.split_whitespace().skip(11).take(2);
    fields.filter_map(|ticks| ticks.parse::<f64>().ok()).sum()
}

async fn register(client: &Client, number: usize) -> String {
    let path = "/v1/miners/register";
    let manifest = json!({
        "miner_id": format!("w{number}"), "api_key": "k", "addr": "10.0.0.1:9000",
        "proto": "grpc", "gpu_vram": 24, "gpu_name": "RTX 4090", "cpu_cores": 8, "ram_gb": 32,
        "price_token_per_ksec": "0.5", "max_parallel": 2, "tags": [], "capabilities": [],
    });
    let ask = Ask { path, query: &[] };
    let session: Session = client.post(ask, &manifest).await.expect("it is registered");
    session.session_token
}

async fn open(client: &Client, token: &str) -> Socket {
    let query = [("session_token", token)];
    let path = "/v1/miners/heartbeat";
    let ask = Ask {
        path,
        query: &query,
    };
    client.socket(ask).await.expect("it is connected")
}

/// Beats for ever; tells how long each acknowledgement took, in microseconds.
async fn live(mut socket: Socket, first: Duration, told: tokio::sync::mpsc::UnboundedSender<u32>) {
    tokio::time::sleep(first).await;
    let mut round = 0u32;
    loop {
        round += 1;
        let ts = purser::clock::Clock::Real.now().millis();
        let beat = json!({"ts": ts, "queue_len": round % 4, "avg_latency_ms": 40 + round % 9});
        let began = Instant::now();
        socket
            .send(Message::text(beat.to_string()))
            .await
            .expect("it is sent");
        loop {
            let frame = socket.next().await.expect("an answer").expect("an answer");
            if let Message::Text(text) = frame {
                assert!(text.contains("position"), "{text}");
                break;
            }
        }
        // Nobody listens any more at the end.
        let _ = told.send(u32::try_from(began.elapsed().as_micros()).unwrap_or(u32::MAX));
        tokio::time::sleep(EVERY).await;
    }
}

pub(crate) fn measure(figures: &mut Figures, directory: &Path) {
    let workers = std::env::var("PURSER_BENCH_SOCKETS").ok();
    let workers = workers
        .and_then(|text| text.parse().ok())
        .unwrap_or(WORKERS);
    let data = directory.join("sockets");
    let server = Server::purser(&data);
    let (key, url) = (coordinator_key(&data), format!("http://{}", server.address));
    let (process, its_time) = (server.id(), server.id().to_string());
    let client = Client::new(&url, Some(&key)).expect("a client");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime starts");
    runtime.block_on(async {
        let tokens: Vec<String> = stream::iter(0..workers)
            .map(|number| register(&client, number))
            .buffered(AT_ONCE)
            .collect()
            .await;
        let before = resident(process);
        let sockets: Vec<Socket> = stream::iter(&tokens)
            .map(|token| open(&client, token))
            .buffered(AT_ONCE)
            .collect()
            .await;
        let (told, mut heard) = tokio::sync::mpsc::unbounded_channel();
        for (number, socket) in sockets.into_iter().enumerate() {
            let first = EVERY.mul_f64(number as f64 / workers as f64);
            tokio::spawn(live(socket, first, told.clone()));
        }
        tokio::time::sleep(EVERY).await;
        let memory = resident(process) - before;
        while heard.try_recv().is_ok() {}
        let (began, server_began, own_began) = (Instant::now(), busy(&its_time), busy("self"));
        tokio::time::sleep(PERIOD).await;
        let seconds = began.elapsed().as_secs_f64();
        let (server_busy, own_busy) = (busy(&its_time) - server_began, busy("self") - own_began);
        let mut latencies = Vec::new();
        while let Ok(latency) = heard.try_recv() {
            latencies.push(latency);
        }
        show(
            figures,
            workers,
            &mut latencies,
            [seconds, server_busy, own_busy],
        );
        figures.row(
            "... memory of the server per connection",
            format!("{:.1} KiB", memory / workers as f64),
            String::new(),
            "",
        );
    });
}

/// Shows how long the acknowledgements took in so many seconds, and how busy, in hundredths of a
/// second, the server and the generator were meanwhile.
fn show(figures: &mut Figures, workers: usize, latencies: &mut [u32], times: [f64; 3]) {
    let [seconds, server_busy, own_busy] = times;
    latencies.sort_unstable();
    let at = |share: f64| latencies[((latencies.len() - 1) as f64 * share) as usize];
    let cores = std::thread::available_parallelism().map_or(1.0, |cores| cores.get() as f64);
    let share = |busy: f64| format!("{:.1} %", busy / seconds / cores);
    figures.row(
        &format!("{workers} WebSockets, a beat each 15 s: the server's share of the machine"),
        share(server_busy),
        format!("the generator's {}", share(own_busy)),
        "30 %",
    );
    let per_second = latencies.len() as f64 / seconds;
    figures.row(
        "... beats acknowledged when durable, p50 / p99",
        format!("{per_second:.0}/s, {} / {} us", at(0.5), at(0.99)),
        String::new(),
        "",
    );
}
