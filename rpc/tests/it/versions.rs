//! Versions of bills, batches and adjustments, from the transaction to the
//! answer.

use super::*;
use billchain_primitives::{
    BatchMode, BillKey, BillNumber, BillStatus, Elements, Hash, ThreeCodes, history::FieldProof,
};
use codec::Decode;
use pallet_bill_update::{StatusItem, SummaryItem};

type UpdateCall = pallet_bill_update::Call<Runtime>;

fn lock(claim: &str) -> StatusChange {
    StatusChange::Lock {
        scene: SceneId(1),
        claim_no: ClaimNo::new(claim).unwrap(),
        on_behalf_of: None,
        grant: None,
        signed_at: NOW,
    }
}

/// Registers the sample under each of these numbers, in one batch.
async fn register_as(node: &Node, client: &Connection, numbers: &[u32]) -> Vec<BillKey> {
    let (RuntimeCall::BillRegister(call), _) = register() else { panic!("another call") };
    let pallet_bill_register::Call::register { summary } = call else { panic!("another call") };
    let with = |number: &u32| {
        let mut bill = summary.clone();
        bill.key.number = format!("{number:010}").parse::<BillNumber>().unwrap();
        bill
    };
    let bills: Vec<_> = numbers.iter().map(with).collect();
    let keys = bills.iter().map(|bill| bill.key).collect();
    let call = pallet_bill_register::Call::<Runtime>::register_batch {
        bills: bills.try_into().unwrap(),
        mode: BatchMode::AllOrNothing,
    };
    let done = node.execute(client, "//hospital", RuntimeCall::BillRegister(call)).await;
    assert_eq!(done.success, Some(true), "{done:?}");
    keys
}

fn batch(items: Vec<(BillKey, StatusChange)>, mode: BatchMode) -> RuntimeCall {
    let items: Vec<_> = items
        .into_iter()
        .map(|(key, change)| StatusItem { key, expected_version: None, change })
        .collect();
    let changes = items.try_into().unwrap();
    RuntimeCall::BillUpdate(UpdateCall::change_status_batch { changes, mode })
}

