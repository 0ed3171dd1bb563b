//! Transactions at the chain's door and in a proposer's hands.

use super::kit::{Node, Signer, alice, blake2, chain_hash, remark};
use billchain_chain_spec::dev;
use billchain_executor::{CallError, OpaqueTx, TransactionError, transaction};
use billchain_primitives::{Hash, PublicKey};
use billchain_runtime::{
    RuntimeCall, UncheckedExtrinsic, immortal_payload,
    limits::{MAX_TRANSACTION_BYTES, MAX_TRANSACTION_DEPTH},
    rejection,
};
use codec::{Compact, Decode, Encode};
use sp_core::{Pair, sr25519};
use sp_runtime::transaction_validity::{InvalidTransaction, TransactionValidityError};

fn refused(node: &Node, tx: &[u8]) -> TransactionError {
    node.validate(tx).unwrap_err()
}

fn invalid(reason: InvalidTransaction) -> TransactionError {
    TransactionError::Refused(TransactionValidityError::Invalid(reason))
}

/// What the pool refuses, the proposer refuses for the same reason.
fn refused_everywhere(node: &Node, tx: OpaqueTx, reason: InvalidTransaction) {
    assert_eq!(refused(node, &tx), invalid(reason));
    let built = node.build(vec![tx]);
    assert_eq!(built.block.transaction_count(), 0);
    assert_eq!(built.refused[0].reason, invalid(reason));
}

#[test]
fn a_participants_transaction_is_valid_and_says_whose_it_is() {
    let node = Node::development();
    let tx = node.signer("//hospital").remark(0);
    let valid = node.validate(&tx).unwrap();
    assert_eq!(valid.hash, billchain_executor::transaction_hash(&tx));
    assert_eq!(valid.sender, dev::account("//hospital"));
    assert_eq!((valid.nonce, valid.account_nonce, valid.head), (0, 0, 0));
}

#[test]
fn who_claims_to_have_signed_is_read_from_the_first_bytes_and_not_verified() {
    let node = Node::development();
    let hospital = node.signer("//hospital");
    let pair = sr25519::Pair::from_string("//Alice", None).unwrap();
    for (tx, account) in [
        (hospital.remark(0), dev::account("//hospital")),
        (hospital.sign(&remark(40 * 1024), 7), dev::account("//hospital")),
        (
            hospital.with_signature_over(b"another message", &remark(1), 0),
            dev::account("//hospital"),
        ),
        (alice(&node, &remark(1), 0, None), PublicKey::Sr25519(pair.public().0).account_id()),
    ] {
        assert_eq!(transaction::claimed_signer(&tx), Some(account));
    }
    let tx = hospital.remark(0);
    let bare = UncheckedExtrinsic::new_bare(remark(1)).encode();
    for nobody in [&bare[..], &[], &tx[..1], &tx[..3], &tx[..30], &[0xFF; 40]] {
        assert_eq!(transaction::claimed_signer(nobody), None, "{nobody:x?}");
    }
}

#[test]
fn operators_and_council_members_may_send() {
    let node = Node::development();
    let tx = node.signer("//node-1").remark(0);
    node.validate(&tx).unwrap();
    node.advance(vec![tx]);
}

#[test]
fn a_later_nonce_waits_and_a_used_one_is_stale() {
    let node = Node::development();
    let hospital = node.signer("//hospital");
    node.advance(vec![hospital.remark(0)]);
    let valid = node.validate(&hospital.remark(3)).unwrap();
    assert_eq!((valid.nonce, valid.account_nonce), (3, 1));
    let built = node.build(vec![hospital.remark(3)]);
    assert_eq!((built.block.transaction_count(), built.refused.len()), (0, 0), "it may come later");
    refused_everywhere(&node, hospital.remark(0), InvalidTransaction::Stale);
}

#[test]
fn a_stranger_is_refused_by_name() {
    let node = Node::development();
    let reason = InvalidTransaction::Custom(rejection::SENDER_UNKNOWN);
    refused_everywhere(&node, node.signer("//stranger").remark(0), reason);
}

#[test]
fn a_strangers_signature_is_not_even_checked() {
    let node = Node::development();
    let elsewhere = Signer { genesis: Hash::repeat_byte(9), ..node.signer("//stranger") };
    // The signature is false, and the answer does not say so.
    let reason = InvalidTransaction::Custom(rejection::SENDER_UNKNOWN);
    refused_everywhere(&node, elsewhere.remark(0), reason);
}

