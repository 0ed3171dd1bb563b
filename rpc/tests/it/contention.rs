//! Contention in plain JSON.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn contention_within_a_block_is_resolved_and_a_case_follows() {
    let node = Node::start(RpcConfig::default()).await;
    let client = Connection::open(&node.url()).await.unwrap();
    let ws = node.ws().await;
    let (call, invoice) = register();
    node.execute(&client, "//hospital", call).await;
    let (code, number) = (invoice.key.code.to_string(), invoice.key.number.to_string());
    assert_eq!(ask(&ws, "dispute_resolution", json!([code, number])).await, Value::Null);

    // Insurer B's lock arrives first, but insurer A signed earlier.
    let mut hashes = Vec::new();
    for (who, signed_at) in [("//insurer-b", NOW), ("//insurer-a", NOW - 500)] {
        let signer = Signer::development(who);
        let lock = StatusChange::Lock {
            scene: SceneId(1),
            claim_no: ClaimNo::new("C-1").unwrap(),
            on_behalf_of: None,
            grant: None,
            signed_at,
        };
        let bytes = signer.transaction(change(&invoice, lock), 0, client.genesis());
        hashes.push(client.submit(&bytes).await.unwrap());
    }
    node.make_block();
    let lost = client.transaction(hashes[0]).await.unwrap();
    let error = lost.error.expect("insurer B lost");
    assert_eq!((error.pallet.as_str(), error.name.as_str()), ("Dispute", "DisputeLost"));
    assert_eq!(client.transaction(hashes[1]).await.unwrap().success, Some(true));

    let found = client.resolution(&code, &number).await.unwrap().expect("there was contention");
    assert_eq!((found.winner.as_str(), found.block, found.unnamed), ("did:bill:insurer-a", 2, 0));
    let contenders: Vec<_> = found
        .contenders
        .iter()
        .map(|c| (c.claimant.as_str(), c.signed_at, c.transaction))
        .collect();
    assert_eq!(
        contenders,
        [("did:bill:insurer-a", NOW - 500, hashes[1]), ("did:bill:insurer-b", NOW, hashes[0]),]
    );
    let all = ask(&ws, "dispute_resolutions", json!([code, number])).await;
    assert_eq!(all, json!({ "items": [found], "next": null }));

    let dispute = |call| RuntimeCall::Dispute(call);
    let reason = || Reason::new("两家机构同时受理").unwrap();
    let parties = ["insurer-a", "insurer-b"].map(|id| format!("did:bill:{id}").parse().unwrap());
    for call in [
        pallet_dispute::Call::<Runtime>::open_case {
            key: invoice.key,
            parties: parties.to_vec().try_into().unwrap(),
            reason: reason(),
            evidence: [1; 32],
        },
        pallet_dispute::Call::admin_unlock { case: 1, reason: reason(), evidence: [2; 32] },
    ] {
        let done = node.execute(&client, "//admin", dispute(call)).await;
        assert_eq!(done.success, Some(true), "{done:?}");
    }
    assert_eq!(ask(&ws, "dispute_decision", json!([1])).await, Value::Null);
    let close = pallet_dispute::Call::close_case {
        case: 1,
        outcome: pallet_dispute::Outcome::InFavourOf(parties[1].clone()),
        reason: reason(),
        evidence: [3; 32],
    };
    let done = node.execute(&client, "//admin", dispute(close)).await;
    assert_eq!(done.success, Some(true), "{done:?}");

    let case = ask(&ws, "dispute_case", json!([1])).await;
    assert_eq!((&case["open"], &case["acts"]), (&json!(false), &json!(3)));
    assert_eq!(case["parties"], json!(parties));
    assert_eq!(case["bill"], json!({ "code": code, "number": number }));
    let decision = ask(&ws, "dispute_decision", json!([1])).await;
    assert_eq!(decision, case["decision"]);
    assert_eq!(decision["in_favour_of"], "did:bill:insurer-b");
    assert_eq!(decision["evidence"], format!("0x{}", "03".repeat(32)));
    assert_eq!(ask(&ws, "dispute_case", json!([2])).await, Value::Null);
    let cases = ask(&ws, "dispute_cases", json!([code, number])).await;
    assert_eq!(cases, json!({ "items": [case], "next": null }));
    let acts = ask(&ws, "dispute_acts", json!([1, null, 2])).await;
    assert_eq!(
        (&acts["items"][1]["act"], &acts["next"]),
        (&json!("unlocked"), &json!("0x00000002"))
    );
    let rest = ask(&ws, "dispute_acts", json!([1, acts["next"], 2])).await;
    assert_eq!((&rest["items"][0]["act"], &rest["next"]), (&json!("closed"), &Value::Null));
}
