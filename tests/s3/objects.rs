//! A bucket over HTTP: what is put is there, what is read is what is there, whatever goes wrong.

use axum::body::Bytes;
use hyper::Method;
use purser::objects::{Created, ObjectError, Objects, Service, list_all};

use crate::store::{Rule, Store, Wrong};

const BUCKET: &str = "pool-events";
const MAX: u64 = 1 << 20;

fn body(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_are_put_listed_and_read() {
    let store = Store::start(&[BUCKET]);
    let bucket = store.service().bucket(BUCKET);
    for key in ["b/2 +&é.json", "a/1.json", "b/1.json"] {
        bucket
            .put(key, body(key), "text/plain")
            .await
            .expect("it is put");
    }
    let listed = list_all(&bucket, "").await.expect("it is listed");
    let keys: Vec<_> = listed.iter().map(|one| one.key.as_str()).collect();
    assert_eq!(keys, ["a/1.json", "b/1.json", "b/2 +&é.json"]);
    let below = list_all(&bucket, "b/").await.expect("it is listed");
    assert_eq!(below.len(), 2);
    let read = bucket.get("b/2 +&é.json", MAX).await.expect("it is read");
    assert_eq!(read.bytes, body("b/2 +&é.json"));
    let before = listed[0].version.clone();
    bucket
        .put("a/1.json", body("other"), "text/plain")
        .await
        .expect("put");
    let after = list_all(&bucket, "a/").await.expect("listed");
    assert_ne!(
        after[0].version, before,
        "another version once it is written anew"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_of_many_pages_is_whole() {
    let store = Store::start(&[BUCKET]);
    let bucket = store.service().bucket(BUCKET);
    for number in 0..2_345 {
        store.put(BUCKET, &format!("k/{number:05}"), b"x");
    }
    let listed = list_all(&bucket, "k/").await.expect("it is listed");
    assert_eq!(listed.len(), 2_345);
    assert!(listed.is_sorted_by(|one, next| one.key < next.key));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_to_be_new_leaves_alone_what_is_there() {
    let store = Store::start(&[BUCKET]);
    let bucket = store.service().bucket(BUCKET);
    let create = |bytes| bucket.create("log/1", body(bytes), "text/plain");
    assert_eq!(create("one").await, Ok(Created::Written));
    assert_eq!(create("one").await, Ok(Created::Same));
    assert_eq!(create("two").await, Ok(Created::Other));
    assert_eq!(store.object(BUCKET, "log/1").as_deref(), Some(&b"one"[..]));
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_that_pass_are_waited_out() {
    let store = Store::start(&[BUCKET]);
    let bucket = store.service().bucket(BUCKET);
    let faults = [
        Wrong::SlowDown,
        Wrong::Broken,
        Wrong::Silence,
        Wrong::SlowBody,
        Wrong::CutBody,
        Wrong::OtherBytes,
        Wrong::LostAnswer,
    ];
    for (number, wrong) in faults.into_iter().enumerate() {
        let key = format!("f/{number}");
        if matches!(
            wrong,
            Wrong::SlowDown | Wrong::Broken | Wrong::Silence | Wrong::LostAnswer
        ) {
            store.fail(Rule::next(Method::PUT, 2, wrong));
        }
        let put = bucket.put(&key, body("twelve bytes"), "text/plain").await;
        assert_eq!(put, Ok(()), "{wrong:?}");
        // Twice the same other bytes could only be another kind of entity tag.
        let times = if wrong == Wrong::OtherBytes { 1 } else { 2 };
        store.fail(Rule::next(Method::GET, times, wrong));
        let read = bucket.get(&key, MAX).await;
        let read = read.unwrap_or_else(|error| panic!("{wrong:?}: {error}"));
        assert_eq!(read.bytes, body("twelve bytes"), "{wrong:?}");
    }
    assert!(store.has_failed_enough());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_whose_creation_was_not_answered_is_our_own() {
    let store = Store::start(&[BUCKET]);
    let bucket = store.service().bucket(BUCKET);
    store.fail(Rule::next(Method::PUT, 1, Wrong::LostAnswer));
    let created = bucket.create("log/1", body("one"), "text/plain").await;
    assert_eq!(created, Ok(Created::Same));
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_that_stay_are_named() {
    let store = Store::start(&[BUCKET]);
    let bucket = store.service().bucket(BUCKET);
    let missing = bucket.get("nothing", MAX).await;
    assert!(
        matches!(missing, Err(ObjectError::NotFound { .. })),
        "{missing:?}"
    );
    let nowhere = store.service().bucket("no-such-bucket");
    let missing = list_all(&nowhere, "").await;
    assert!(
        matches!(missing, Err(ObjectError::NoBucket { .. })),
        "{missing:?}"
    );
    store.put(BUCKET, "large", &[b'x'; 100]);
    let large = bucket.get("large", 99).await;
    assert!(
        matches!(large, Err(ObjectError::TooLarge { .. })),
        "{large:?}"
    );

    let mut settings = store.settings();
    settings.access.as_mut().expect("there are keys").secret = "wrong".into();
    let wrong = list_all(&Service::new(&settings).bucket(BUCKET), "").await;
    assert!(
        matches!(wrong, Err(ObjectError::Denied { .. })),
        "{wrong:?}"
    );
    settings.access = None;
    let nobody = list_all(&Service::new(&settings).bucket(BUCKET), "").await;
    assert_eq!(nobody, Err(ObjectError::NoAccess));

    store.fail(Rule::next(Method::GET, 4, Wrong::SlowDown));
    let throttled = list_all(&bucket, "").await;
    assert!(
        matches!(throttled, Err(ObjectError::Throttled { .. })),
        "{throttled:?}"
    );
    store.be_down(true);
    let down = list_all(&bucket, "").await;
    assert!(
        matches!(down, Err(ObjectError::Unreachable { .. })),
        "{down:?}"
    );
    store.be_down(false);
    assert!(list_all(&bucket, "").await.is_ok());
    let shown = format!("{:?} {:?}", store.settings(), store.service());
    assert!(!shown.contains("testtest"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_under_way_share_a_bounded_number_of_connections() {
    let store = Store::start(&[BUCKET]);
    let mut settings = store.settings();
    settings.at_once = 4;
    let bucket = Service::new(&settings).bucket(BUCKET);
    for number in 0..200 {
        store.put(BUCKET, &format!("k/{number}"), b"x");
    }
    let keys: Vec<_> = (0..200).map(|number| format!("k/{number}")).collect();
    let reads = keys.iter().map(|key| bucket.get(key, MAX));
    let read = futures_util::future::join_all(reads).await;
    assert!(read.iter().all(Result::is_ok));
    let most = store.connections_max();
    // One that ends may still be open when the next one begins.
    assert!((1..=8).contains(&most), "{most} connections");
}
