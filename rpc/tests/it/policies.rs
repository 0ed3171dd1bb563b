//! Policies in plain JSON: approved, enforced and read.

use super::*;

fn policy_call(call: pallet_policy::Call<Runtime>) -> RuntimeCall {
    RuntimeCall::Policy(call)
}

fn submit_policy(document: &Value) -> RuntimeCall {
    let body = document.to_string().into_bytes().try_into().unwrap();
    policy_call(pallet_policy::Call::submit { format: pallet_policy::Format::Json, body })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_is_approved_enforced_and_read_in_plain_json() {
    let node = Node::start(RpcConfig::default()).await;
    let client = Connection::open(&node.url()).await.unwrap();
    let ws = node.ws().await;
    let conditions = json!({"and": [{">": ["total", 10_000]}, {"=": ["region", "31"]}]});
    let document = json!({
        "id": 7, "version": 1, "name": "限额", "keywords": ["医保"], "scenes": [1],
        "operations": ["register"], "effect": "deny", "conditions": conditions,
    });
    let sound = ask(&ws, "policy_check", json!([document])).await;
    assert_eq!(sound, json!({ "problem": null }));
    let (policy, version) = (billchain_primitives::seams::PolicyId(7), 1);
    let approve = |comment| {
        policy_call(pallet_policy::Call::submit_approval {
            policy,
            version,
            decision: pallet_policy::Decision::Approved,
            comment_hash: [comment; 32],
        })
    };
    let effective = policy_call(pallet_policy::Call::set_status {
        policy,
        version,
        status: pallet_policy::PolicyStatus::Effective,
        reason: billchain_primitives::Reason::new("专项整治").unwrap(),
    });
    let finalize = policy_call(pallet_policy::Call::finalize_approval { policy, version });
    for (who, call) in [
        ("//platform", submit_policy(&document)),
        ("//admin", approve(1)),
        ("//security", approve(2)),
        ("//platform", finalize),
        ("//admin", effective),
    ] {
        let done = node.execute(&client, who, call).await;
        assert_eq!(done.success, Some(true), "{done:?}");
    }

    // The sample is over 110.50 yuan.
    let refused = node.execute(&client, "//hospital", register().0).await;
    let error = refused.error.expect("the policy refuses it");
    assert_eq!((error.pallet.as_str(), error.name.as_str()), ("BillRegister", "PolicyDenied"));
    assert_eq!(error.details.as_deref(), Some("PolicyId: 7"));

    let found = json!([{ "policy": 7, "version": 1 }]);
    assert_eq!(ask(&ws, "policy_byKeyword", json!(["医保"])).await, found);
    assert_eq!(ask(&ws, "policy_byKeyword", json!(["无"])).await, json!([]));
    let page = ask(&ws, "policy_byStatus", json!(["effective", null, 1])).await;
    assert_eq!(page, json!({ "items": found, "next": null }));
    let drafts = ask(&ws, "policy_byStatus", json!(["draft"])).await;
    assert_eq!(drafts, json!({ "items": [], "next": null }));
    let view = ask(&ws, "policy_get", json!([7])).await;
    assert_eq!((&view["status"], &view["effective"]), (&json!("effective"), &json!(1)));
    assert_eq!(
        (&view["conditions"], &view["submitter"]),
        (&conditions, &json!("did:bill:platform"))
    );
    assert_eq!(ask(&ws, "policy_get", json!([7, 2])).await, Value::Null);
    assert_eq!(ask(&ws, "policy_get", json!([8])).await, Value::Null);
    let stored = ask(&ws, "policy_document", json!([7, 1])).await;
    assert_eq!(stored["text"], document.to_string());
    assert_eq!(stored["hash"], view["body_hash"]);
    let in_force = ask(&ws, "policy_inForce", json!([1, "register"])).await;
    assert_eq!(in_force.as_array().unwrap().len(), 1);
    assert_eq!((&in_force[0]["effect"], &in_force[0]["conditions"]), (&json!("deny"), &conditions));
    assert_eq!(ask(&ws, "policy_inForce", json!([1, "lock"])).await, json!([]));

    let flow = ask(&ws, "policy_flow", json!([7, 1])).await;
    let steps = flow["steps"].as_array().unwrap();
    let acts: Vec<_> = steps.iter().map(|step| step["act"].as_str().unwrap()).collect();
    let expected = ["submitted", "approved", "approved", "finalised", "made_effective"];
    assert_eq!(acts, expected);
    assert_eq!(steps[0]["hash"], view["body_hash"]);
    assert_eq!(steps[3]["flow_hash"], flow["approval_hash"]);
    assert_eq!(
        (&flow["hash"], &view["approval_hash"]),
        (&steps[4]["flow_hash"], &flow["approval_hash"])
    );

    // In pages of two, each step of the flow once.
    let (mut paged, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = ask(&ws, "policy_trailByTime", json!([null, null, after, 2])).await;
        paged.extend(page["items"].as_array().unwrap().iter().map(|one| one["step"].clone()));
        after = page["next"].clone();
        if after.is_null() {
            break;
        }
    }
    assert_eq!(paged, *steps);
    let at = |step: usize| steps[step]["at"]["time"].as_u64().unwrap();
    let middle = ask(&ws, "policy_trailByTime", json!([at(1), at(2), null, null])).await;
    let middle: Vec<_> =
        middle["items"].as_array().unwrap().iter().map(|s| s["step"].clone()).collect();
    assert_eq!(middle, steps[1..3]);
    let by_admin = ask(&ws, "policy_trailByActor", json!(["did:bill:admin", null, null])).await;
    let by_admin: Vec<_> =
        by_admin["items"].as_array().unwrap().iter().map(|s| s["step"]["index"].clone()).collect();
    assert_eq!(by_admin, [1, 4]);

    let facts = json!({ "total": 10_001, "region": "31" });
    let decision = ask(&ws, "policy_evaluate", json!([1, "register", facts])).await;
    assert_eq!(decision, json!({ "allowed": false, "by": found[0] }));
    let low = json!({ "total": 10_000, "region": "31" });
    let decision = ask(&ws, "policy_evaluate", json!([1, "register", low])).await;
    assert_eq!(decision, json!({ "allowed": true, "by": null }));
    let simulated = ask(&ws, "policy_simulate", json!([document, facts])).await;
    assert_eq!(simulated, json!({ "holds": true, "verdict": "refuse", "steps": 3 }));
    let low = ask(&ws, "policy_simulate", json!([document.to_string(), low])).await;
    assert_eq!(low, json!({ "holds": false, "verdict": null, "steps": 3 }));

    // What would be refused is said in words before it is sent.
    let mut wrong = document.clone();
    wrong["conditions"]["and"][1] = json!({"<": ["issue_date", {"field": "total"}]});
    let checked = ask(&ws, "policy_check", json!([wrong])).await;
    assert_eq!(checked["problem"], "conditions/and/1: expected two sides of one type");
    let checked = ask(&ws, "policy_check", json!([document])).await;
    assert!(checked["problem"].as_str().unwrap().starts_with("VersionConflict: "), "{checked}");
    wrong = document.clone();
    (wrong["version"], wrong["scenes"]) = (json!(2), json!([1, 77]));
    let checked = ask(&ws, "policy_check", json!([wrong])).await;
    assert!(
        checked["problem"].as_str().unwrap().starts_with("UnknownScene (scene: 77): "),
        "{checked}"
    );
    let hex = |bytes: &[u8]| format!("0x{}", hex::encode(bytes));
    let written: pallet_policy::document::Written =
        serde_json::from_value(document.clone()).unwrap();
    let protobuf = hex(&written.to_bytes(pallet_policy::Format::Protobuf));
    let checked = ask(&ws, "policy_check", json!([protobuf])).await;
    assert!(checked["problem"].as_str().unwrap().starts_with("VersionConflict: "), "{checked}");
    for (method, params, words) in [
        ("policy_get", rpc_params![70_000], "0 to 65535"),
        ("policy_byStatus", rpc_params!["gone"], "\"draft\", \"effective\" or \"revoked\""),
        ("policy_byStatus", rpc_params!["draft", Value::Null, 101], "1 to 100"),
        ("policy_byKeyword", rpc_params![""], "1 to 48 bytes"),
        ("policy_inForce", rpc_params![1, "void"], "\"register\""),
        ("policy_trailByTime", rpc_params![-1], "milliseconds since 1970"),
        (
            "policy_trailByTime",
            rpc_params![Value::Null, Value::Null, "0x00"],
            "of the same question",
        ),
        ("policy_check", rpc_params![7], "a document"),
        ("policy_check", rpc_params!["x".repeat(16_385)], "at most 16384 bytes"),
        ("policy_simulate", rpc_params!["{}", json!({})], "missing field"),
        ("policy_simulate", rpc_params![&document, json!({"total": 5})], "a value of region"),
        ("policy_evaluate", rpc_params![1, "register", json!({"sum": 5})], "no such field"),
    ] {
        let (found, message) = refusal(ws.request::<Value, _>(method, params).await.unwrap_err());
        assert_eq!(found, code::INVALID_PARAMS, "{method}: {message}");
        assert!(message.contains(words), "{method}: {message}");
    }
    node.server.stop().await;
}
