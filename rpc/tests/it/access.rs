//! Access nodes and grants, from the council's motion to the answers.

use super::*;
use billchain_primitives::{
    BillSummary, Did, GrantId, Hash, PublicKey, Reason, Role, RoleSet,
    seams::{AccessNodePolicy, Scenes},
};
use billchain_runtime::{CouncilCollective, Scene};
use codec::Encode;
use frame_support::weights::Weight;
use pallet_access_node::{NodeStatus, Registration};
use pallet_authorization::{Scope, Terms};

type NodeCall = pallet_access_node::Call<Runtime>;
type GrantCall = pallet_authorization::Call<Runtime>;
type CouncilCall = pallet_collective::Call<Runtime, CouncilCollective>;

pub(crate) fn did(name: &str) -> Did {
    format!("did:bill:{name}").parse().unwrap()
}

pub(crate) fn reason() -> Reason {
    Reason::new("例行检查").unwrap()
}

pub(crate) fn key(seed: &str) -> PublicKey {
    Signer::development(seed).public()
}

/// Has the council carry out `calls` by one motion.
pub(crate) async fn resolve(node: &Node, client: &Connection, calls: Vec<RuntimeCall>) {
    let motion = RuntimeCall::Utility(pallet_utility::Call::batch_all { calls });
    let length_bound = motion.encoded_size() as u32;
    let proposal_hash = Hash::from(sm3(&motion.encode()));
    let count = pallet_collective::ProposalCount::<Runtime, CouncilCollective>::get;
    let index = node.chain.read(count).unwrap();
    let propose = CouncilCall::propose { threshold: 3, proposal: Box::new(motion), length_bound };
    let vote = CouncilCall::vote { proposal: proposal_hash, index, approve: true };
    let close = CouncilCall::close {
        proposal_hash,
        index,
        proposal_weight_bound: Weight::from_parts(500_000_000_000, 10_000_000),
        length_bound,
    };
    let mut last = None;
    for (who, call) in [
        ("//node-1", propose),
        ("//node-1", vote.clone()),
        ("//node-2", vote.clone()),
        ("//node-3", vote),
        ("//node-4", close),
    ] {
        let done = node.execute(client, who, RuntimeCall::Council(call)).await;
        assert_eq!(done.success, Some(true), "{who}: {done:?}");
        last = Some(done);
    }
    let events = last.unwrap().events;
    let executed = events.iter().find(|event| event.name == "Executed").unwrap();
    assert!(executed.details.contains("result: Ok"), "{executed:?}");
}

fn access(call: NodeCall) -> RuntimeCall {
    RuntimeCall::AccessNode(call)
}

fn register_node(name: &str) -> RuntimeCall {
    access(NodeCall::register {
        registration: Registration {
            node: did(name),
            operator_name: "示范医院信息科（虚构）".parse().unwrap(),
            credential_hash: Hash::repeat_byte(7),
            public_key: key(&format!("//{name}")),
        },
    })
}

fn link(node: &str, participant: &str) -> RuntimeCall {
    access(NodeCall::link { node: did(node), participant: did(participant) })
}

/// The registration of the sample bill with another number, by `issuer`.
pub(crate) fn register_by(issuer: &str, number: &str) -> RuntimeCall {
    let RuntimeCall::BillRegister(pallet_bill_register::Call::register { summary }) = register().0
    else {
        panic!("not a registration")
    };
    let mut summary = BillSummary { issuer: did(issuer), ..summary };
    summary.key.number = number.parse().unwrap();
    RuntimeCall::BillRegister(pallet_bill_register::Call::register { summary })
}

