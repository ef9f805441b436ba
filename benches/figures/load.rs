//! A load generator: keep-alive connections that send prepared requests one after the other.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What one run of the generator saw.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// Answers of 2xx.
    pub(crate) answers: u64,
    /// How long the run took.
    pub(crate) took: Duration,
    /// Latencies in microseconds, sorted.
    pub(crate) latencies_us: Vec<u32>,
}

impl Seen {
    /// Answers per second.
    pub(crate) fn per_second(&self) -> f64 {
        self.answers as f64 / self.took.as_secs_f64()
    }

    /// The latency that this share of the answers stays below, in microseconds.
    pub(crate) fn percentile_us(&self, share: f64) -> u32 {
        let last = self.latencies_us.len().saturating_sub(1);
        self.latencies_us
            .get((last as f64 * share) as usize)
            .copied()
            .unwrap_or(0)
    }
}

/// A request as it goes over the wire.
pub(crate) fn post(path: &str, bearer: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nhost: purser\r\nauthorization: Bearer {bearer}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Sends requests over `connections` connections for `period`; `request` makes the next one for
/// a connection, from its number and the count of requests it sent.
pub(crate) fn run<F>(to: SocketAddr, connections: usize, period: Duration, request: F) -> Seen
where
    F: Fn(usize, u64) -> Vec<u8> + Send + Sync + Clone + 'static,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime starts").block_on(async {
        let began = Instant::now();
        let until = began + period;
        let tasks: Vec<_> = (0..connections)
            .map(|number| tokio::spawn(drive(to, number, until, request.clone())))
            .collect();
        let mut latencies_us = Vec::new();
        for task in tasks {
            latencies_us.extend(task.await.expect("a connection ends in order"));
        }
        let took = began.elapsed();
        latencies_us.sort_unstable();
        Seen {
            answers: latencies_us.len() as u64,
            took,
            latencies_us,
        }
    })
}

/// Sends one request and waits for its answer.
pub(crate) fn once(to: SocketAddr, request: &[u8]) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime starts").block_on(async {
        let mut stream = TcpStream::connect(to).await.expect("the server listens");
        stream.write_all(request).await.expect("the server reads");
        answer(&mut stream, &mut Vec::new()).await;
    });
}

async fn drive<F>(to: SocketAddr, number: usize, until: Instant, request: F) -> Vec<u32>
where
    F: Fn(usize, u64) -> Vec<u8>,
{
    let mut stream = TcpStream::connect(to).await.expect("the server listens");
    stream
        .set_nodelay(true)
        .expect("a socket takes its options");
    let mut latencies = Vec::with_capacity(1 << 16);
    let mut buffer = Vec::with_capacity(1 << 16);
    for count in 0.. {
        if Instant::now() >= until {
            break;
        }
        let bytes = request(number, count);
        let sent = Instant::now();
        stream.write_all(&bytes).await.expect("the server reads");
        answer(&mut stream, &mut buffer).await;
        latencies.push(u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX));
    }
    latencies
}

/// Reads one whole answer, which must be a 2xx.
async fn answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) {
    buffer.clear();
    loop {
        let read = stream.read_buf(buffer).await.expect("the server answers");
        assert!(read > 0, "the server closed a connection");
        if let Some(whole) = whole_length(buffer)
            && buffer.len() >= whole
        {
            let head = String::from_utf8_lossy(&buffer[..buffer.len().min(400)]).into_owned();
            assert!(
                head.starts_with("HTTP/1.1 2"),
                "an answer is no 2xx: {head}"
            );
            return;
        }
    }
}

/// The length of head and body, once the head is there.
fn whole_length(buffer: &[u8]) -> Option<usize> {
    let head = buffer.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&buffer[..head]).expect("a head is text");
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<usize>().ok())?
    });
    Some(head + length.unwrap_or(0))
}