#[test]
fn another_chains_transaction_is_refused() {
    let node = Node::development();
    let elsewhere = Signer { genesis: Hash::repeat_byte(9), ..node.signer("//hospital") };
    refused_everywhere(&node, elsewhere.remark(0), InvalidTransaction::BadProof);
}

#[test]
fn a_changed_call_breaks_the_signature() {
    let node = Node::development();
    let hospital = node.signer("//hospital");
    let payload = immortal_payload(&remark(16), 0, node.chain.genesis_hash());
    let tx = hospital.with_signature_over(&payload, &remark(17), 0);
    refused_everywhere(&node, tx, InvalidTransaction::BadProof);
}

#[test]
fn an_sm2_signature_covers_a_long_payload_itself_not_its_hash() {
    let node = Node::development();
    let hospital = node.signer("//hospital");
    let call = remark(1_000);
    let payload = immortal_payload(&call, 0, node.chain.genesis_hash());
    for hash in [blake2, chain_hash] {
        let tx = hospital.with_signature_over(&hash(&payload), &call, 0);
        refused_everywhere(&node, tx, InvalidTransaction::BadProof);
    }
    node.advance(vec![hospital.sign(&call, 0)]);
}

#[test]
fn sr25519_clients_of_both_kinds_sign_long_payloads() {
    let node = Node::development();
    let call = remark(1_000);
    node.advance(vec![
        alice(&node, &call, 0, Some(blake2)),
        alice(&node, &call, 1, Some(chain_hash)),
        alice(&node, &remark(16), 2, None),
    ]);
    refused_everywhere(&node, alice(&node, &call, 3, None), InvalidTransaction::BadProof);
}

#[test]
fn an_unsigned_transaction_is_refused() {
    let node = Node::development();
    let tx: OpaqueTx = UncheckedExtrinsic::new_bare(remark(1)).encode().into();
    assert_eq!(refused(&node, &tx), invalid(InvalidTransaction::UnknownOrigin));
    let built = node.build(vec![tx]);
    assert_eq!((built.block.transaction_count(), built.refused.len()), (0, 1));
}

#[test]
fn an_oversized_transaction_is_refused_by_its_length() {
    let node = Node::development();
    let tx = node.signer("//hospital").sign(&remark(MAX_TRANSACTION_BYTES as usize), 0);
    let error = refused(&node, &tx);
    assert!(matches!(error, TransactionError::TooLong { .. }), "{error}");
}

#[test]
fn bytes_have_one_meaning_and_one_form() {
    let node = Node::development();
    let tx = node.signer("//hospital").remark(0);
    assert!(matches!(refused(&node, b""), TransactionError::Malformed(_)));
    assert!(matches!(refused(&node, &tx[..tx.len() - 1]), TransactionError::Malformed(_)));
    assert!(matches!(refused(&node, &[&tx[..], &[0]].concat()), TransactionError::Malformed(_)));
    // The length in a longer form than needed.
    let mut rest = &tx[..];
    let Compact(length) = Compact::<u32>::decode(&mut rest).unwrap();
    let padded = [&(length << 2 | 2).to_le_bytes()[..], rest].concat();
    assert!(matches!(
        refused(&node, &padded),
        TransactionError::Malformed(_) | TransactionError::NotCanonical
    ));
}

#[test]
fn nesting_is_bounded_before_it_can_reach_the_end_of_the_stack() {
    let node = Node::development();
    let hospital = node.signer("//hospital");
    let nested = |depth: u32| {
        (0..depth).fold(remark(1), |call, _| {
            RuntimeCall::Utility(pallet_utility::Call::batch { calls: vec![call] })
        })
    };
    node.validate(&hospital.sign(&nested(3), 0)).unwrap();
    // On a small stack, as a server's worker thread has.
    let tx = hospital.sign(&nested(200), 0);
    let shallow = hospital.sign(&nested(MAX_TRANSACTION_DEPTH / 2 - 1), 0);
    let error = std::thread::scope(|scope| {
        std::thread::Builder::new()
            .stack_size(1024 * 1024)
            .spawn_scoped(scope, || {
                let _ = node.validate(&shallow);
                node.build(vec![shallow.clone()]);
                refused(&node, &tx)
            })
            .unwrap()
            .join()
            .unwrap()
    });
    assert!(matches!(error, TransactionError::Malformed(_)), "{error}");
}