#[tokio::test(flavor = "multi_thread")]
async fn bills_come_through_access_nodes_where_the_scene_asks_for_it() {
    let node = Node::start(RpcConfig::default()).await;
    let client = Connection::open(&node.url()).await.unwrap();
    let ws = node.ws().await;
    let free = node.execute(&client, "//hospital-3", register_by("hospital-3", "0000000001")).await;
    assert_eq!(free.success, Some(true), "no scene asks for a node at first: {free:?}");

    let scene = SceneId(1);
    let rules = node.chain.read(|| Scene::active(scene)).unwrap().unwrap();
    let rules = billchain_primitives::seams::SceneTerms {
        access_node: AccessNodePolicy::Required,
        ..rules
    };
    let calls = vec![
        register_node("access-1"),
        register_node("access-2"),
        link("access-1", "hospital"),
        link("access-1", "hospital-1"),
        link("access-1", "hospital-2"),
        link("access-2", "hospital-2"),
    ];
    resolve(&node, &client, calls).await;
    let related_data = Default::default();
    let configure = pallet_scene::Call::configure { scene, rules, related_data, reason: reason() };
    let done = node.execute(&client, "//admin", RuntimeCall::Scene(configure)).await;
    assert_eq!(done.success, Some(true), "{done:?}");
    let (decision, comment) = (pallet_scene::Decision::Approved, reason());
    let approve = pallet_scene::Call::submit_approval { scene, proposal: 1, decision, comment };
    let done = node.execute(&client, "//admin-2", RuntimeCall::Scene(approve)).await;
    assert_eq!(done.success, Some(true), "{done:?}");

    let view = ask(&ws, "node_get", json!(["did:bill:access-1"])).await;
    assert_eq!((&view["status"], &view["participants"]), (&json!("normal"), &json!(3)));
    assert_eq!(view["public_key"], key("//access-1").to_string());
    assert_eq!(ask(&ws, "node_get", json!(["did:bill:access-9"])).await, Value::Null);
    let first = ask(&ws, "node_list", json!([null, 1])).await;
    let second = ask(&ws, "node_list", json!([first["next"], 1])).await;
    assert_eq!(second["next"], Value::Null);
    let mut nodes = [&first, &second].map(|page| page["items"][0]["node"].clone());
    nodes.sort_by_key(Value::to_string);
    assert_eq!(nodes, ["did:bill:access-1", "did:bill:access-2"]);
    let of_node = |cursor: Value| json!(["did:bill:access-1", cursor, 2]);
    let first = ask(&ws, "node_participants", of_node(Value::Null)).await;
    let second = ask(&ws, "node_participants", of_node(first["next"].clone())).await;
    assert_eq!(first["items"].as_array().unwrap().len(), 2);
    assert_eq!((second["items"].as_array().unwrap().len(), &second["next"]), (1, &Value::Null));
    let linked = ask(&ws, "node_byParticipant", json!(["did:bill:hospital-2"])).await;
    assert_eq!(
        linked,
        json!([
            { "node": "did:bill:access-1", "status": "normal" },
            { "node": "did:bill:access-2", "status": "normal" },
        ])
    );

    let through = node.execute(&client, "//hospital", register_by("hospital", "0000000002")).await;
    assert_eq!(through.success, Some(true), "{through:?}");
    let call = register_by("hospital-3", "0000000003");
    let refused = node.execute(&client, "//hospital-3", call).await.error.unwrap();
    assert_eq!(refused.name, "Bill.AccessNodeNotLinked", "{refused:?}");

    let (status, reason) = (NodeStatus::Paused, reason());
    let pause = NodeCall::set_status { node: did("access-1"), status, reason };
    resolve(&node, &client, vec![access(pause)]).await;
    let call = register_by("hospital", "0000000004");
    let refused = node.execute(&client, "//hospital", call).await.error.unwrap();
    assert_eq!(refused.name, "Bill.AccessNodeInactive", "{refused:?}");
    let call = register_by("hospital-2", "0000000005");
    let other = node.execute(&client, "//hospital-2", call).await;
    assert_eq!(other.success, Some(true), "it has another node: {other:?}");

    for (node, participant, expected) in [
        ("access-2", "hospital-2", json!({ "allowed": true, "problem": null })),
        ("access-1", "hospital-2", json!({ "allowed": false, "problem": "node_inactive" })),
        ("access-2", "hospital", json!({ "allowed": false, "problem": "not_linked" })),
    ] {
        let params = json!([did(node), did(participant)]);
        assert_eq!(ask(&ws, "node_assertLink", params).await, expected);
    }
    let page = ask(&ws, "node_history", json!(["did:bill:access-1", null, 4])).await;
    let rest = ask(&ws, "node_history", json!(["did:bill:access-1", page["next"], 4])).await;
    assert_eq!((page["items"].as_array().unwrap().len(), &rest["next"]), (4, &Value::Null));
    assert_eq!(page["items"][1]["change"]["kind"], "linked");
    let last = &rest["items"][0];
    assert_eq!((&last["version"], &last["operator"]), (&json!(5), &Value::Null));
    let expected = json!({
        "kind": "status", "from": "normal", "to": "paused", "reason": "例行检查"
    });
    assert_eq!(last["change"], expected);
}

