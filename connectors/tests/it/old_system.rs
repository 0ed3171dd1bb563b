//! The old system: write-back under every fault, older bills, the nightly comparison.

use crate::kit::*;
use billchain_connectors::old_system::{Codes, OldSystem, Progress, Settings};
use billchain_mocks::{faults::Faults, systems::Kind};
use billchain_primitives::outbox::{ConnectorKind, Topic};
use billchain_workers::{Connector, Failure, Tended, Tools};
use serde_json::{Value, json};
use std::sync::Arc;

fn settings(bench: &Bench, more: &str) -> String {
    let key = bench.secret("app_key", "a key of a test\n");
    format!(
        "url = \"{}/public\"\napp_id = \"billchain\"\napp_key_file = {key:?}\n{more}",
        bench.url()
    )
}

fn connector(bench: &Bench, more: &str, tools: Arc<Tools>) -> Box<dyn Connector> {
    bench.connector(
        "mof-public-service/1",
        ConnectorKind::OldBillSystem,
        &settings(bench, more),
        tools,
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn every_change_is_written_back_once_and_in_order_on_a_bad_day() {
    let bench = Bench::new(Kind::OldBills).await;
    let connector = connector(&bench, "", bench.tools("store"));
    bench.faults(bad_day());
    let notices = life(30);
    let told = tell_all(&*connector, &notices).await;
    let counts = bench.running().effects().counts();
    assert_eq!(told.len(), notices.len());
    assert_eq!((counts.effects, counts.twice, counts.out_of_order, counts.refused), (60, 0, 0, 0));
    assert!(counts.repeated > 0, "the faults made no repetition: {counts:?}");
    for effect in bench.running().effects().after(0, 100) {
        let service = if effect.version == 3 { "bill_account" } else { "bill_status" };
        assert_eq!(effect.kind, service, "{effect:?}");
        let account_type = if effect.version == 3 { json!("account") } else { Value::Null };
        assert_eq!(effect.body["account_type"], account_type);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stand_in_that_is_killed_and_lines_that_are_cut_lose_nothing() {
    let mut bench = Bench::new(Kind::OldBills).await;
    let connector = connector(&bench, "", bench.tools("store"));
    let notices = life(4);
    bench.faults(Faults { lost: 1_000, ..Faults::default() });
    for notice in &notices[..4] {
        let outcome = connector.deliver(std::slice::from_ref(notice)).await;
        assert!(matches!(&outcome[..], [Err(Failure::Passing { .. })]), "{outcome:?}");
    }
    assert_eq!(bench.running().effects().counts().effects, 4, "the effects are there all the same");
    bench.running = None;
    assert!(connector.probe().await.is_err(), "it is gone");
    bench.start().await;
    bench.faults(Faults { cut: true, ..Faults::default() });
    assert!(connector.probe().await.is_err(), "the line is cut");
    bench.faults(Faults::default());
    connector.probe().await.expect("the line is back");
    tell_all(&*connector, &notices).await;
    let counts = bench.running().effects().counts();
    assert_eq!((counts.effects, counts.twice, counts.out_of_order), (8, 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_has_expired_or_of_another_authority_is_not_spoken_to() {
    let bench = Bench::new(Kind::OldBills).await;
    let connector = connector(&bench, "", bench.tools("store"));
    bench.faults(Faults { certificate_expired: true, ..Faults::default() });
    let notices = life(1);
    let outcome = connector.deliver(&notices[..1]).await;
    let Err(Failure::Passing { what, .. }) = &outcome[0] else { panic!("{outcome:?}") };
    assert!(what.contains("xpired"), "{what}");
    assert_eq!(bench.running().effects().counts().requests, 0);
    bench.faults(Faults::default());
    billchain_mocks::certificates::write(bench.directory.path()).unwrap();
    let stranger = bench.connector(
        "mof-public-service/1",
        ConnectorKind::OldBillSystem,
        &settings(&bench, ""),
        bench.tools("other"),
    );
    assert!(stranger.deliver(&notices[..1]).await[0].is_err(), "another authority");
    tell_all(&*connector, &notices).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_is_the_operators_matter_and_no_dead_letter() {
    let bench = Bench::new(Kind::OldBills).await;
    let text = settings(&bench, "");
    bench.secret("app_key", "another key");
    let connector = bench.connector(
        "mof-public-service/1",
        ConnectorKind::OldBillSystem,
        &text,
        bench.tools("store"),
    );
    let outcome = connector.deliver(&life(1)[..1]).await;
    assert!(matches!(&outcome[..], [Err(Failure::Passing { .. })]), "{outcome:?}");
    assert_eq!(bench.running().effects().counts().effects, 0);
}

#[test]
fn every_wrong_setting_is_named_at_once() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let bench = runtime.block_on(Bench::new(Kind::OldBills));
    let making = |text: &str| billchain_workers::Making {
        connector: CONNECTOR,
        kind: ConnectorKind::OldBillSystem,
        endpoint: "test".to_owned(),
        settings: toml::from_str(text).unwrap(),
        tools: bench.tools("store"),
    };
    let build = billchain_connectors::registry().get("mof-public-service/1").unwrap();
    let problem = build(making("url = \"ftp://x/\"\napp_id = \"\"\napp_key_file = \"/nowhere\""))
        .err()
        .unwrap();
    for word in ["settings.url", "settings.app_id", "settings.app_key_file"] {
        assert!(problem.contains(word), "{problem}");
    }
    let problem =
        build(making("url = \"https://x\"\napp_id = \"a\"\napp_key = \"k\"")).err().unwrap();
    assert!(problem.contains("app_key"), "an unknown setting is named: {problem}");
}

fn old_bill(number: u64, status: &str, version: u32, fen: i64) -> Value {
    json!({
        "bill_code": "31060125", "bill_number": format!("{number:010}"), "check_code": "a1B2c3",
        "status": status, "version": version, "total_fen": 10_000, "reimbursed_fen": fen,
        "issue_date": "20250101", "changed": 500,
    })
}

/// Puts bills into the old system, as they were before.
async fn seed_bills(bench: &Bench, bills: Vec<Value>) {
    use billchain_workers::tools::{Http, HttpSettings, Request};
    let http = Http::new(HttpSettings { plain: true, ..HttpSettings::default() }).unwrap();
    let url = format!("http://{}/bills", bench.running().admin);
    for some in bills.chunks(2_000) {
        let request = Request::post(&url, "application/json", json!(some).to_string().into_bytes());
        assert_eq!(http.send(request).await.unwrap().status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn older_bills_are_found_by_three_codes_and_downloaded() {
    let bench = Bench::new(Kind::OldBills).await;
    seed_bills(&bench, vec![old_bill(7, "reimbursed", 0, 10_000)]).await;
    let settings: Settings = toml::from_str(&settings(&bench, "")).unwrap();
    let old = OldSystem::new(&settings, bench.tools("store")).unwrap();
    let codes = |number: &str, check: &str| Codes {
        bill_code: "31060125".to_owned(),
        bill_number: number.to_owned(),
        check_code: check.to_owned(),
    };
    let found = old.query(&codes("0000000007", "a1B2c3")).await.unwrap().unwrap();
    assert_eq!((found.status.as_str(), found.reimbursed_fen), ("reimbursed", 10_000));
    for wrong in [codes("0000000007", "A1B2c3"), codes("0000000008", "a1B2c3")] {
        assert_eq!(old.query(&wrong).await, Ok(None));
        assert_eq!(old.download(&wrong).await, Ok(None));
    }
    let download = old.download(&codes("0000000007", "a1B2c3")).await.unwrap().unwrap();
    let text = String::from_utf8_lossy(&download.zip);
    assert!(text.contains("<RandomNumber>a1B2c3</RandomNumber>"), "{text}");
    assert_eq!(download.digest, billchain_crypto::sm3::sm3(&download.zip));
    for end in 0..download.zip.len() {
        let cut = billchain_connectors::old_system::checked_zip(download.zip[..end].to_vec());
        assert!(cut.is_err(), "an archive of {end} bytes");
    }
}

/// Runs rounds' steps until one rests.
async fn compare(connector: &dyn Connector, now: u64) -> Result<u32, Failure> {
    for step in 1..1_000 {
        if connector.tend(now).await? == Tended::Rested {
            return Ok(step);
        }
    }
    panic!("the comparison does not end");
}

fn last(tools: &Tools) -> Progress {
    serde_json::from_slice(&tools.store.get(b"compare/last").unwrap().unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_comparison_finds_each_difference_goes_on_after_a_break_and_repairs() {
    let bench = Bench::new(Kind::OldBills).await;
    let count = 5_300u64;
    let mut old = Vec::new();
    for number in 0..count {
        let view = bill_view(number * 2, "reimbursed", 3, 10_000);
        bench.chain.bills.lock().insert(bill_name(number * 2), view);
        match number {
            // Behind, lacking, another amount.
            100 => old.push(old_bill(200, "locked", 2, 0)),
            2_600 => {}
            5_299 => old.push(old_bill(10_598, "reimbursed", 3, 9_999)),
            _ => old.push(old_bill(number * 2, "reimbursed", 3, 10_000)),
        }
    }
    // Older than the chain: some among ours, and many in one stretch.
    old.push(old_bill(201, "normal", 0, 0));
    old.extend((0..3_000).map(|n| {
        let mut bill = old_bill(n, "normal", 0, 0);
        bill["bill_code"] = json!("31060124");
        bill
    }));
    seed_bills(&bench, old).await;
    let tools = bench.tools("store");
    let more = "[compare]\nat_minute = 0\nevery_s = 60\ngrace_s = 0\n";
    let first = connector(&bench, more, tools.clone());
    // The node goes away in the middle; the worker dies, and another one goes on.
    *bench.chain.calls_left.lock() = Some(9);
    let now = 1_000_000_000_000;
    compare(&*first, now).await.expect_err("the node is away");
    let broken: Progress =
        serde_json::from_slice(&tools.store.get(b"compare/progress").unwrap().unwrap()).unwrap();
    assert!((1..count).contains(&broken.compared), "{broken:?}");
    drop(first);
    *bench.chain.calls_left.lock() = None;
    let second = connector(&bench, more, tools.clone());
    compare(&*second, now).await.unwrap();
    let done = last(&tools);
    assert_eq!((done.compared, done.repaired, done.on_their_way), (count, 3, 0), "{done:?}");
    assert!(done.only_there >= 1, "{done:?}");
    let retold: Vec<String> =
        bench.chain.retold.lock().iter().map(|(key, _)| key.to_string()).collect();
    assert_eq!(retold, [bill_name(200), bill_name(5_200), bill_name(10_598)]);
    let records = tools.store.entries(b"compare/repair/", None, 10).unwrap();
    assert_eq!(records.len(), 3, "each repair is on record");
    // The outbox tells them again; then both sides are the same.
    let notices: Vec<_> = [100u64, 2_600, 5_299]
        .iter()
        .enumerate()
        .map(|(at, number)| {
            bill_notice(at as u64 + 1, number * 2, 3, Topic::BillRetold, "reimbursed", 10_000)
        })
        .collect();
    tell_all(&*second, &notices).await;
    assert_eq!(compare(&*second, now + 1).await.unwrap(), 1, "no round is due yet");
    compare(&*second, now + 60_000).await.unwrap();
    assert_eq!((last(&tools).compared, last(&tools).repaired), (count, 0));
}
