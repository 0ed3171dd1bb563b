//! Numbers: closed by the council, allotted by an administrator, used by their
//! owner alone, and read in plain JSON.

use super::{
    access::{did, register_by, resolve},
    *,
};
use pallet_bill_register::{AllottedCodes, FieldCheck, FieldRule};

type Call = pallet_allotment::Call<Runtime>;

#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_registers_its_own_numbers_and_no_other_does() {
    let node = Node::start(RpcConfig::default()).await;
    let client = Connection::open(&node.url()).await.unwrap();
    let ws = node.ws().await;
    let sample = match register_by("hospital", "0000000001") {
        RuntimeCall::BillRegister(pallet_bill_register::Call::register { summary }) => summary,
        other => panic!("{other:?}"),
    };
    let code = sample.key.code;
    let of_hospital = || json!(["did:bill:hospital", null, null]);
    assert_eq!(ask(&ws, "allotment_byIssuer", of_hospital()).await["items"], json!([]));

    let rule = FieldRule { kind: None, check: FieldCheck::Allotted(AllottedCodes::All) };
    let close = pallet_bill_register::Call::set_field_rules {
        scene: None,
        expected_version: Some(0),
        rules: vec![rule].try_into().unwrap(),
    };
    resolve(&node, &client, vec![RuntimeCall::BillRegister(close)]).await;
    let rules = ask(&ws, "bill_fieldRules", json!([null, null])).await;
    assert_eq!(rules["rules"], json!([{ "kind": null, "check": { "allotted": "all" } }]));

    let call = register_by("hospital", "0000000001");
    let refused = node.execute(&client, "//hospital", call).await.error.unwrap();
    assert_eq!(refused.name, "Bill.NumberNotAllotted", "{refused:?}");
    let numbers = |first: &str, last: &str| (first.parse().unwrap(), last.parse().unwrap());
    let (first, last) = numbers("0000000001", "0000000010");
    let allot = Call::allot { issuer: did("hospital"), code, first, last };
    let done = node.execute(&client, "//admin", RuntimeCall::Allotment(allot)).await;
    assert_eq!(done.success, Some(true), "{done:?}");
    let (first, last) = numbers("0000000009", "0000000009");
    let reason = access::reason();
    let void = Call::void { issuer: did("hospital"), code, first, last, reason };
    let done = node.execute(&client, "//admin", RuntimeCall::Allotment(void)).await;
    assert_eq!(done.success, Some(true), "{done:?}");

    for (who, number, expected) in [
        ("hospital-1", "0000000001", Some("Bill.NumberNotAllotted")),
        ("hospital", "0000000001", None),
        ("hospital", "0000000003", None),
        ("hospital", "0000000009", Some("Bill.NumberVoided")),
        ("hospital", "0000000011", Some("Bill.NumberNotAllotted")),
    ] {
        let call = register_by(who, number);
        let error = node.execute(&client, &format!("//{who}"), call).await.error;
        assert_eq!(error.as_ref().map(|error| &error.name[..]), expected, "{who} {number}");
    }
    let range = json!({
        "first": "0000000001",
        "last": "0000000010",
        "used": 2,
        "highest": "0000000003",
        "voided": [{ "first": "0000000009", "last": "0000000009" }],
        "unused": 7,
        "missing": 1,
    });
    let held = ask(&ws, "allotment_byIssuer", of_hospital()).await;
    assert_eq!(held, json!({ "items": [{ "code": code, "ranges": [range] }], "next": null }));
    let owner = ask(&ws, "allotment_ofNumber", json!([code, "0000000007"])).await;
    assert_eq!(owner, json!({ "issuer": "did:bill:hospital", "range": range }));
    let nobody = ask(&ws, "allotment_ofNumber", json!([code, "0000000011"])).await;
    assert_eq!(nobody, Value::Null);
}
