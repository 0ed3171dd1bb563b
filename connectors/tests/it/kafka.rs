//! Kafka: against a real broker, which `scripts/connectors kafka` starts.

use crate::kit::*;
use billchain_connectors::kafka::seq_of;
use billchain_mocks::systems::Kind;
use billchain_primitives::outbox::ConnectorKind;
use billchain_workers::Failure;
use rskafka::client::{
    ClientBuilder,
    partition::{OffsetAt, UnknownTopicHandling},
};
use serde_json::Value;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

#[test]
fn every_wrong_setting_is_named_at_once() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let bench = runtime.block_on(Bench::new(Kind::Receiver));
    let making = |text: &str| billchain_workers::Making {
        connector: CONNECTOR,
        kind: ConnectorKind::Kafka,
        endpoint: "test".to_owned(),
        settings: toml::from_str(text).unwrap(),
        tools: bench.tools("store"),
    };
    let build = billchain_connectors::registry().get("kafka/1").unwrap();
    let text = "brokers = [\"x\"]\nprefix = \"\"\npartitions = 0\nreplication = 0\nbatch = 0\nrequest_ms = 0\n\
                authorities = \"/nowhere\"\nuser = \"u\"\n";
    let problem = build(making(text)).err().unwrap();
    for word in [
        "brokers",
        "prefix",
        "partitions",
        "replication",
        "batch",
        "request_ms",
        "authorities",
        "user",
    ] {
        assert!(problem.contains(&format!("settings.{word}")), "{word}: {problem}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_away_is_a_failure_that_passes() {
    let bench = Bench::new(Kind::Receiver).await;
    let text = "brokers = [\"127.0.0.1:1\"]\nprefix = \"t\"\nrequest_ms = 500\n";
    let connector = bench.connector("kafka/1", ConnectorKind::Kafka, text, bench.tools("store"));
    let outcomes = connector.deliver(&life(2)).await;
    assert!(
        outcomes.iter().all(|outcome| matches!(outcome, Err(Failure::Passing { .. }))),
        "{outcomes:?}"
    );
    assert!(connector.probe().await.is_err());
}

/// A line to the broker on which answers get lost.
async fn line(listen: u16, broker: u16, loses: Arc<AtomicBool>) -> tokio::task::JoinHandle<()> {
    let listener = TcpListener::bind(("127.0.0.1", listen)).await.unwrap();
    tokio::spawn(async move {
        let mut answers = 0u64;
        loop {
            let (near, _) = listener.accept().await.unwrap();
            let Ok(far) = TcpStream::connect(("127.0.0.1", broker)).await else { continue };
            let (mut near_read, mut near_write) = near.into_split();
            let (mut far_read, mut far_write) = far.into_split();
            // Each connection loses its line after another number of answers.
            answers = (answers * 5 + 3) % 11;
            let (loses, mut left) = (loses.clone(), answers * 3 + 9);
            tokio::spawn(async move {
                let _ = tokio::io::copy(&mut near_read, &mut far_write).await;
            });
            tokio::spawn(async move {
                let mut buffer = vec![0; 1 << 16];
                while let Ok(count @ 1..) = far_read.read(&mut buffer).await {
                    left = left.saturating_sub(1);
                    if loses.load(Ordering::Relaxed) && left == 0 {
                        return;
                    }
                    if near_write.write_all(&buffer[..count]).await.is_err() {
                        return;
                    }
                }
            });
        }
    })
}

/// All records of a partition: number of the entry, key, and the event.
async fn records(port: u16, topic: &str, partition: i32) -> Vec<(u64, String, Value)> {
    let client = ClientBuilder::new(vec![format!("127.0.0.1:{port}")]).build().await.unwrap();
    let client =
        client.partition_client(topic, partition, UnknownTopicHandling::Error).await.unwrap();
    let (mut found, mut offset) =
        (Vec::new(), client.get_offset(OffsetAt::Earliest).await.unwrap());
    let end = client.get_offset(OffsetAt::Latest).await.unwrap();
    while offset < end {
        let (records, _) = client.fetch_records(offset, 1..1 << 20, 1_000).await.unwrap();
        let from = offset;
        for record in records.into_iter().filter(|record| record.offset >= from) {
            offset = record.offset + 1;
            let key = String::from_utf8(record.record.key.clone().unwrap()).unwrap();
            let value = serde_json::from_slice(record.record.value.as_ref().unwrap()).unwrap();
            found.push((seq_of(&record.record).unwrap(), key, value));
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a broker: scripts/connectors kafka starts it"]
async fn records_of_a_real_broker_stand_once_and_in_order() {
    let ports = std::env::var("BILLCHAIN_TEST_KAFKA").expect("BILLCHAIN_TEST_KAFKA=BROKER,LINE");
    let (broker, near) = ports.split_once(',').unwrap();
    let (broker, near): (u16, u16) = (broker.parse().unwrap(), near.parse().unwrap());
    let loses = Arc::new(AtomicBool::new(true));
    let _line = line(near, broker, loses.clone()).await;
    let bench = Bench::new(Kind::Receiver).await;
    for partitions in [1, 3] {
        let prefix = format!("test{partitions}-{}", std::process::id());
        let text = format!(
            "brokers = [\"127.0.0.1:{near}\"]\nprefix = {prefix:?}\npartitions = {partitions}\nbatch = 7\nrequest_ms = 3000\n"
        );
        let notices = life(60);
        loses.store(true, Ordering::Relaxed);
        // Workers take over from one another in the middle.
        for (at, some) in notices.chunks(40).enumerate() {
            let tools = bench.tools(&format!("{prefix}-{at}"));
            let connector = bench.connector("kafka/1", ConnectorKind::Kafka, &text, tools);
            tell_all(&*connector, some).await;
            // One that does not know that its predecessor was done tells the last ones again.
            let tools = bench.tools(&format!("{prefix}-again-{at}"));
            let again = bench.connector("kafka/1", ConnectorKind::Kafka, &text, tools);
            tell_all(&*again, &some[some.len() - 5..]).await;
        }
        loses.store(false, Ordering::Relaxed);
        let mut all = Vec::new();
        for partition in 0..partitions {
            let found = records(near, &format!("{prefix}.bills"), partition).await;
            assert!(
                found.is_sorted_by(|one, next| one.0 < next.0),
                "partition {partition}: {found:?}"
            );
            all.extend(found);
        }
        all.sort_by_key(|record| record.0);
        let numbers: Vec<u64> = all.iter().map(|record| record.0).collect();
        assert_eq!(numbers, (1..=120).collect::<Vec<u64>>(), "each entry once");
        for ((_, key, event), notice) in all.iter().zip(&notices) {
            assert_eq!(
                (event["id"].as_str(), event["subject"]["bill"].as_str()),
                (Some(&*notice.key_hex()), Some(&**key))
            );
        }
        println!("seen: {} records in {partitions} partitions", all.len());
    }
}
