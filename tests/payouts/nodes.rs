//! The nodes of the chain: failover, pauses, other chains, certificates.

use std::sync::Arc;
use std::time::{Duration, Instant};

use purser::payouts::{At, Node, NodeError, NodeSettings};
use tokio::net::TcpListener;

use crate::chain::{CHAIN_ID, Chain};
use crate::proxy::{Lie, Proxy};

fn node(urls: &[&str], chain_id: u64) -> Node {
    let urls = urls.iter().map(|url| url.parse().expect("an address"));
    let settings = NodeSettings {
        urls: urls.collect(),
        chain_id,
        timeout: Duration::from_secs(2),
        backoff: Duration::from_millis(20),
    };
    Node::new(settings).expect("a client")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_node_answers_for_one_that_is_gone() {
    let chain = Chain::start();
    let dead = "http://127.0.0.1:9/key-of-a-provider";
    let node = node(&[dead, &chain.url], CHAIN_ID);
    for _ in 0..3 {
        assert!(node.block(At::Latest).await.expect("one answers").is_some());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_of_another_chain_is_not_asked() {
    let (other, chain) = (Chain::start(), Chain::start());
    let wrong = node(&[&other.url], 1);
    let error = wrong.block(At::Latest).await.expect_err("it is refused");
    assert!(
        matches!(
            error,
            NodeError::OtherChain {
                found: CHAIN_ID,
                wanted: 1,
                ..
            }
        ),
        "{error}"
    );
    let proxy = Proxy::start(&chain.url).await;
    let node = node(&[&proxy.url], CHAIN_ID);
    assert!(node.block(At::Latest).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pauses_double_while_no_node_answers_and_an_answer_ends_them() {
    let chain = Chain::start();
    let proxy = Proxy::start(&chain.url).await;
    let node = node(&[&proxy.url], CHAIN_ID);
    proxy.lie(Lie::Down, 3);
    let began = Instant::now();
    assert!(node.block(At::Latest).await.is_ok());
    let (least, took) = (Duration::from_millis(20 + 40 + 80), began.elapsed());
    assert!(took >= least, "{took:?}");
    proxy.lie(Lie::Down, 100);
    let error = node.block(At::Latest).await.expect_err("it is given up");
    assert!(matches!(error, NodeError::Unreachable { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_do_not_show_what_follows_the_host() {
    let node = node(&["http://127.0.0.1:9/v3/secret-of-a-provider"], CHAIN_ID);
    let error = node.block(At::Latest).await.expect_err("nobody answers");
    let shown = format!("{error} {error:?} {node:?}");
    assert!(
        shown.contains("127.0.0.1:9") && !shown.contains("secret"),
        "{shown}"
    );
}

/// A server of TLS whose certificate nobody vouches for.
async fn untrusted() -> (String, tokio::task::JoinHandle<u32>) {
    purser::tls::use_ring();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der());
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key.expect("a key"));
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config.expect("a configuration")));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let accepted = tokio::spawn(async move {
        let mut accepted = 0;
        while let Ok(Ok((socket, _))) =
            tokio::time::timeout(Duration::from_secs(2), listener.accept()).await
        {
            accepted += u32::from(acceptor.accept(socket).await.is_ok());
        }
        accepted
    });
    (format!("https://localhost:{port}"), accepted)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_that_nobody_vouches_for_is_refused() {
    let (url, accepted) = untrusted().await;
    let node = node(&[&url], CHAIN_ID);
    let error = node.block(At::Latest).await.expect_err("it is not trusted");
    assert!(matches!(error, NodeError::Unreachable { .. }), "{error}");
    assert_eq!(
        accepted.await.expect("it ends"),
        0,
        "no handshake is completed"
    );
}
