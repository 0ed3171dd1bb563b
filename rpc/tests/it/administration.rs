//! Participants, scenes and permissions, from the calls to the answers.

use super::*;
use crate::access::{did, key, reason, resolve};
use billchain_primitives::{
    BillStatus, Hash, Operation, Role, RoleSet, SummaryField, SummaryFields, Target,
    seams::{ParticipantStatus, SceneTerms, Scenes},
};
use billchain_runtime::Scene;
use pallet_participant::{IDENTITY_CHALLENGE, ParticipantKind, Registration};
use pallet_permissions::TransitionRuleKey;

type ParticipantCall = pallet_participant::Call<Runtime>;
type PermissionsCall = pallet_permissions::Call<Runtime>;
type SceneCall = pallet_scene::Call<Runtime>;

async fn succeed(node: &Node, client: &Connection, who: &str, call: impl Into<RuntimeCall>) {
    let done = node.execute(client, who, call.into()).await;
    assert_eq!(done.success, Some(true), "{who}: {done:?}");
}

/// Name of the refusal.
async fn refuse(
    node: &Node,
    client: &Connection,
    who: &str,
    call: impl Into<RuntimeCall>,
) -> String {
    let done = node.execute(client, who, call.into()).await;
    done.error.unwrap_or_else(|| panic!("{who} was not refused: {:?}", done.events)).name
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scene_and_its_change_are_proposed_approved_and_read() {
    let node = Node::start(RpcConfig::default()).await;
    let client = Connection::open(&node.url()).await.unwrap();
    let ws = node.ws().await;
    let school = SceneId(9);
    let clinic = node.chain.read(|| Scene::active(SceneId(1))).unwrap().unwrap();
    let rules =
        SceneTerms { required: SummaryFields::of(&[SummaryField::PdfHash]), weight: 33, ..clinic };
    let propose = SceneCall::register {
        scene: school,
        name: "教育资助".parse().unwrap(),
        rules,
        related_data: vec!["成绩单".parse().unwrap()].try_into().unwrap(),
        reason: reason(),
    };
    assert_eq!(refuse(&node, &client, "//security", propose.clone()).await, "NotAdministrator");
    succeed(&node, &client, "//admin", propose).await;
    assert_eq!(ask(&ws, "scene_get", json!([9])).await, Value::Null);
    assert_eq!(ask(&ws, "scene_weight", json!([9])).await, Value::Null);
    let open = ask(&ws, "scene_proposals", json!([])).await;
    let (proposal, change) = (&open[0], &open[0]["change"]);
    assert_eq!((&proposal["proposal"], &proposal["scene"]), (&json!(1), &json!(9)));
    assert_eq!((&proposal["result"], &proposal["approver"]), (&json!("open"), &Value::Null));
    assert_eq!((&change["kind"], &change["name"]), (&json!("register"), &json!("教育资助")));
    assert_eq!(change["rules"]["required"], json!(["pdf_hash"]));

    let decide = |decision| SceneCall::submit_approval {
        scene: school,
        proposal: 1,
        decision,
        comment: "同意".parse().unwrap(),
    };
    let approve = decide(pallet_scene::Decision::Approved);
    assert_eq!(refuse(&node, &client, "//admin", approve.clone()).await, "OwnProposal");
    succeed(&node, &client, "//admin-2", approve).await;
    let scene = ask(&ws, "scene_get", json!([9])).await;
    assert_eq!((&scene["status"], &scene["version"]), (&json!("active"), &json!(1)));
    assert_eq!((&scene["rules"]["weight"], &scene["approvals"]), (&json!(33), &json!(1)));
    assert_eq!(scene["related_data"], json!(["成绩单"]));
    assert_eq!(ask(&ws, "scene_weight", json!([9])).await, json!(33));
    assert_eq!(ask(&ws, "scene_proposals", json!([])).await, json!([]));

    let weight = SceneCall::set_weight { scene: school, weight: 50, reason: reason() };
    succeed(&node, &client, "//admin-2", weight).await;
    let pending = ask(&ws, "scene_get", json!([9])).await;
    assert_eq!((&pending["open_proposal"], &pending["rules"]["weight"]), (&json!(2), &json!(33)));
    let reject = SceneCall::submit_approval {
        scene: school,
        proposal: 2,
        decision: pallet_scene::Decision::Rejected,
        comment: "权重过高".parse().unwrap(),
    };
    succeed(&node, &client, "//admin", reject).await;
    let first = ask(&ws, "scene_approvals", json!([9, null, 1])).await;
    let second = ask(&ws, "scene_approvals", json!([9, first["next"], 1])).await;
    let (approved, rejected) = (&first["items"][0], &second["items"][0]);
    assert_eq!(approved["result"], "approved");
    assert_eq!(approved["proposer"], "did:bill:admin");
    assert_eq!(
        (&approved["approver"], &approved["comment"]),
        (&json!("did:bill:admin-2"), &json!("同意"))
    );
    assert!(approved["ended"]["block"].as_u64() > approved["proposed"]["block"].as_u64());
    assert_eq!(
        (&rejected["result"], &rejected["comment"]),
        (&json!("rejected"), &json!("权重过高"))
    );
    assert_eq!(rejected["change"], json!({ "kind": "weight", "weight": 50 }));
    assert_eq!(second["next"], Value::Null);

    // What the scene requires is asked of its bills, by name.
    let (RuntimeCall::BillRegister(pallet_bill_register::Call::register { mut summary }), _) =
        register()
    else {
        panic!("not a registration")
    };
    summary.scene = school;
    let lacking = pallet_bill_register::Call::register { summary: summary.clone() };
    assert_eq!(refuse(&node, &client, "//hospital", lacking).await, "Bill.PdfHashMissing");
    summary.pdf_hash = [5; 32];
    succeed(&node, &client, "//hospital", pallet_bill_register::Call::register { summary }).await;

    let page = ask(&ws, "scene_list", json!([null, 3])).await;
    let rest = ask(&ws, "scene_list", json!([page["next"], 3])).await;
    let mut scenes: Vec<u64> = [&page, &rest]
        .iter()
        .flat_map(|page| page["items"].as_array().unwrap())
        .map(|scene| scene["scene"].as_u64().unwrap())
        .collect();
    scenes.sort();
    assert_eq!((scenes, &rest["next"]), (vec![1, 2, 3, 4, 9], &Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_are_versioned_and_checked_in_plain_json() {
    let node = Node::start(RpcConfig::default()).await;
    let client = Connection::open(&node.url()).await.unwrap();
    let ws = node.ws().await;
    let check = |status: Value, operation: &str, role: Value, scene: u16| {
        json!([status, operation, role, scene])
    };
    for (params, problem) in [
        (check(Value::Null, "register", json!("issuer"), 1), Value::Null),
        (check(json!("normal"), "lock", json!("issuer"), 1), json!("role_forbidden")),
        (check(json!("normal"), "lock", json!(["issuer", "user"]), 1), Value::Null),
        (check(json!("normal"), "lock", json!("user"), 99), json!("scene_not_found")),
        (check(json!("normal"), "void", json!("issuer"), 1), json!("void_not_allowed")),
        (check(json!("red_reversed"), "lock", json!("user"), 1), json!("final_status")),
    ] {
        let answer = ask(&ws, "permission_check", params.clone()).await;
        assert_eq!(answer["problem"], problem, "{params}");
        assert_eq!(
            (&answer["allowed"], &answer["rules_version"]),
            (&json!(problem.is_null()), &json!(1))
        );
    }

    let key = TransitionRuleKey::general(Some(BillStatus::Normal), Operation::Lock);
    let target = Target::Status(BillStatus::Locked);
    let roles = RoleSet::of(&[Role::Platform]);
    let whitelist = PermissionsCall::set_whitelist { scene: SceneId(1), did: did("hospital") };
    let calls = vec![
        PermissionsCall::set_transition_rule { key, roles, target }.into(),
        PermissionsCall::remove_transition_rule { key }.into(),
        whitelist.into(),
    ];
    resolve(&node, &client, calls).await;
    let rule = |version: Value| json!(["normal", "lock", version]);
    let first = ask(&ws, "permission_rule", rule(json!(1))).await;
    assert_eq!(
        (&first["roles"], &first["since_version"]),
        (&json!(["user", "platform"]), &json!(1))
    );
    let second = ask(&ws, "permission_rule", rule(json!(2))).await;
    assert_eq!(
        (&second["roles"], &second["to"]),
        (&json!(["platform"]), &json!({ "status": "locked" }))
    );
    assert_eq!(ask(&ws, "permission_rule", rule(Value::Null)).await, Value::Null);
    let newest = ask(&ws, "permission_rules", json!([])).await;
    assert_eq!((&newest["version"], &newest["newest"]), (&json!(3), &json!(3)));
    assert_eq!((&newest["change"]["before"], &newest["change"]["after"]), (&second, &Value::Null));
    let genesis = ask(&ws, "permission_rules", json!([1])).await;
    let length = |rules: &Value| rules["rules"].as_array().unwrap().len();
    assert_eq!((length(&genesis), length(&newest)), (23, 22));
    assert_eq!(genesis["change"], Value::Null);
    for version in [0, 4] {
        assert_eq!(ask(&ws, "permission_rules", json!([version])).await, Value::Null);
    }

    // A scene's own rule, in that scene only.
    let (own, roles) = (key.in_scene(SceneId(1)), RoleSet::of(&[Role::Issuer]));
    let set = PermissionsCall::set_transition_rule { key: own, roles, target };
    resolve(&node, &client, vec![set.into()]).await;
    let found = ask(&ws, "permission_rule", json!(["normal", "lock", null, 1])).await;
    assert_eq!((&found["scene"], &found["roles"]), (&json!(1), &json!(["issuer"])));
    for other in [json!(["normal", "lock", 3, 1]), json!(["normal", "lock", null, 2])] {
        assert_eq!(ask(&ws, "permission_rule", other).await, Value::Null);
    }
    let newest = ask(&ws, "permission_rules", json!([])).await;
    assert!(newest["rules"].as_array().unwrap().contains(&found));
    assert_eq!(newest["change"]["after"], found);
    for (role, scene, problem) in [
        ("issuer", 1, Value::Null),
        ("user", 1, json!("role_forbidden")),
        ("issuer", 2, json!("illegal_transition")),
    ] {
        let asked = check(json!("normal"), "lock", json!(role), scene);
        let answer = ask(&ws, "permission_check", asked).await;
        assert_eq!(answer["problem"], problem, "{role} {scene}");
    }

    let admins = ask(&ws, "permission_admins", json!([])).await;
    let expected = json!([
        { "did": "did:bill:admin", "office": "system_admin" },
        { "did": "did:bill:admin-2", "office": "system_admin" },
        { "did": "did:bill:auditor", "office": "auditor" },
        { "did": "did:bill:security", "office": "security_admin" },
    ]);
    assert_eq!(admins, expected);
    let page = ask(&ws, "permission_whitelist", json!([1, null, 4])).await;
    let rest = ask(&ws, "permission_whitelist", json!([1, page["next"], 4])).await;
    let entries = [&page, &rest].map(|page| page["items"].as_array().unwrap().clone()).concat();
    assert_eq!(entries.len(), 6);
    assert!(entries.contains(&json!({ "scene": 1, "did": "did:bill:hospital" })));
    let all = ask(&ws, "permission_whitelist", json!([null, null, 100])).await;
    assert_eq!(all["items"].as_array().unwrap().len(), 21);

    for (method, params, words) in [
        ("permission_check", rpc_params!["gone", "lock", "user", 1], "a status of bills"),
        ("permission_check", rpc_params![Value::Null, "steal", "user", 1], "an operation"),
        ("permission_check", rpc_params![Value::Null, "lock", "king", 1], "a role"),
        ("permission_check", rpc_params![Value::Null, "lock", "user", 70_000], "0 to 65535"),
        ("permission_rule", rpc_params![Value::Null, "lock", 1, "one"], "scene"),
        ("permission_whitelist", rpc_params![Value::Null, "0x12"], "page before"),
        ("scene_list", rpc_params!["x"], "cursor"),
        ("participant_byUscc", rpc_params!["0x12"], "32 bytes"),
        (
            "participant_verifyIdentity",
            rpc_params!["did:bill:hospital", "0x12", "0x"],
            "16 to 1024",
        ),
    ] {
        let error = ws.request::<Value, _>(method, params).await.unwrap_err();
        let (code, message) = refusal(error);
        assert_eq!(code, code::INVALID_PARAMS, "{method}: {message}");
        assert!(message.contains(words), "{method}: {message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_participant_is_found_every_way_and_proves_who_it_is() {
    let node = Node::start(RpcConfig::default()).await;
    let client = Connection::open(&node.url()).await.unwrap();
    let ws = node.ws().await;
    let uscc = Hash::from(sm3(b"91350100M000100Y43"));
    let registration = Registration {
        did: did("bureau"),
        name: "示范财政局（虚构）".parse().unwrap(),
        kind: ParticipantKind::Organisation,
        public_key: key("//bureau"),
        roles: RoleSet::of(&[Role::Auditor]),
        uscc_hash: Some(uscc),
    };
    let first = ParticipantCall::register { registration: registration.clone() };
    resolve(&node, &client, vec![first.into()]).await;
    let account = |seed: &str| json!(Hash::from(<[u8; 32]>::from(key(seed).account_id())));
    let found = ask(&ws, "participant_resolve", json!(["did:bill:bureau"])).await;
    assert_eq!((&found["status"], &found["kind"]), (&json!("active"), &json!("organisation")));
    assert_eq!(ask(&ws, "participant_byUscc", json!([uscc])).await, found);
    assert_eq!(ask(&ws, "participant_byAccount", json!([account("//bureau")])).await, found);

    let challenge = b"sixteen bytes and more".to_vec();
    let message = [IDENTITY_CHALLENGE, &challenge].concat();
    let sign = |seed: &str| {
        let key = billchain_chain_spec::dev::secret(seed);
        let signature = key.sign(billchain_crypto::sm2::DEFAULT_ID, &message).to_bytes();
        format!("0x{}", hex::encode(signature))
    };
    let hex_challenge = format!("0x{}", hex::encode(&challenge));
    let verify = |signature: String| json!(["did:bill:bureau", hex_challenge, signature]);
    let answer = ask(&ws, "participant_verifyIdentity", verify(sign("//bureau"))).await;
    assert_eq!(answer, json!({ "verified": true, "problem": null }));
    let answer = ask(&ws, "participant_verifyIdentity", verify(sign("//hospital"))).await;
    assert_eq!(answer, json!({ "verified": false, "problem": "bad_signature" }));

    // The participant rotates its key; the DID stays.
    let rotate =
        ParticipantCall::rotate_key { did: did("bureau"), new_public_key: key("//bureau-2") };
    succeed(&node, &client, "//bureau", rotate).await;
    assert_eq!(ask(&ws, "participant_byAccount", json!([account("//bureau")])).await, Value::Null);
    let answer = ask(&ws, "participant_verifyIdentity", verify(sign("//bureau"))).await;
    assert_eq!(answer["problem"], "bad_signature");
    let answer = ask(&ws, "participant_verifyIdentity", verify(sign("//bureau-2"))).await;
    assert_eq!(answer["verified"], true);

    let freeze = ParticipantCall::set_status {
        did: did("bureau"),
        status: ParticipantStatus::Frozen,
        reason: reason(),
    };
    succeed(&node, &client, "//security", freeze).await;
    let answer = ask(&ws, "participant_verifyIdentity", verify(sign("//bureau-2"))).await;
    assert_eq!(answer["problem"], "frozen");
    let nobody = json!(["did:bill:nobody", hex_challenge, sign("//bureau")]);
    let answer = ask(&ws, "participant_verifyIdentity", nobody).await;
    assert_eq!(answer["problem"], "not_found");

    let page = ask(&ws, "participant_history", json!(["did:bill:bureau", null, 2])).await;
    let rest = ask(&ws, "participant_history", json!(["did:bill:bureau", page["next"], 2])).await;
    let kinds = |page: &Value| -> Vec<Value> {
        let items = page["items"].as_array().unwrap();
        items.iter().map(|record| record["change"]["kind"].clone()).collect()
    };
    assert_eq!(kinds(&page), ["registered", "key"]);
    let (last, by) = (&rest["items"][0], account("//security"));
    assert_eq!((&last["version"], &last["operator"]), (&json!(3), &by));
    let expected =
        json!({ "kind": "status", "from": "active", "to": "frozen", "reason": "例行检查" });
    assert_eq!((&last["change"], &rest["next"]), (&expected, &Value::Null));

    let mut cursor = Value::Null;
    let mut all = Vec::new();
    loop {
        let page = ask(&ws, "participant_list", json!([cursor, 40])).await;
        all.extend(page["items"].as_array().unwrap().iter().map(|item| item["did"].to_string()));
        cursor = page["next"].clone();
        if cursor.is_null() {
            break;
        }
    }
    let count = all.len();
    all.sort();
    all.dedup();
    assert_eq!((all.len(), count), (63, 63), "62 of the development chain and the bureau");

    // A motion whose call fails says why.
    let again = ParticipantCall::register { registration };
    let motion = RuntimeCall::Utility(pallet_utility::Call::batch { calls: vec![again.into()] });
    let done = node.execute(&client, "//hospital", motion).await;
    let failed = done.events.iter().find_map(|event| event.error.as_ref()).expect("a failure");
    assert_eq!(failed.name, "BadOrigin");
}
