//! Bills in plain JSON: registered, locked, refused, read, and compared with their
//! originals.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_bill_is_registered_locked_refused_and_read_in_plain_json() {
    let node = Node::start(RpcConfig::default()).await;
    let client = Connection::open(&node.url()).await.unwrap();
    let (call, invoice) = register();
    let done = node.execute(&client, "//hospital", call.clone()).await;
    assert_eq!((done.success, &done.error), (Some(true), &None), "{done:?}");
    assert!(done.events.iter().any(|event| event.pallet == "BillRegister"), "{done:?}");

    let (number, digits) = (invoice.key.code.to_string(), invoice.key.number.to_string());
    let bill = client.bill(&number, &digits).await.unwrap().unwrap();
    assert_eq!((bill.total_fen, bill.version), (Fen::new(11_050).unwrap(), 1));
    assert_eq!(bill.xml_hash.0, invoice.xml_hash);
    let by_codes = client.bill_by_codes(&number, &digits, "a1B2c3").await.unwrap();
    assert_eq!(by_codes, Some(bill.clone()));
    assert_eq!(client.bill_by_codes(&number, &digits, "A1B2c3").await.unwrap(), None);
    assert_eq!(client.bills_of(done.hash).await.unwrap(), Some(vec![bill]));

    let again = node.execute(&client, "//hospital", call).await;
    assert_eq!(again.success, Some(true), "{again:?}");

    let lock = |claim: &str| StatusChange::Lock {
        scene: SceneId(1),
        claim_no: ClaimNo::new(claim).unwrap(),
        on_behalf_of: None,
        grant: None,
        signed_at: NOW,
    };
    let locked = node.execute(&client, "//insurer-a", change(&invoice, lock("A-1"))).await;
    assert_eq!(locked.success, Some(true), "{locked:?}");
    let refused = node.execute(&client, "//insurer-b", change(&invoice, lock("B-1"))).await;
    let error = refused.error.expect("insurer B's lock is refused");
    assert_eq!((error.pallet.as_str(), error.name.as_str()), ("BillUpdate", "LockedByOther"));
    assert!(!error.docs.is_empty());
    let holder = client.bill(&number, &digits).await.unwrap().unwrap().lock.unwrap().holder;
    let name = client.participant(holder.as_str()).await.unwrap().unwrap().name;
    assert!(!name.as_str().is_empty());

    let history = client.history(&number, &digits).await.unwrap().unwrap();
    assert_eq!(history.iter().map(|v| v.version).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(history[1].previous, history[0].hash);
    assert_eq!(client.history(&number, "9999999999").await.unwrap(), None);
    node.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn originals_are_compared_with_the_chain_and_mismatches_listed() {
    let node = Node::start(RpcConfig::default()).await;
    let client = Connection::open(&node.url()).await.unwrap();
    let ws = node.ws().await;
    let (call, invoice) = register();
    let done = node.execute(&client, "//hospital", call).await;
    let (code, number) = (invoice.key.code.to_string(), invoice.key.number.to_string());
    let hash = format!("0x{}", hex::encode(invoice.xml_hash));
    let other = format!("0x{}", "11".repeat(32));

    for (params, expected) in [
        (json!([code, number, "a1B2c3", "xml", hash]), json!(["match", null])),
        (json!([code, number, "a1B2c3", "xml", other]), json!(["hash_mismatch", hash])),
        (json!([code, number, "a1B2c3", "pdf", hash]), json!(["not_recorded", null])),
        (json!([code, number, "A1B2c3", "xml", hash]), json!(["not_found", null])),
        (json!([code, "9999999999", "a1B2c3", "xml", hash]), json!(["not_found", null])),
    ] {
        let answer = ask(&ws, "bill_verifyHash", params.clone()).await;
        assert_eq!(json!([answer["result"], answer["recorded"]]), expected, "{params}");
    }
    let by_transaction =
        ask(&ws, "bill_verifyHashByTransaction", json!([done.hash, "xml", other])).await;
    let expected =
        json!([{ "code": code, "number": number, "result": "hash_mismatch", "recorded": hash }]);
    assert_eq!(by_transaction, expected);
    let nowhere = ask(&ws, "bill_verifyHashByTransaction", json!([other, "xml", other])).await;
    assert_eq!(nowhere, Value::Null);

    let date = invoice.issue_date.get();
    for (params, result, elements) in [
        (json!([code, number, "a1B2c3", date, 11_050]), "match", json!([true, true, true])),
        (
            json!([code, number, "A1B2c3", date - 1, 11_051]),
            "element_mismatch",
            json!([false, false, false]),
        ),
        (
            json!([code, number, "a1B2c3", date, -11_050]),
            "element_mismatch",
            json!([true, true, false]),
        ),
        (
            json!([code, "9999999999", "a1B2c3", date, 11_050]),
            "not_found",
            json!([null, null, null]),
        ),
    ] {
        let answer = ask(&ws, "bill_verifyElements", params.clone()).await;
        assert_eq!(answer["result"], result, "{params}");
        let found = &answer["elements"];
        let found = json!([found["check_code"], found["issue_date"], found["total"]]);
        assert_eq!(found, elements, "{params}");
    }

    let empty = ask(&ws, "bill_mismatches", json!([code, number])).await;
    assert_eq!(empty, json!({ "items": [], "next": null }));
    for observation in [Observation::XmlHash([0x11; 32]), Observation::Total(Fen::ZERO)] {
        let call = pallet_bill_verify::Call::<Runtime>::report_mismatch {
            key: invoice.key,
            found: observation,
        };
        let done = node.execute(&client, "//insurer-a", RuntimeCall::BillVerify(call)).await;
        assert_eq!(done.success, Some(true), "{done:?}");
        assert!(done.events.iter().any(|event| event.name == "MismatchReported"), "{done:?}");
    }
    let all = ask(&ws, "bill_mismatches", json!([code, number])).await;
    assert_eq!(all["items"].as_array().unwrap().len(), 2);
    let first = ask(&ws, "bill_mismatches", json!([code, number, null, 1])).await;
    assert_eq!(first["next"], "0x00000001");
    let report = &first["items"][0];
    assert_eq!((&report["report"], &report["reporter"]), (&json!(1), &json!("did:bill:insurer-a")));
    assert_eq!(report["expected"], json!({ "xml_hash": hash }));
    assert_eq!(report["found"], json!({ "xml_hash": other }));
    let rest = ask(&ws, "bill_mismatches", json!([code, number, first["next"], 1])).await;
    assert_eq!((&rest["next"], &rest["items"][0]), (&Value::Null, &all["items"][1]));
    assert_eq!(rest["items"][0]["found"], json!({ "total_fen": 0 }));

    // Whoever says that something differs has to be right.
    let found = Observation::XmlHash(invoice.xml_hash);
    let call = pallet_bill_verify::Call::<Runtime>::report_mismatch { key: invoice.key, found };
    let refused = node.execute(&client, "//insurer-a", RuntimeCall::BillVerify(call)).await;
    let error = refused.error.expect("nothing differs");
    assert_eq!((error.pallet.as_str(), error.name.as_str()), ("BillVerify", "NothingDiffers"));
}
