//! Kafka: against a real broker, which `tests/kafka/run` starts.

use crate::kit::*;
use billchain_mocks::systems::Kind;
use billchain_primitives::outbox::ConnectorKind;
use billchain_workers::{Connector, Failure};

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