#[test]
fn nesting_is_bounded_in_the_arguments_of_runtime_apis_too() {
    let node = Node::development();
    // As deep as a request of some megabytes can go: batch within batch, each a
    // pallet, a call and a length of one.
    let utility =
        RuntimeCall::Utility(pallet_utility::Call::batch { calls: vec![remark(0)] }).encode();
    let mut call = utility[..3].repeat(500_000);
    call.extend(remark(0).encode());
    let signed = node.signer("//hospital").remark(0);
    let decoded = billchain_executor::transaction::decode(&signed).unwrap();
    let head = decoded.0.preamble.encode();
    let length = Compact(u32::try_from(head.len() + call.len()).unwrap()).encode();
    let tx = [length, head, call].concat();
    let header = node.build(vec![]).block.header().encode();
    let block = [&header[..], &Compact(1_u32).encode(), &tx].concat();
    let queue = [&[2][..], &tx, &[0; 32]].concat();
    let inherents = Vec::<u8>::from([0]);
    let checked = [&block[..], &inherents].concat();
    std::thread::scope(|scope| {
        let run = || {
            for (method, data) in [
                ("BlockBuilder_apply_extrinsic", &tx),
                ("TaggedTransactionQueue_validate_transaction", &queue),
                ("Core_execute_block", &block),
            ] {
                let error = node.chain.call(None, method, data).unwrap_err();
                assert!(matches!(error, CallError::Failed(_)), "{method}: {error}");
            }
            // Whatever it says of such a block, the node is there to say it.
            let _ = node.chain.call(None, "BlockBuilder_check_inherents", &checked);
        };
        let small = std::thread::Builder::new().stack_size(1024 * 1024);
        small.spawn_scoped(scope, run).unwrap().join().unwrap();
    });
}

#[test]
fn a_length_that_the_bytes_do_not_have_is_refused() {
    let node = Node::development();
    let tx = node.signer("//hospital").remark(0);
    let mut rest = &tx[..];
    let Compact(_) = Compact::<u32>::decode(&mut rest).unwrap();
    for length in [rest.len() as u32 + 1, 1 << 29, u32::MAX] {
        let lying = [&Compact(length).encode()[..], rest].concat();
        let error = refused(&node, &lying);
        assert!(error.to_string().contains("longer than what holds it"), "{length}: {error}");
    }
}

#[test]
fn damaged_transactions_never_panic_and_never_pass() {
    let node = Node::development();
    let tx = node.signer("//hospital").remark(0);
    for at in 0..tx.len() {
        for bit in [0, 3, 7] {
            let mut bytes = tx.to_vec();
            bytes[at] ^= 1 << bit;
            let error = refused(&node, &bytes);
            assert!(!matches!(error, TransactionError::Panicked(_)), "byte {at}: {error}");
        }
    }
}

#[test]
fn a_failing_call_is_in_the_block_and_its_sender_pays_with_the_nonce() {
    let node = Node::development();
    let hospital = node.signer("//hospital");
    // The council alone may do this.
    let peer_id = Default::default();
    let forbidden = RuntimeCall::Validators(pallet_validators::Call::remove_observer { peer_id });
    node.advance(vec![hospital.sign(&forbidden, 0), hospital.remark(1)]);
}

#[test]
fn runtime_apis_answer_by_name() {
    let node = Node::development();
    let metadata = node.chain.call(None, "Metadata_metadata", &[]).unwrap();
    let metadata: Vec<u8> = Decode::decode(&mut &metadata[..]).unwrap();
    assert_eq!(&metadata[..5], b"meta\x0e", "version 14");
    let nonce = node
        .chain
        .call(None, "AccountNonceApi_account_nonce", &dev::account("//hospital").encode())
        .unwrap();
    assert_eq!(nonce, 0u32.encode());
    let unknown = node.chain.call(None, "No_such_method", &[]).unwrap_err();
    assert!(matches!(unknown, CallError::UnknownMethod(_)), "{unknown}");
    let failed = node.chain.call(None, "AccountNonceApi_account_nonce", &[1]).unwrap_err();
    assert!(matches!(failed, CallError::Failed(_)), "{failed}");
}
