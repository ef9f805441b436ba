//! The intake from a bucket, beside a bare client that lists and gets the same files.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use hyper_util::rt::TokioIo;
use purser::delivery::{Inventory, Limits, Pass, Source};
use purser::objects::{Access, Bucket, Objects, Service, ServiceSettings, list_all};
use purser::service::{Genesis, Running, Settings};
use purser_events::Actor;
use purser_events::policy::NodeType;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use tokio::runtime::Runtime;

use super::pool::label;
use super::table::{Figures, median, rate};

const FILES: usize = 7_000;
const EVENTS: usize = 100_000;
const AT_ONCE: usize = 32;
const BUCKET: &str = "pool-events";

pub(crate) fn measure(figures: &mut Figures, directory: &Path) {
    let root = directory.join("s3");
    fill(&root.join(BUCKET));
    let runtime = Runtime::new().expect("a runtime");
    let bucket = runtime.block_on(serve(&root));
    let requests = (FILES + FILES.div_ceil(1_000)) as f64;
    let bare = median(|| {
        let began = Instant::now();
        runtime.block_on(list_and_get(&bucket));
        requests / began.elapsed().as_secs_f64()
    });
    let mut run = 0;
    let ours = median(|| {
        run += 1;
        let data = directory.join(format!("bucket-{run}"));
        let took = take_in(&runtime, &bucket, &data);
        requests / took.as_secs_f64()
    });
    figures.row(
        "bare client: list and get, requests",
        rate(bare),
        String::new(),
        "",
    );
    figures.row(
        "intake of 100,000 events in 7,000 files, requests",
        rate(ours),
        format!("{:.0} % of the bare client", 100.0 * ours / bare),
        "80 %",
    );
}

/// Files as an orchestrator writes them: indented, a handful of events each.
fn fill(bucket: &Path) {
    let folder = bucket.join("eu-central/transcode");
    std::fs::create_dir_all(&folder).expect("a directory");
    for file in 0..FILES {
        let events = EVENTS / FILES + usize::from(file < EVENTS % FILES);
        let (day, minute) = (1 + file / 1_440, file % 1_440);
        let events: Vec<_> = (0..events)
            .map(|index| {
                let worker = (file * 31 + index) % 200;
                serde_json::json!({
                    "DT": format!("2025-11-{day:02}T{:02}:{:02}:30Z", minute / 60, minute % 60),
                    "EventType": "job-processed",
                    "ID": format!("{file:08x}-0000-4000-8000-{index:012x}"),
                    "NodeType": "transcode", "Region": "eu-central", "Version": 1,
                    "Payload": {
                        "computeUnits": 123_456_000 + index, "duration": 2_000,
                        "ethAddress": format!("0x{worker:040x}"), "fees": 98_765_432_100_i64,
                        "pricePerComputeUnit": 800, "realTimeRatio": 6,
                        "responseTime": 300 + worker,
                    },
                })
            })
            .collect();
        let at = format!("202511{day:02}T{:02}{:02}", minute / 60, minute % 60);
        let name = format!("eu-central-transcode-{at}00Z_{at}59Z.json");
        let bytes = serde_json::to_vec_pretty(&events).expect("plain JSON");
        std::fs::write(folder.join(name), bytes).expect("written");
    }
}

/// An S3 server over real HTTP, in this process.
async fn serve(root: &Path) -> Bucket {
    let files = s3s_fs::FileSystem::new(root).expect("the root exists");
    let mut builder = S3ServiceBuilder::new(files);
    builder.set_auth(SimpleAuth::from_single("test", "testtest"));
    let service = builder.build();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a port is free");
    let endpoint = format!("http://{}", listener.local_addr().expect("it is bound"));
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            socket.set_nodelay(true).expect("a socket takes options");
            let service = service.clone();
            let each = hyper::service::service_fn(move |request: hyper::Request<_>| {
                let service = service.clone();
                async move {
                    let request = request.map(|body: hyper::body::Incoming| s3s::Body::from(body));
                    service
                        .call(request)
                        .await
                        .map_err(|error| format!("{error:?}"))
                }
            });
            tokio::spawn(
                hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(socket), each),
            );
        }
    });
    let service = Service::new(&ServiceSettings {
        endpoint: Some(endpoint),
        region: "us-east-1".into(),
        access: Some(Access {
            key_id: "test".into(),
            secret: "testtest".into(),
        }),
        timeout: Duration::from_secs(30),
        at_once: AT_ONCE,
    });
    service.bucket(BUCKET)
}

async fn list_and_get(bucket: &Bucket) {
    let files = list_all(bucket, "").await.expect("it is listed");
    assert_eq!(files.len(), FILES);
    let reads = stream::iter(files).map(|file| async move {
        let object = bucket.get(&file.key, u64::MAX).await.expect("it is read");
        assert_eq!(object.bytes.len() as u64, file.bytes);
    });
    reads.buffer_unordered(AT_ONCE).count().await;
}

fn take_in(runtime: &Runtime, bucket: &Bucket, data: &Path) -> Duration {
    let mut settings = Settings::new(data);
    settings.genesis = Genesis {
        partitions: vec![(NodeType::Transcode, label("eu-central"))],
        ..Genesis::default()
    };
    let running = Running::open(&settings).expect("the ledger opens");
    let pass = Pass {
        source: Source {
            bucket: Arc::new(bucket.clone()),
            prefix: String::new(),
            archive: None,
        },
        inventory: Arc::new(
            Inventory::open(&data.join("inventory.redb"), BUCKET).expect("it opens"),
        ),
        writer: running.service.writer.clone(),
        view: Arc::clone(&running.service.view),
        actor: Actor::Purser,
        limits: Limits {
            files: 250,
            bytes: 64 << 20,
            at_once: AT_ONCE,
            file_bytes: 16 << 20,
        },
    };
    let mut events = 0;
    let began = Instant::now();
    let passed = runtime.block_on(pass.run(&mut |taken| events += taken.answer.events as usize));
    let took = began.elapsed();
    assert_eq!(passed.expect("the pass ends well").taken, FILES as u64);
    assert_eq!(events, EVENTS);
    drop(pass);
    running.stop().expect("it stops");
    took
}
