//! Limits and quotas that the chain itself has, and what it admits at all.

use super::{
    hostile::{refuse, reroot},
    kit::{NOW, Node, Signer, params, proposal, remark},
};
use billchain_chain_spec::{ChainSpec, ParticipantQuota};
use billchain_executor::{
    BlockError, BuildParams, OpaqueTx, TransactionError, transaction, transaction_hash,
};
use billchain_primitives::{BatchMode, BillKey, Did, GrantId, MAX_DECODED_BYTES, SceneId};
use billchain_runtime::{
    Block, RuntimeCall, UncheckedExtrinsic,
    calls::{MAX_BILLS, MAX_CALLS},
    limits::MAX_BLOCK_BYTES,
    quota, rejection,
};
use codec::DecodeAll;
use pallet_bill_update::{StatusChange, StatusItem};
use pallet_performance::{Allowance, MIN_BLOCK_BYTES, MIN_TRANSACTION_BYTES, PoolShare, Quota};
use pallet_utility::Call as Utility;
use sp_runtime::transaction_validity::{InvalidTransaction, TransactionValidityError};

fn custom(code: u8) -> TransactionError {
    let invalid = InvalidTransaction::Custom(code);
    TransactionError::Refused(TransactionValidityError::Invalid(invalid))
}

fn batch(calls: Vec<RuntimeCall>) -> RuntimeCall {
    RuntimeCall::Utility(Utility::batch { calls })
}

fn empty() -> RuntimeCall {
    batch(Vec::new())
}

fn system_remark() -> RuntimeCall {
    RuntimeCall::System(frame_system::Call::remark { remark: vec![1] })
}

/// The development chain with `change`.
fn spec(change: impl FnOnce(&mut ChainSpec)) -> ChainSpec {
    let mut spec = ChainSpec::development();
    change(&mut spec);
    spec
}

/// A chain on which //hospital may bring `transactions` transactions a minute
/// into blocks.
fn metered(transactions: u32) -> ChainSpec {
    spec(|spec| {
        let did: Did = "did:bill:hospital".parse().unwrap();
        let allowance = Some(Allowance { transactions, bytes: u32::MAX });
        let pool = PoolShare { transactions: 7, bytes: 1 << 20 };
        let quota = Quota { allowance, pool };
        spec.performance.participants = vec![ParticipantQuota { did, quota }];
    })
}

#[test]
fn a_small_transaction_that_decodes_to_megabytes_is_refused_at_decoding() {
    let node = Node::development();
    let hospital = node.signer("//hospital");
    let bomb = hospital.sign(&batch(vec![empty(); 20_000]), 0);
    assert!(bomb.len() < 64 * 1024, "{} bytes", bomb.len());
    let error = node.validate(&bomb).unwrap_err();
    assert!(
        matches!(&error, TransactionError::Malformed(text) if text.contains("2 MiB")),
        "{error}"
    );
    // The same verdict for a proposer.
    let built = node.build(vec![bomb]);
    assert_eq!((built.block.transaction_count(), built.refused.len()), (0, 1));
    assert_eq!(built.refused[0].reason, error);
}

#[test]
fn what_a_transaction_takes_in_memory_is_said_with_it() {
    let node = Node::development();
    let hospital = node.signer("//hospital");
    let few = transaction::decode_measured(&hospital.sign(&empty(), 0)).unwrap();
    let tx = hospital.sign(&batch(vec![empty(); 500]), 0);
    let many = transaction::decode_measured(&tx).unwrap();
    let calls = 500 * size_of::<RuntimeCall>();
    assert!(many.decoded_size >= few.decoded_size + calls, "{}", many.decoded_size);
    assert!(many.decoded_size < MAX_DECODED_BYTES);
}

#[test]
fn calls_that_are_not_the_chains_business_are_refused_wherever_they_stand() {
    let node = Node::development();
    let (hospital, operator) = (node.signer("//hospital"), node.signer("//node-1"));
    let motion = |call| {
        RuntimeCall::Council(pallet_collective::Call::propose {
            threshold: 3,
            proposal: Box::new(call),
            length_bound: 1_000,
        })
    };
    let derived =
        |call| RuntimeCall::Utility(Utility::as_derivative { index: 0, call: Box::new(call) });
    let refused = [
        (&hospital, system_remark()),
        (&hospital, batch(vec![empty(), batch(vec![system_remark()])])),
        (&hospital, derived(empty())),
        (&operator, motion(system_remark())),
        (&operator, motion(batch(vec![system_remark()]))),
        (&operator, RuntimeCall::System(frame_system::Call::set_heap_pages { pages: 1 })),
    ];
    for (who, call) in refused {
        let tx = who.sign(&call, 0);
        assert_eq!(
            node.validate(&tx).unwrap_err(),
            custom(rejection::CALL_NOT_ADMITTED),
            "{call:?}"
        );
        assert_eq!(node.build(vec![tx]).block.transaction_count(), 0, "{call:?}");
    }
    node.validate(&operator.sign(&motion(batch(vec![empty()])), 0)).unwrap();
}

