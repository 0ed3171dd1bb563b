//! Equivocations on record, read page by page.

use super::*;
use billchain_chain_spec::dev;
use billchain_crypto::sm2::DEFAULT_ID;
use billchain_primitives::{
    ConsensusDomain, Equivocation, Hash, PublicKey, SignedStatement, Statement, StatementContext,
};
use sp_core::{H256, H512};

/// Two votes of a development validator that exclude each other.
fn double_vote(node: &Node, validator: u32, height: u64) -> Equivocation {
    let secret = dev::secret(&format!("//node-{validator}//consensus"));
    let offender = PublicKey::Sm2(secret.public().to_compressed()).account_id();
    let signer = *AsRef::<[u8; 32]>::as_ref(&offender);
    let context = StatementContext { height, round: Some(2), signer };
    let domain = ConsensusDomain::new(node.chain.genesis_hash());
    let statements = [Some(Hash::repeat_byte(1)), None].map(|block| {
        let statement = Statement::Precommit { block };
        let bytes = domain.statement_bytes(&context, &statement);
        let signature = secret.sign(DEFAULT_ID, &bytes).to_bytes();
        SignedStatement { statement, signature }
    });
    Equivocation::new(offender, height, 2, statements)
}

#[tokio::test(flavor = "multi_thread")]
async fn equivocations_on_record_are_read_with_both_signed_statements() {
    let node = Node::start(RpcConfig::default()).await;
    let ws = node.ws().await;
    let method = "validator_equivocations";
    let none = json!({ "items": [], "next": null });
    assert_eq!(ask(&ws, method, json!([])).await, none);
    node.make_block();
    node.make_block();
    let held: Vec<_> = [(1, 1), (1, 2), (2, 1)]
        .into_iter()
        .map(|(validator, height)| double_vote(&node, validator, height))
        .collect();
    let params = BuildParams {
        timestamp_ms: NOW,
        max_block_bytes: 5 << 20,
        deadline: Instant::now() + Duration::from_secs(10),
    };
    let brought = Brought { equivocations: &held, ..Brought::default() };
    let built = node.chain.build_with(params, brought, &mut std::iter::empty()).unwrap();
    node.chain.commit(built.block, b"certificate".to_vec()).unwrap();

    let all = ask(&ws, method, json!([])).await["items"].clone();
    assert_eq!(all.as_array().unwrap().len(), 3);
    let of_first = |record: &Value, one: &Equivocation| {
        record["offender"] == json!(H256(*AsRef::<[u8; 32]>::as_ref(&one.offender)))
            && record["height"] == one.height
    };
    let found = all.as_array().unwrap().iter().find(|record| of_first(record, &held[1])).unwrap();
    assert_eq!((&found["kind"], &found["round"]), (&json!("precommit"), &json!(2)));
    // Nil comes before a block.
    assert_eq!(
        (&found["first"]["block"], &found["first"]["valid_round"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(found["second"]["block"], json!(Hash::repeat_byte(1)));
    assert_eq!(found["second"]["signature"], json!(H512(held[1].second.signature)));
    assert_eq!((&found["at"]["block"], &found["at"]["extrinsic"]), (&json!(3), &json!(1)));

    let (mut paged, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = ask(&ws, method, json!([after, 2])).await;
        paged.extend(page["items"].as_array().unwrap().clone());
        after = page["next"].clone();
        if after.is_null() {
            break;
        }
    }
    assert_eq!(json!(paged), all);
    let error = ws.request::<Value, _>(method, rpc_params!["0x12"]).await.unwrap_err();
    assert!(refusal(error).1.contains("page before"));
    node.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn members_and_rules_of_the_chain_are_read() {
    let node = Node::start(RpcConfig::default()).await;
    let ws = node.ws().await;
    let list = ask(&ws, "validator_list", json!([])).await;
    let first = &list["validators"][0];
    let keys = dev::NodeKeys::of(1);
    let account = dev::account("//node-1");
    assert_eq!(list["validators"].as_array().unwrap().len(), dev::NODES);
    assert_eq!(first["operator"], json!(H256(*AsRef::<[u8; 32]>::as_ref(&account))));
    let key = PublicKey::Sm2(keys.consensus.public().to_compressed()).to_string();
    assert_eq!((&first["consensus_key"], &first["power"]), (&json!(key), &json!(1)));
    assert_eq!((&first["peer_id"], &list["observers"]), (&json!(keys.peer_id()), &json!([])));
    // Since the first block, and nobody has said where it is.
    assert_eq!((&first["key_since"], &first["address"]), (&json!(1), &json!(null)));

    let taking_part = ask(&ws, "validator_participation", json!([])).await;
    assert_eq!(taking_part.as_array().unwrap().len(), dev::NODES);
    let of_first = taking_part.as_array().unwrap().iter().find(|one| one["name"] == first["name"]);
    let key = PublicKey::Sm2(keys.consensus.public().to_compressed()).account_id();
    let expected = json!({
        "validator": H256(*AsRef::<[u8; 32]>::as_ref(&key)),
        "operator": first["operator"], "name": first["name"], "missed": 0, "missed_in_all": 0,
        "last_seen": 0, "failed_turns": 0, "takes_turns": true,
    });
    assert_eq!(of_first, Some(&expected));

    let rules = billchain_runtime::VERSION.spec_version;
    let expected = json!({
        "rules": rules, "release": rules, "scheduled": null, "confirmed": [], "ready": 0,
        "of": dev::NODES,
    });
    assert_eq!(ask(&ws, "upgrade_status", json!([])).await, expected);

    // Blocks are made by hand here.
    let error = ws.request::<Value, _>("consensus_status", rpc_params![]).await.unwrap_err();
    let (code, words) = refusal(error);
    assert_eq!((code, words.as_str()), (code::INTERNAL, "no consensus runs here"));
}