fn name(key: &BillKey) -> Value {
    json!([key.code, key.number])
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_version_changed_is_shown_and_proved_field_by_field() {
    let node = Node::start(RpcConfig::default()).await;
    let client = Connection::open(&node.url()).await.unwrap();
    let ws = node.ws().await;
    let key = register_as(&node, &client, &[1]).await[0];
    let (code, number) = (key.code.as_str(), key.number.as_str());
    // One version has no difference.
    let error = ws.request::<Value, _>("bill_difference", rpc_params![code, number]).await;
    assert_eq!(refusal(error.unwrap_err()).0, code::INVALID_PARAMS);

    let change = |change| {
        let expected_version = None;
        RuntimeCall::BillUpdate(UpdateCall::change_status { key, expected_version, change })
    };
    let locked = node.execute(&client, "//insurer-a", change(lock("A-1"))).await;
    assert_eq!(locked.success, Some(true), "{locked:?}");
    let unlock = StatusChange::Unlock { reason: Reason::new("材料不全").unwrap() };
    let unlocked = node.execute(&client, "//insurer-a", change(unlock)).await;
    assert_eq!(unlocked.success, Some(true), "{unlocked:?}");

    let history = client.history(code, number).await.unwrap().unwrap();
    assert_eq!(history.iter().map(|v| v.version).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(history[0].difference, None);
    let found = client.difference(code, number, Some(1), Some(2)).await.unwrap().unwrap();
    assert_eq!((found.from, found.to, found.root), (1, 2, history[1].difference));
    assert!(found.root.is_some());
    let holder = found.changes.iter().find(|change| change.field == "lock.holder").unwrap();
    assert_eq!((&holder.old, &holder.new), (&None, &Some(json!("did:bill:insurer-a"))));
    let status = found.changes.iter().find(|change| change.field == "status").unwrap();
    assert_eq!((&status.old, &status.new), (&Some(json!("normal")), &Some(json!("locked"))));
    // Locked and released, nothing differs from the beginning.
    let whole = client.difference(code, number, Some(1), None).await.unwrap().unwrap();
    assert_eq!((whole.from, whole.to, whole.root), (1, 3, None));
    assert_eq!(whole.changes, []);
    let last = client.difference(code, number, None, None).await.unwrap().unwrap();
    assert_eq!((last.from, last.to, last.root), (2, 3, history[2].difference));

    let bill = client.bill(code, number).await.unwrap().unwrap();
    let field = "lock.holder".parse().unwrap();
    let view = client.prove_field(code, number, Some(2), field).await.unwrap().unwrap();
    assert_eq!((view.version, view.present_version), (2, 3));
    assert_eq!((view.present_hash, &view.change), (bill.version_hash, holder));
    let bytes = hex::decode(&view.proof[2..]).unwrap();
    let proof = FieldProof::decode(&mut &bytes[..]).unwrap();
    assert_eq!(proof.verify(bill.version_hash.as_fixed_bytes()), Ok(()));
    assert!(proof.verify(history[1].hash.as_fixed_bytes()).is_err());
    // Its text in the answer does not tell the claim.
    assert!(!view.proof.contains(&hex::encode("A-1")));

    let check = client.verify_history(code, number).await.unwrap().unwrap();
    assert_eq!((check.valid, check.problem, check.versions), (true, None, 3));
    assert_eq!(check.version_hash, bill.version_hash);

    let page = ask(&ws, "bill_history", json!([code, number, 2, 1])).await;
    assert_eq!(page.as_array().unwrap().len(), 1);
    assert_eq!(page[0]["version"], 2);
    let nowhere = json!([code, "9999999999"]);
    for method in ["bill_history", "bill_difference", "bill_verifyHistory", "bill_adjustment"] {
        assert_eq!(ask(&ws, method, nowhere.clone()).await, Value::Null, "{method}");
    }
    let unknown = json!([code, "9999999999", null, "status"]);
    assert_eq!(ask(&ws, "bill_proveField", unknown).await, Value::Null);
    for (method, params, words) in [
        ("bill_history", rpc_params![code, number, 0], "from 1 to"),
        ("bill_history", rpc_params![code, number, 1, 1_025], "from 1 to 1024"),
        ("bill_difference", rpc_params![code, number, 3, 3], "from 1 to 2"),
        ("bill_difference", rpc_params![code, number, 1, 4], "from 2 to 3"),
        ("bill_proveField", rpc_params![code, number, 1, "status"], "from 2 to 3"),
        ("bill_proveField", rpc_params![code, number, 2, "total_fen"], "did not change"),
        ("bill_proveField", rpc_params![code, number, 2, "holder"], "the path of a field"),
    ] {
        let (found, message) = refusal(ws.request::<Value, _>(method, params).await.unwrap_err());
        assert_eq!(found, code::INVALID_PARAMS, "{method}: {message}");
        assert!(message.contains(words), "{method}: {message}");
    }
    node.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_are_answered_item_by_item() {
    let node = Node::start(RpcConfig::default()).await;
    let client = Connection::open(&node.url()).await.unwrap();
    let ws = node.ws().await;
    let keys = register_as(&node, &client, &[1, 2, 3]).await;
    let one = vec![(keys[1], lock("B-1"))];
    let done = node.execute(&client, "//insurer-b", batch(one, BatchMode::AllOrNothing)).await;
    assert_eq!(done.success, Some(true), "{done:?}");

    let items = || keys.iter().map(|key| (*key, lock("A-1"))).collect::<Vec<_>>();
    let call = batch(items(), BatchMode::AllOrNothing);
    let refused = node.execute(&client, "//insurer-a", call).await;
    let error = refused.error.expect("the second is locked");
    assert_eq!((error.pallet.as_str(), error.name.as_str()), ("BillUpdate", "BatchItem"));
    assert_eq!(error.details.as_deref(), Some("index: 1, error: LockedByOther"));

    let done = node.execute(&client, "//insurer-a", batch(items(), BatchMode::PerItem)).await;
    assert_eq!(done.success, Some(true), "{done:?}");
    let refusals: Vec<_> =
        done.events.iter().filter(|event| event.name == "BatchItemRefused").collect();
    assert_eq!(refusals.len(), 1);
    assert_eq!(refusals[0].item, Some(1));
    let why = refusals[0].error.as_ref().expect("it says why");
    assert_eq!((why.pallet.as_str(), why.name.as_str()), ("BillUpdate", "LockedByOther"));
    assert!(done.events.iter().filter(|event| event.name == "Locked").all(|e| e.error.is_none()));

    let hashes = |key| SummaryItem {
        key,
        expected_version: None,
        pdf_hash: Some([1; 32]),
        location_hash: None,
    };
    let updates = keys.iter().copied().map(hashes).collect::<Vec<_>>().try_into().unwrap();
    let mode = BatchMode::AllOrNothing;
    let call = RuntimeCall::BillUpdate(UpdateCall::update_summary_batch { updates, mode });
    let done = node.execute(&client, "//hospital", call).await;
    assert_eq!(done.success, Some(true), "{done:?}");
    // Two writes of one bill by one transaction are one bill.
    let twice = vec![(keys[0], lock("A-1")), (keys[0], lock("A-1"))];
    let unlock = StatusChange::Unlock { reason: Reason::new("材料不全").unwrap() };
    let mut twice = twice;
    twice[0].1 = unlock;
    let done = node.execute(&client, "//insurer-a", batch(twice, BatchMode::AllOrNothing)).await;
    assert_eq!(done.success, Some(true), "{done:?}");
    let touched = client.bills_of(done.hash).await.unwrap().unwrap();
    assert_eq!(touched.len(), 1, "{touched:?}");

    let asked = json!([[name(&keys[2]), [keys[0].code, "9999999999"], name(&keys[0])]]);
    let found = ask(&ws, "bill_getBatch", asked).await;
    assert_eq!((&found[0]["number"], &found[1]), (&json!(keys[2].number), &Value::Null));
    assert_eq!(found[2]["lock"]["holder"], "did:bill:insurer-a");
    assert_eq!(found[2]["pdf_hash"], format!("0x{}", "01".repeat(32)));
    let codes = |check: &str| json!([keys[0].code, keys[0].number, check]);
    let found = ask(&ws, "bill_byCodesBatch", json!([[codes("a1B2c3"), codes("A1B2c3")]])).await;
    assert_eq!((&found[0]["number"], &found[1]), (&json!(keys[0].number), &Value::Null));
    assert_eq!(ask(&ws, "bill_getBatch", json!([[]])).await, json!([]));
    for (method, params, words) in [
        ("bill_getBatch", json!([vec![name(&keys[0]); 501]]), "at most 500"),
        ("bill_getBatch", json!([7]), "a list of at most 500 of [code, number]"),
        ("bill_getBatch", json!([[["31060125"]]]), "[code, number]"),
        ("bill_getBatch", json!([[["31060125", "x"]]]), "10 digits"),
        ("bill_byCodesBatch", json!([[name(&keys[0])]]), "[code, number, check code]"),
    ] {
        let mut positional = jsonrpsee::core::params::ArrayParams::new();
        params.as_array().unwrap().iter().for_each(|one| positional.insert(one).unwrap());
        let error = ws.request::<Value, _>(method, positional).await.unwrap_err();
        let (found, message) = refusal(error);
        assert_eq!(found, code::INVALID_PARAMS, "{method}: {message}");
        assert!(message.contains(words), "{method}: {message}");
    }
    node.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_history_is_read_a_part_at_a_time_and_shown_whole() {
    let node = Node::start(RpcConfig::default()).await;
    let client = Connection::open(&node.url()).await.unwrap();
    let ws = node.ws().await;
    let key = register_as(&node, &client, &[1]).await[0];
    let unlock = || StatusChange::Unlock { reason: Reason::new("材料不全").unwrap() };
    let changes = (0..100).flat_map(|claim| [lock(&format!("A-{claim}")), unlock()]);
    let call = batch(changes.map(|change| (key, change)).collect(), BatchMode::AllOrNothing);
    let done = node.execute(&client, "//insurer-a", call).await;
    assert_eq!(done.success, Some(true), "{:?}", done.error);
    for (from, limit, expected) in [
        (1, 1_024, 1..=201),
        (1, 64, 1..=64),
        (1, 65, 1..=65),
        (137, 64, 137..=200),
        (138, 64, 138..=201),
        (200, 1_024, 200..=201),
    ] {
        let asked = json!([key.code, key.number, from, limit]);
        let shown = ask(&ws, "bill_history", asked).await;
        let shown: Vec<u64> =
            shown.as_array().unwrap().iter().map(|v| v["version"].as_u64().unwrap()).collect();
        assert_eq!(shown, expected.collect::<Vec<_>>(), "from {from}, {limit} at most");
    }
    let checked = ask(&ws, "bill_verifyHistory", name(&key)).await;
    assert_eq!((&checked["valid"], &checked["versions"]), (&json!(true), &json!(201)));
    node.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_history_is_verified_part_by_part() {
    let node = Node::start(RpcConfig::default()).await;
    let client = Connection::open(&node.url()).await.unwrap();
    let ws = node.ws().await;
    let keys = register_as(&node, &client, &[1, 2]).await;
    let unlock = || StatusChange::Unlock { reason: Reason::new("材料不全").unwrap() };
    let changes = (0..100).flat_map(|claim| [lock(&format!("A-{claim}")), unlock()]);
    let call = batch(changes.map(|change| (keys[0], change)).collect(), BatchMode::AllOrNothing);
    let done = node.execute(&client, "//insurer-a", call).await;
    assert_eq!(done.success, Some(true), "{:?}", done.error);

    let (code, number) = (keys[0].code.as_str(), keys[0].number.as_str());
    // 201 versions; each part goes on where the one before ended.
    for (limit, parts) in [(1, 201), (64, 4), (67, 3), (200, 2), (201, 1), (1_024, 1)] {
        let mut cursor = Value::Null;
        for part in 1..=parts {
            let check = ask(&ws, "bill_verifyHistory", json!([code, number, cursor, limit])).await;
            let found = (&check["valid"], &check["versions"]);
            assert_eq!(found, (&json!(true), &json!(201)), "{limit} a part: {check}");
            cursor = check["next"].clone();
            assert_eq!(cursor.is_null(), part == parts, "{limit} a part: {check}");
        }
    }
    let first = ask(&ws, "bill_verifyHistory", json!([code, number, null, 1])).await;
    let next = first["next"].as_str().unwrap();
    let mut forged = next.to_owned();
    let digit = if forged.as_bytes()[20] == b'0' { "1" } else { "0" };
    forged.replace_range(20..21, digit);
    let other = keys[1].number.as_str();
    for (number, wrong) in [(number, &forged[..]), (number, "0x"), (number, "0x00"), (other, next)]
    {
        let params = rpc_params![code, number, wrong];
        let refused = ws.request::<Value, _>("bill_verifyHistory", params).await.unwrap_err();
        let (found, message) = refusal(refused);
        assert_eq!(found, code::INVALID_PARAMS, "{message}");
        assert!(message.contains("`next` of the part before"), "{message}");
    }
    for limit in [0, 1_025] {
        let params = rpc_params![code, number, Value::Null, limit];
        let refused = ws.request::<Value, _>("bill_verifyHistory", params).await.unwrap_err();
        assert_eq!(refusal(refused).0, code::INVALID_PARAMS, "{limit}");
    }
    node.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_whose_time_is_over_is_shown_as_released() {
    let node = Node::start(RpcConfig::default()).await;
    let client = Connection::open(&node.url()).await.unwrap();
    let ws = node.ws().await;
    let key = register_as(&node, &client, &[1]).await[0];
    let (code, number) = (key.code.as_str(), key.number.as_str());
    let call = batch(vec![(key, lock("A-1"))], BatchMode::AllOrNothing);
    assert_eq!(node.execute(&client, "//insurer-a", call).await.success, Some(true));
    let locked = client.bill(code, number).await.unwrap().unwrap();
    let lock = locked.lock.expect("it was locked");
    assert_eq!((lock.version, lock.at.block, lock.at.time), (2, 2, lock.since));

    node.make_block_at(lock.expires.unwrap());
    let still = client.bill(code, number).await.unwrap().unwrap();
    assert_eq!(still.status, BillStatus::Locked, "its last moment is the lock's");
    node.make_block_at(lock.expires.unwrap() + 1);
    let check = "a1B2c3";
    for answer in [
        ask(&ws, "bill_get", json!([code, number])).await,
        ask(&ws, "bill_byCodes", json!([code, number, check])).await,
        ask(&ws, "bill_getBatch", json!([[[code, number]]])).await[0].clone(),
        ask(&ws, "bill_byCodesBatch", json!([[[code, number, check]]])).await[0].clone(),
    ] {
        let seen = (&answer["status"], &answer["lock"], &answer["version"]);
        assert_eq!(seen, (&json!("normal"), &Value::Null, &json!(2)));
    }
    // What is stored is not changed by time, and verifies as it is.
    let history = client.history(code, number).await.unwrap().unwrap();
    assert_eq!(history[1].bill.status, BillStatus::Locked);
    assert!(client.verify_history(code, number).await.unwrap().unwrap().valid);
    node.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_administrators_adjust_a_bill() {
    let node = Node::start(RpcConfig::default()).await;
    let client = Connection::open(&node.url()).await.unwrap();
    let key = register_as(&node, &client, &[1]).await[0];
    let (code, number) = (key.code.as_str(), key.number.as_str());
    assert_eq!(client.adjustment(code, number).await.unwrap(), None);
    let bill = client.bill(code, number).await.unwrap().unwrap();
    let codes = ThreeCodes { key, check_code: bill.check_code };
    let propose = UpdateCall::propose_adjustment {
        elements: Elements { codes, issue_date: bill.issue_date, total: bill.total_fen },
        expected_version: Some(1),
        to: BillStatus::Voided,
        reason: Reason::new("系统故障").unwrap(),
        evidence: [6; 32],
    };
    let done = node.execute(&client, "//admin", RuntimeCall::BillUpdate(propose)).await;
    assert_eq!(done.success, Some(true), "{done:?}");
    let waiting = client.adjustment(code, number).await.unwrap().unwrap();
    assert_eq!((waiting.to, waiting.version), (BillStatus::Voided, 1));
    assert_eq!(waiting.proposer.as_str(), "did:bill:admin");
    assert_eq!(waiting.evidence, Hash::repeat_byte(6));
    let proposal = waiting.proposal;
    let approve = || RuntimeCall::BillUpdate(UpdateCall::approve_adjustment { key, proposal });
    let own = node.execute(&client, "//admin", approve()).await;
    assert_eq!(own.error.expect("it is its own").name, "SameAdministrator");
    let done = node.execute(&client, "//security", approve()).await;
    assert_eq!(done.success, Some(true), "{done:?}");
    assert_eq!(client.adjustment(code, number).await.unwrap(), None);
    let bill = client.bill(code, number).await.unwrap().unwrap();
    assert_eq!((bill.status, bill.version), (BillStatus::Voided, 2));
    let last = client.history(code, number).await.unwrap().unwrap().remove(1);
    assert_eq!(last.operator.as_str(), "did:bill:security");
    assert_eq!(last.proposer.map(|did| did.to_string()).as_deref(), Some("did:bill:admin"));
    node.server.stop().await;
}