#[test]
fn a_transaction_has_a_bounded_number_of_calls() {
    let node = Node::development();
    let hospital = node.signer("//hospital");
    // The batch itself is one.
    node.validate(&hospital.sign(&batch(vec![empty(); MAX_CALLS - 1]), 0)).unwrap();
    let many = hospital.sign(&batch(vec![empty(); MAX_CALLS]), 0);
    assert_eq!(node.validate(&many).unwrap_err(), custom(rejection::TOO_MANY_CALLS));
}

#[test]
fn a_transaction_is_about_a_bounded_number_of_bills() {
    let node = Node::development();
    let hospital = node.signer("//hospital");
    let key = BillKey { code: "31060125".parse().unwrap(), number: "0000000001".parse().unwrap() };
    let item = StatusItem { key, expected_version: None, change: StatusChange::ExpireLock };
    let changes = |count: usize| {
        let changes = vec![item.clone(); count].try_into().unwrap();
        let mode = BatchMode::PerItem;
        RuntimeCall::BillUpdate(pallet_bill_update::Call::change_status_batch { changes, mode })
    };
    let last = MAX_BILLS - 1_000;
    let most = batch(vec![changes(500), changes(500), changes(last)]);
    node.validate(&hospital.sign(&most, 0)).unwrap();
    let single = pallet_bill_update::Call::change_status {
        key,
        expected_version: None,
        change: StatusChange::ExpireLock,
    };
    let more = batch(vec![
        changes(500),
        changes(500),
        batch(vec![changes(last), RuntimeCall::BillUpdate(single)]),
    ]);
    let refused = node.validate(&hospital.sign(&more, 0)).unwrap_err();
    assert_eq!(refused, custom(rejection::TOO_MANY_BILLS));
    // A lock by a grant is about the grant, too.
    let change = StatusChange::Lock {
        scene: SceneId(1),
        claim_no: "claim".parse().unwrap(),
        on_behalf_of: None,
        grant: Some(GrantId([1; 32].into())),
        signed_at: NOW,
    };
    let lock = StatusItem { key, expected_version: None, change };
    let locks = |count: usize| {
        let changes = vec![lock.clone(); count].try_into().unwrap();
        let mode = BatchMode::PerItem;
        RuntimeCall::BillUpdate(pallet_bill_update::Call::change_status_batch { changes, mode })
    };
    let more = batch(vec![locks(500), locks(MAX_BILLS / 2 - 500 + 1)]);
    let refused = node.validate(&hospital.sign(&more, 0)).unwrap_err();
    assert_eq!(refused, custom(rejection::TOO_MANY_BILLS));
    node.validate(&hospital.sign(&batch(vec![locks(500)]), 0)).unwrap();
}

#[test]
fn a_block_longer_than_the_chains_own_limit_is_built_by_none_and_refused_by_all() {
    let small = spec(|spec| spec.performance.limits.max_block_bytes = MIN_BLOCK_BYTES);
    let (node, large) = (Node::of(&small), Node::development());
    let txs = |signer: Signer| -> Vec<OpaqueTx> {
        (0..12).map(|n| signer.sign(&remark(400 * 1024), n)).collect()
    };
    let built = node.build(txs(node.signer("//hospital")));
    let length = built.block.bytes().len();
    assert!(built.block.transaction_count() > 0 && length <= MIN_BLOCK_BYTES as usize, "{length}");
    // A node's own setting may be smaller and says nothing of validity.
    let less = BuildParams { max_block_bytes: 1 << 20, ..params() };
    let mut offered = txs(node.signer("//hospital")).into_iter();
    let built = node.chain.build(less, &mut offered).unwrap();
    assert!(built.block.bytes().len() <= 1 << 20);
    Node::of(&small).chain.execute(built.block.bytes().clone(), proposal(NOW)).unwrap();
    // A longer one, as a chain with other limits would have it.
    let long = large.build(txs(large.signer("//hospital"))).block;
    assert!(
        long.bytes().len() > MIN_BLOCK_BYTES as usize
            && long.bytes().len() < MAX_BLOCK_BYTES as usize
    );
    let mut header = long.header().clone();
    header.parent_hash = node.chain.genesis_hash();
    let before = codec::Encode::encode(long.header()).len();
    let bytes = [codec::Encode::encode(&header), long.bytes()[before..].to_vec()].concat();
    let error = node.chain.execute(bytes.into(), proposal(NOW)).unwrap_err();
    let limit = MIN_BLOCK_BYTES as usize;
    assert!(matches!(error, BlockError::TooLarge { limit: l, .. } if l == limit), "{error}");
}

