//! The service over real connections: who is answered, what is bounded, what is logged.

mod kit;
mod rotation;

use billchain_oprf::Opening;
use billchain_references::{
    auth::{CODE, REQUESTER, Signed, TIME},
    client::{Client, ClientError},
    journal,
    limits::Limits,
    service::{EVALUATE, now_ms},
    wire::{MAX_BODY, Question},
};
use kit::{Bureau, WIDE, key, li, zhang};

#[tokio::test]
async fn two_issuers_get_one_reference_and_the_log_says_who_asked() {
    let bureau = Bureau::new(1, 1, &[("hospital-1", WIDE), ("hospital-2", WIDE)]).await;
    let mut first = bureau.client("hospital-1");
    let mut second = bureau.client("hospital-2");
    let a = first.references(&[zhang(), li(), zhang()]).await.unwrap();
    let b = second.references(&[li(), zhang()]).await.unwrap();
    assert_eq!((a[0], a[1], a[2]), (b[1], b[0], b[1]));

    let log = bureau.log(0);
    let (from, head) = journal::verify(&log).unwrap();
    assert_eq!((from, head.number), (1, 2));
    let mut seen = Vec::new();
    bureau.entries(0, |entry| seen.push((entry.requester.clone(), entry.elements)));
    assert_eq!(seen, [("hospital-1".into(), 2), ("hospital-2".into(), 2)]);
    let health = bureau.get(0, "/health").await;
    assert!(health.contains(&head.hash), "{health}");
    let metrics = bureau.get(0, "/metrics").await;
    assert!(
        metrics.contains(r#"billchain_refs_elements_total{requester="hospital-2"} 2"#),
        "{metrics}"
    );
    let keys = bureau.get(0, "/v1/keys").await;
    assert!(keys.contains(&bureau.keys.id()), "{keys}");
}

#[tokio::test]
async fn what_is_in_the_cache_is_not_asked_again() {
    let bureau = Bureau::new(1, 1, &[("hospital-1", WIDE)]).await;
    let directory = tempfile::tempdir().unwrap();
    let mut config = bureau.config("hospital-1");
    config.cache = Some(directory.path().join("cache"));
    let first = Client::new(config.clone()).unwrap().references(&[zhang()]).await.unwrap();
    let mut again = Client::new(config).unwrap();
    assert_eq!(again.references(&[zhang()]).await.unwrap(), first);
    assert_eq!(journal::verify(&bureau.log(0)).unwrap().1.number, 1);
    again.references(&[zhang(), li()]).await.unwrap();
    let mut asked = Vec::new();
    bureau.entries(0, |entry| asked.push(entry.elements));
    assert_eq!(asked, [1, 1], "only the new one was asked");
}

#[tokio::test]
async fn more_than_a_batch_is_asked_in_batches() {
    let wide = Limits { per_second: 10_000, burst: 10_000, per_day: 10_000 };
    let bureau = Bureau::new(1, 1, &[("hospital-1", wide)]).await;
    let people: Vec<_> = (0..1003).map(kit::passport).collect();
    let found = bureau.client("hospital-1").references(&people).await.unwrap();
    let alone = bureau.client("hospital-1").references(&people[1002..]).await.unwrap();
    assert_eq!(found[1002], alone[0]);
    let mut asked = Vec::new();
    bureau.entries(0, |entry| asked.push(entry.elements));
    assert_eq!(asked, [1000, 3, 1]);
}

#[tokio::test]
async fn one_operator_may_be_dead_and_one_may_lie() {
    let mut bureau = Bureau::new(2, 4, &[("hospital-1", WIDE)]).await;
    let right = bureau.client("hospital-1").references(&[zhang()]).await.unwrap();
    bureau.stop(0).await;
    bureau.replace_by_liar(1).await;
    let mut client = bureau.client("hospital-1");
    assert_eq!(client.references(&[zhang()]).await.unwrap(), right);
    bureau.stop(3).await;
    let error = client.references(&[li()]).await.unwrap_err();
    let ClientError::TooFew { expected: 2, found: 1, failures } = &error else {
        panic!("{error}");
    };
    let all = failures.join("; ");
    assert!(all.contains("cannot connect") && all.contains("proof of operator"), "{all}");
}

#[tokio::test]
async fn an_opening_from_the_service_shows_whose_reference_it_is() {
    let bureau = Bureau::new(2, 3, &[("patient", WIDE)]).await;
    let mut client = bureau.client("patient");
    let (reference, opening) = client.opening(&zhang()).await.unwrap();
    assert_eq!(client.references(&[zhang()]).await.unwrap(), [reference]);
    let read = Opening::from_bytes(&opening.to_bytes()).unwrap();
    assert_eq!(read.reference(&bureau.keys, &zhang()), Ok(reference));
    assert!(read.reference(&bureau.keys, &li()).is_err());
}

/// A question as the client asks it, to be spoilt.
fn question(bureau: &Bureau) -> Vec<u8> {
    let blinding = billchain_oprf::Blinding::new(&[zhang()]).unwrap();
    Question { key: bureau.keys.id(), elements: blinding.elements().to_vec() }.to_json()
}

fn headers(id: &str, time_ms: u64, code: &[u8; 32]) -> Vec<(&'static str, String)> {
    vec![(REQUESTER, id.to_owned()), (TIME, time_ms.to_string()), (CODE, hex::encode(code))]
}

#[tokio::test]
async fn whoever_is_not_known_or_asks_twice_is_refused() {
    let bureau = Bureau::new(1, 1, &[("hospital-1", WIDE)]).await;
    let body = question(&bureau);
    let now = now_ms();
    let sign = |id: &str, time_ms, body: &[u8]| {
        let signed = Signed { path: EVALUATE, requester: id, time_ms, body };
        signed.code(&key("hospital-1"))
    };
    let good = headers("hospital-1", now, &sign("hospital-1", now, &body));
    let mut other_body = body.clone();
    other_body.push(b' ');
    let unknown = headers("hospital-9", now, &sign("hospital-9", now, &body));
    let late = headers("hospital-1", now - 61_000, &sign("hospital-1", now - 61_000, &body));
    let early = headers("hospital-1", now + 70_000, &sign("hospital-1", now + 70_000, &body));
    let none = Vec::new();
    // (headers, body, status, part of the text)
    let table = [
        (&none, &body, 401, "billchain-requester is missing"),
        (&unknown, &body, 401, "no such requester, or not its code"),
        (&good, &other_body, 401, "no such requester, or not its code"),
        (&late, &body, 401, "clock"),
        (&early, &body, 401, "clock"),
        (&good, &body, 200, "proof"),
        (&good, &body, 429, "asked already"),
    ];
    for (row, (headers, body, status, text)) in table.into_iter().enumerate() {
        let (found, answer) = bureau.post(0, headers, body).await;
        assert!(found == status && answer.contains(text), "row {row}: {found} {answer}");
    }
    assert_eq!(journal::verify(&bureau.log(0)).unwrap().1.number, 1);
}

#[tokio::test]
async fn a_malformed_question_is_told_which_field_is_wrong() {
    let bureau = Bureau::new(1, 1, &[("hospital-1", WIDE)]).await;
    let id = bureau.keys.id();
    let element = format!("02{}", "ff".repeat(32));
    let table = [
        ("".to_owned(), 400, "no question"),
        ("{}".to_owned(), 400, "key"),
        (format!(r#"{{"key":"{id}","elements":[]}}"#), 400, "elements: 0 of them"),
        (format!(r#"{{"key":"{id}","elements":["02"]}}"#), 400, "elements[0]: no element"),
        (format!(r#"{{"key":"{id}","elements":["zz"]}}"#), 400, "elements[0]"),
        (format!(r#"{{"key":"{id}","elements":["00"],"x":1}}"#), 400, "unknown field"),
        (r#"{"key":"AB","elements":["00"]}"#.to_owned(), 400, "key: expected 16 digits"),
        (format!(r#"{{"key":"{id}","elements":["{element}"]}}"#), 400, "elements[0]"),
    ];
    for (body, status, text) in table {
        let (found, answer) = bureau.ask("hospital-1", body.as_bytes()).await;
        assert!(found == status && answer.contains(text), "{body}: {found} {answer}");
    }
    let other = String::from_utf8(question(&bureau)).unwrap().replace(&id, "0123456789abcdef");
    let (found, answer) = bureau.ask("hospital-1", other.as_bytes()).await;
    assert!(found == 404 && answer.contains("there is no key"), "{found} {answer}");
    let (found, _) = bureau.ask("hospital-1", &vec![b' '; MAX_BODY + 1]).await;
    assert_eq!(found, 413);
}

#[tokio::test]
async fn one_requesters_bound_is_nobody_elses_and_outlives_the_service() {
    let narrow = Limits { per_second: 1, burst: 2, per_day: 3 };
    let mut bureau = Bureau::new(1, 1, &[("greedy", narrow), ("hospital-1", WIDE)]).await;
    let mut greedy = bureau.client("greedy");
    greedy.references(&[zhang(), li()]).await.unwrap();
    let error = greedy.references(&[zhang(), li(), kit::passport(1)]).await.unwrap_err();
    assert!(error.to_string().contains("your bound is 2"), "{error}");
    let error = greedy.references(&[zhang(), li()]).await.unwrap_err().to_string();
    assert!(error.contains("429") && error.contains("on a day"), "{error}");
    bureau.client("hospital-1").references(&[zhang(), li()]).await.unwrap();

    bureau.restart(0).await;
    let error = bureau.client("greedy").references(&[zhang(), li()]).await.unwrap_err();
    assert!(error.to_string().contains("on a day"), "{error}");
    bureau.client("greedy").references(&[zhang()]).await.unwrap();
    let error = bureau.client("greedy").references(&[zhang()]).await.unwrap_err();
    assert!(error.to_string().contains("on a day"), "{error}");
    let mut refused = 0;
    bureau.entries(0, |entry| refused += entry.refused);
    assert_eq!(refused, 1, "the log says what was refused before an answer");
}
