//! The runtime's own way of applying and validating decoded transactions
//! against `Executive`'s; and blocks whose transactions this node has not seen.

use super::{
    hostile::{refuse, reroot},
    kit::{NOW, Node, remark},
};
use billchain_chain_spec::ChainSpec;
use billchain_executor::{BlockError, OpaqueTx, TransactionError, transaction_hash};
use billchain_primitives::{Hash, Header};
use billchain_runtime::{
    Block, Executive, RuntimeCall, Signature, System, UncheckedExtrinsic, execution,
};
use codec::{DecodeAll, Encode};
use frame_support::storage::{TransactionOutcome, with_transaction_unchecked};
use sp_core::storage::Storage;
use sp_runtime::{
    ApplyExtrinsicResult,
    generic::{Digest, Preamble},
    transaction_validity::{InvalidTransaction, TransactionSource, TransactionValidity},
};
use sp_state_machine::BasicExternalities;

type Key = Vec<u8>;
type Applied = (Vec<ApplyExtrinsicResult>, Vec<(Key, Vec<u8>)>);

fn decode(tx: &[u8]) -> UncheckedExtrinsic {
    UncheckedExtrinsic::decode_all(&mut &tx[..]).unwrap()
}

/// The development chain's first state.
fn first_state() -> BasicExternalities {
    let top = ChainSpec::development().genesis_state().unwrap();
    BasicExternalities::new(Storage { top, ..Storage::default() })
}

/// Transactions of every fate: taken, failed in its call, refused.
fn samples(node: &Node) -> Vec<OpaqueTx> {
    let hospital = node.signer("//hospital");
    let council_only = RuntimeCall::CouncilMembership(pallet_membership::Call::remove_member {
        who: billchain_primitives::Address::Id(billchain_chain_spec::dev::account("//hospital")),
    });
    let nothing = RuntimeCall::Utility(pallet_utility::Call::batch { calls: Vec::new() });
    let forged = hospital.with_signature_over(b"another payload", &remark(3), 2);
    vec![
        hospital.sign(&nothing, 0),
        hospital.sign(&council_only, 1),
        forged,
        hospital.remark(1),
        hospital.remark(9),
        node.signer("//nobody").remark(0),
        hospital.sign(&nothing, 2),
    ]
}

/// Block 1 with the transactions, by one way of applying: what each came to,
/// and the state after them.
fn apply_all(
    node: &Node,
    txs: &[OpaqueTx],
    apply: fn(UncheckedExtrinsic, &[u8], Hash) -> ApplyExtrinsicResult,
) -> Applied {
    let header = Header {
        parent_hash: node.chain.genesis_hash(),
        number: 1,
        state_root: Hash::zero(),
        extrinsics_root: Hash::zero(),
        digest: Digest::default(),
    };
    let now = RuntimeCall::Timestamp(pallet_timestamp::Call::set { now: NOW });
    let inherent: OpaqueTx = UncheckedExtrinsic::new_bare(now).encode().into();
    let mut ext = first_state();
    let results = ext.execute_with(|| {
        Executive::initialize_block(&header);
        std::iter::once(&inherent)
            .chain(txs)
            .map(|tx| {
                with_transaction_unchecked(|| match apply(decode(tx), tx, transaction_hash(tx)) {
                    Ok(outcome) => TransactionOutcome::Commit(Ok(outcome)),
                    Err(refused) => TransactionOutcome::Rollback(Err(refused)),
                })
            })
            .collect()
    });
    (results, ext.into_storages().top.into_iter().collect())
}

#[test]
fn transactions_are_applied_as_executive_applies_them() {
    let node = Node::development();
    let txs = samples(&node);
    let ours = apply_all(&node, &txs, execution::apply);
    let theirs = apply_all(&node, &txs, |extrinsic, _, _| Executive::apply_extrinsic(extrinsic));
    let fates: Vec<_> = ours.0.iter().map(|fate| fate.as_ref().map(Result::is_ok).ok()).collect();
    let (taken, failed) = (Some(true), Some(false));
    assert_eq!(fates, [taken, taken, failed, None, None, None, None, taken]);
    assert_eq!(ours.0, theirs.0);
    assert_eq!(ours.1, theirs.1, "the same state, event for event");
}

#[test]
fn transactions_are_validated_as_executive_validates_them() {
    let node = Node::development();
    let genesis = node.chain.genesis_hash();
    let source = TransactionSource::External;
    let txs = samples(&node);
    let theirs: Vec<TransactionValidity> = txs
        .iter()
        .map(|tx| {
            first_state()
                .execute_with(|| Executive::validate_transaction(source, decode(tx), genesis))
        })
        .collect();
    let ours: Vec<TransactionValidity> = first_state().execute_with(|| {
        execution::begin_validation(System::block_number(), genesis);
        txs.iter()
            .map(|tx| execution::validate(source, decode(tx), tx.len(), transaction_hash(tx)))
            .collect()
    });
    assert_eq!(ours, theirs);
    assert!(ours.iter().any(Result::is_ok) && ours.iter().any(Result::is_err));
}

#[test]
fn a_remembered_verdict_holds_for_what_the_payload_implies_only() {
    let node = Node::development();
    let tx = node.signer("//hospital").remark(0);
    let valid_on = |genesis: Hash| {
        first_state().execute_with(|| {
            execution::begin_validation(System::block_number(), genesis);
            let hash = transaction_hash(&tx);
            execution::validate(TransactionSource::External, decode(&tx), tx.len(), hash)
        })
    };
    let genesis = node.chain.genesis_hash();
    assert!(valid_on(genesis).is_ok());
    assert_eq!(valid_on(Hash::repeat_byte(7)), Err(InvalidTransaction::BadProof.into()));
    assert!(valid_on(genesis).is_ok(), "remembered");
}

#[test]
fn many_are_judged_each_by_itself() {
    let node = Node::development();
    let txs = samples(&node);
    let together = node.chain.validate_transactions(&txs).unwrap();
    assert_eq!(together.len(), txs.len());
    for (tx, judged) in txs.iter().zip(together) {
        assert_eq!(judged, node.validate(tx));
    }
}

/// A block of `count` transactions that neither node's pool has seen.
fn cold_block(maker: &Node, count: u32) -> Block {
    let hospital = maker.signer("//hospital");
    let txs = (0..count).map(|nonce| hospital.sign(&remark(5), nonce)).collect();
    let bytes = maker.build(txs).block.bytes().clone();
    billchain_primitives::clear_signature_cache();
    Block::decode_all(&mut &bytes[..]).unwrap()
}

#[test]
fn a_cold_block_is_taken_and_one_wrong_signature_in_it_found() {
    let (maker, checker) = (Node::development(), Node::development());
    let block = cold_block(&maker, 100);
    checker.follow(block.encode().into());
    assert_eq!(checker.chain.head().number, 1);

    let other = Node::development();
    let mut forged = block;
    let Preamble::Signed(_, Signature::Sm2 { signature, .. }, _) =
        &mut forged.extrinsics[57].0.preamble
    else {
        panic!("not signed with SM2")
    };
    signature[40] ^= 1;
    billchain_primitives::clear_signature_cache();
    match refuse(&other, &reroot(forged)) {
        BlockError::Transaction { index: 57, reason: TransactionError::Refused(_), .. } => {}
        error => panic!("{error}"),
    }
}