#[test]
fn a_transaction_longer_than_the_chains_own_limit_is_refused_everywhere() {
    let small = spec(|spec| spec.performance.limits.max_transaction_bytes = MIN_TRANSACTION_BYTES);
    let node = Node::of(&small);
    let tx = node.signer("//hospital").sign(&remark(100 * 1024), 0);
    assert_eq!(node.validate(&tx).unwrap_err(), custom(rejection::TRANSACTION_TOO_LONG));
    assert_eq!(node.build(vec![tx]).block.transaction_count(), 0);
}

#[test]
fn a_held_back_sender_waits_and_delays_nobody() {
    let node = Node::of(&metered(3));
    let (hospital, insurer) = (node.signer("//hospital"), node.signer("//insurer-a"));
    let mut txs: Vec<OpaqueTx> = (0..100).map(|n| hospital.remark(n)).collect();
    txs.push(insurer.remark(0));
    let built = node.build(txs);
    assert_eq!(built.block.transaction_count(), 4, "three of the one, and the other's");
    assert_eq!(built.refused, [], "what is held back stays in the pool");
    let follower = Node::of(&metered(3));
    follower.follow(built.block.bytes().clone());
    node.chain.commit(built.block, b"certificate".to_vec()).unwrap();
    // Still the same minute: nothing. The next one takes them again.
    let next = hospital.remark(3);
    assert_eq!(node.validate(&next).unwrap().nonce, 3, "it may wait");
    assert_eq!(node.build(vec![next.clone()]).block.transaction_count(), 0);
    let later = BuildParams { timestamp_ms: NOW + 60_000, ..params() };
    let built = node.chain.build(later, &mut vec![next].into_iter()).unwrap();
    assert_eq!(built.block.transaction_count(), 1);
}

#[test]
fn the_reserve_is_for_those_who_can_stop_what_goes_wrong() {
    use quota::{SenderClass, reserved_accounts, sender_quota};
    let node = Node::of(&metered(3));
    let of = |seed: &str| {
        let account = billchain_chain_spec::dev::account(seed);
        node.chain.read(|| sender_quota(&account)).unwrap()
    };
    let all = node.chain.read(reserved_accounts).unwrap();
    let is_among_all = |seed: &str| all.contains(&billchain_chain_spec::dev::account(seed));
    for seed in ["//node-1", "//security"] {
        assert_eq!(of(seed).class, SenderClass::Reserved, "{seed}");
        assert!(is_among_all(seed), "{seed}");
    }
    for seed in ["//insurer-a", "//admin", "//auditor", "//nobody"] {
        assert_eq!(of(seed).class, SenderClass::Ordinary, "{seed}");
        assert!(!is_among_all(seed), "{seed}");
    }
    let own = of("//hospital");
    assert_eq!((own.max_pool_transactions, own.max_pool_bytes), (7, 1 << 20));
    assert!(of("//insurer-a").max_pool_transactions > 7);
}

#[test]
fn a_chain_that_admits_sm2_alone_refuses_other_signatures_at_the_door_and_in_blocks() {
    use super::kit::alice;
    // Alice is a participant all the same: her account is admitted, the scheme
    // of her signature is not.
    let state = {
        let development = spec(|_| {});
        let mut state = development.genesis_state().unwrap();
        let key = pallet_participant::Schemes::<billchain_runtime::Runtime>::hashed_key();
        let sm2 = vec![billchain_primitives::SignatureScheme::Sm2];
        state.insert(key.to_vec(), codec::Encode::encode(&sm2));
        state
    };
    let node = Node::with_state(&state);
    let tx = alice(&node, &empty(), 0, None);
    assert_eq!(node.validate(&tx).unwrap_err(), custom(rejection::SCHEME_NOT_ADMITTED));
    let built = node.build(vec![tx.clone()]);
    assert_eq!((built.block.transaction_count(), built.refused.len()), (0, 1));
    node.advance(vec![node.signer("//hospital").sign(&empty(), 0)]);

    // A proposer puts it in all the same.
    let mut foreign = Block::decode_all(&mut &node.build(vec![]).block.bytes()[..]).unwrap();
    let hers = UncheckedExtrinsic::decode_all(&mut &tx[..]).unwrap();
    foreign.extrinsics.push(hers);
    let error = refuse(&node, &reroot(foreign));
    let BlockError::Transaction { index: 1, hash, reason } = error else { panic!("{error}") };
    assert_eq!(hash, transaction_hash(&tx));
    assert_eq!(reason, custom(rejection::SCHEME_NOT_ADMITTED));
}