fn grant(call: GrantCall) -> RuntimeCall {
    RuntimeCall::Authorization(call)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patient_authorises_an_insurer_and_its_lock_uses_the_grant() {
    let node = Node::start(RpcConfig::default()).await;
    let client = Connection::open(&node.url()).await.unwrap();
    let ws = node.ws().await;
    let patient = pallet_participant::Registration {
        did: did("patient"),
        name: "p-7c1f".parse().unwrap(),
        kind: pallet_participant::ParticipantKind::Person,
        public_key: key("//patient"),
        roles: RoleSet::EMPTY,
        uscc_hash: None,
    };
    // On no whitelist.
    let insurer = pallet_participant::Registration {
        did: did("insurer-c"),
        name: "示范保险公司丙（虚构）".parse().unwrap(),
        kind: pallet_participant::ParticipantKind::Organisation,
        public_key: key("//insurer-c"),
        roles: RoleSet::of(&[Role::User]),
        uscc_hash: None,
    };
    let admit = |registration| {
        RuntimeCall::Participant(pallet_participant::Call::register { registration })
    };
    resolve(&node, &client, vec![admit(patient), admit(insurer)]).await;
    let (call, invoice) = register();
    assert_eq!(node.execute(&client, "//hospital", call).await.success, Some(true));

    let terms = |credential: u8, days: u64| Terms {
        credential_hash: Hash::repeat_byte(credential),
        holder: did("patient"),
        subject: did("insurer-c"),
        scope: Scope::Bills(vec![invoice.key].try_into().unwrap()),
        scene: SceneId(3),
        valid_from: 0,
        valid_until: 1_800_000_000_000 + days * 86_400_000,
    };
    let id = |credential: u8| GrantId(Hash::repeat_byte(credential));
    for credential in [1, 2, 3] {
        let call = grant(GrantCall::register_grant { terms: terms(credential, 30) });
        let done = node.execute(&client, "//patient", call).await;
        assert_eq!(done.success, Some(true), "{done:?}");
    }
    let revoke = grant(GrantCall::revoke { grant: id(2), reason: reason() });
    assert_eq!(node.execute(&client, "//patient", revoke).await.success, Some(true));

    let lock = |grant: Option<GrantId>| {
        let lock = StatusChange::Lock {
            scene: SceneId(3),
            claim_no: ClaimNo::new("C-1").unwrap(),
            on_behalf_of: None,
            grant,
            signed_at: NOW,
        };
        change(&invoice, lock)
    };
    for (grant, name) in
        [(None, "GrantRequired"), (Some(id(2)), "Grant.Revoked"), (Some(id(9)), "Grant.NotFound")]
    {
        let refused = node.execute(&client, "//insurer-c", lock(grant)).await.error.unwrap();
        assert_eq!(refused.name, name, "{refused:?}");
    }
    let (code, number) = (invoice.key.code.to_string(), invoice.key.number.to_string());
    let check =
        |credential: u8, scene: u16| json!([id(credential), did("insurer-c"), code, number, scene]);
    for (credential, scene, problem) in
        [(1, 3, Value::Null), (2, 3, json!("revoked")), (1, 2, json!("out_of_scope"))]
    {
        let answer = ask(&ws, "authorization_check", check(credential, scene)).await;
        assert_eq!(answer, json!({ "usable": problem.is_null(), "problem": problem }));
    }
    let locked = node.execute(&client, "//insurer-c", lock(Some(id(1)))).await;
    assert_eq!(locked.success, Some(true), "{locked:?}");
    let bill = client.bill(&code, &number).await.unwrap().unwrap();
    assert_eq!((bill.version, bill.lock.unwrap().grant), (2, Some(id(1))));

    let view = ask(&ws, "authorization_get", json!([id(1)])).await;
    assert_eq!((&view["uses"], &view["status"]), (&json!(1), &json!("active")));
    assert_eq!(view["bills"], json!([{ "code": code, "number": number }]));
    assert_eq!(ask(&ws, "authorization_get", json!([id(9)])).await, Value::Null);
    for (method, party) in
        [("authorization_byHolder", "patient"), ("authorization_bySubject", "insurer-c")]
    {
        let first = ask(&ws, method, json!([did(party), null, 2])).await;
        let second = ask(&ws, method, json!([did(party), first["next"], 2])).await;
        let ids = |page: &Value| -> Vec<Value> {
            page["items"].as_array().unwrap().iter().map(|grant| grant["grant"].clone()).collect()
        };
        assert_eq!(ids(&first), [json!(id(1)), json!(id(2))], "{method}");
        assert_eq!((ids(&second), &second["next"]), (vec![json!(id(3))], &Value::Null));
        assert_eq!(first["items"][1]["status"], "revoked");
    }
    let history = ask(&ws, "authorization_history", json!([id(1)])).await;
    assert_eq!(history["items"][0]["change"], json!({ "kind": "registered" }));
    let used = &history["items"][1];
    assert_eq!(used["operator"], "did:bill:insurer-c");
    assert_eq!(
        used["change"],
        json!({
            "kind": "used",
            "bill": { "code": code, "number": number },
            "bill_version": 2,
            "purpose": "lock",
        })
    );
    assert_eq!(history["next"], Value::Null);

    for (method, params, words) in [
        ("authorization_get", rpc_params!["0x12"], "32 bytes"),
        ("authorization_byHolder", rpc_params!["did:bill:patient", "xyz"], "0x hex"),
        ("authorization_byHolder", rpc_params!["did:bill:patient", Value::Null, 101], "1 to 100"),
        ("node_list", rpc_params!["access-1"], "did:"),
        ("node_list", rpc_params![Value::Null, 0], "1 to 100"),
    ] {
        let error = ws.request::<Value, _>(method, params).await.unwrap_err();
        let (code, message) = refusal(error);
        assert_eq!(code, code::INVALID_PARAMS, "{method}: {message}");
        assert!(message.contains(words), "{method}: {message}");
    }
}
