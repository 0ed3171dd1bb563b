//! Equivocations: from a proposer's hands into a block, and what no block may say.

use crate::{
    hostile::{refuse, reroot},
    kit::{NOW, Node, params, proposal},
};
use billchain_chain_spec::dev;
use billchain_crypto::sm2::DEFAULT_ID;
use billchain_executor::{BlockError, Brought, Built, TransactionError};
use billchain_primitives::{
    ConsensusDomain, Equivocation, Hash, Offence, PublicKey, SignedStatement, Statement,
    StatementContext,
};
use billchain_runtime::{Block, RuntimeCall, UncheckedExtrinsic, Validators};
use codec::{DecodeAll, Encode};
use sp_runtime::transaction_validity::{InvalidTransaction, TransactionValidityError};

/// Two votes of this development validator that exclude each other.
fn double_vote(node: &Node, validator: u32, height: u64) -> Equivocation {
    charge(node, &format!("//node-{validator}//consensus"), height)
}

/// Two votes with the key of this seed that exclude each other.
fn charge(node: &Node, seed: &str, height: u64) -> Equivocation {
    let secret = dev::secret(seed);
    let offender = PublicKey::Sm2(secret.public().to_compressed()).account_id();
    let signer = *AsRef::<[u8; 32]>::as_ref(&offender);
    let context = StatementContext { height, round: Some(0), signer };
    let domain = ConsensusDomain::new(node.chain.genesis_hash());
    let statements = [1, 2].map(|block| {
        let statement = Statement::Prevote { block: Some(Hash::repeat_byte(block)) };
        let bytes = domain.statement_bytes(&context, &statement);
        let signature = secret.sign(DEFAULT_ID, &bytes).to_bytes();
        SignedStatement { statement, signature }
    });
    Equivocation::new(offender, height, 0, statements)
}

/// What a proposer brings that holds these.
fn reports(equivocations: &[Equivocation]) -> Brought<'_> {
    Brought { equivocations, ..Brought::default() }
}

fn build(node: &Node, held: &[Equivocation]) -> Built {
    node.chain.build_with(params(), reports(held), &mut std::iter::empty()).unwrap()
}

fn recorded(node: &Node) -> Vec<Offence> {
    let records = node.chain.read(Validators::equivocations).unwrap();
    records.into_iter().map(|record| record.equivocation.offence()).collect()
}

fn report(equivocations: Vec<Equivocation>) -> UncheckedExtrinsic {
    let equivocations = equivocations.try_into().unwrap();
    let call = pallet_validators::Call::report_equivocations { equivocations };
    UncheckedExtrinsic::new_bare(RuntimeCall::Validators(call))
}

#[test]
fn a_block_reports_what_its_proposer_holds_and_every_node_records_it() {
    let (node, other) = (Node::development(), Node::development());
    other.follow(node.advance(vec![]));
    let held = vec![double_vote(&node, 2, 1), double_vote(&node, 3, 1)];
    assert_eq!(node.chain.recordable(held.clone()).unwrap(), held);
    let Built { block, refused, .. } = build(&node, &held);
    assert_eq!((refused, block.tx_hashes().len(), block.transaction_count()), (vec![], 2, 0));
    let bytes = block.bytes().clone();
    let committed = node.chain.commit(block, b"certificate".to_vec()).unwrap();
    assert!(committed.inherents.equivocations);

    let checked = other.chain.execute(bytes, proposal(NOW)).unwrap();
    assert_eq!(checked.transaction_count(), 0);
    other.chain.commit(checked, b"certificate".to_vec()).unwrap();
    for node in [&node, &other] {
        assert_eq!(recorded(node), [held[0].offence(), held[1].offence()]);
        assert_eq!(node.chain.recordable(held.clone()).unwrap(), []);
    }
    // What is on record is not said again, and a block without evidence has none.
    for held in [&held[..], &[]] {
        assert_eq!(build(&node, held).block.tx_hashes().len(), 1);
    }
}

#[test]
fn a_full_block_still_has_room_for_a_report() {
    let node = Node::development();
    node.advance(vec![]);
    let held: Vec<_> = (1..=4).map(|n| double_vote(&node, n, 1)).collect();
    let hospital = node.signer("//hospital");
    let txs: Vec<_> = (0..20).map(|nonce| hospital.remark(nonce)).collect();
    let mut offered = txs.into_iter();
    let built = node.chain.build_with(params(), reports(&held), &mut offered).unwrap();
    assert_eq!((built.block.tx_hashes().len(), built.block.transaction_count()), (22, 20));
    node.chain.commit(built.block, b"certificate".to_vec()).unwrap();
    assert_eq!(recorded(&node).len(), 4);
}

/// A block with other extrinsics, whose header agrees with them.
fn with_extrinsics(node: &Node, change: impl FnOnce(&mut Vec<UncheckedExtrinsic>)) -> Block {
    let bytes = build(node, &[]).block.bytes().clone();
    let mut block = Block::decode_all(&mut &bytes[..]).unwrap();
    change(&mut block.extrinsics);
    reroot(block)
}

#[test]
fn a_block_whose_report_is_false_repeated_or_out_of_place_is_not_valid() {
    let node = Node::development();
    node.advance(vec![]);
    node.advance(vec![]);
    let good = double_vote(&node, 2, 1);
    let mut forged = double_vote(&node, 3, 1);
    forged.first.signature[5] ^= 1;
    let stranger = charge(&node, "//hospital", 1);
    let future = double_vote(&node, 3, 3);
    let wrong = [
        ("forged", vec![good.clone(), forged]),
        ("repeated", vec![good.clone(), good.clone()]),
        ("no validator's", vec![stranger]),
        ("of the block itself", vec![future]),
        ("empty", vec![]),
    ];
    let bad_mandatory = TransactionError::Refused(TransactionValidityError::Invalid(
        InvalidTransaction::BadMandatory,
    ));
    for (what, equivocations) in wrong {
        let block = with_extrinsics(&node, |all| all.push(report(equivocations)));
        match refuse(&node, &block) {
            BlockError::Transaction { index: 1, reason, .. } => {
                assert_eq!(reason, bad_mandatory, "{what}");
            }
            other => panic!("{what}: {other:?}"),
        }
    }
    let one = || report(vec![good.clone()]);
    let other = || report(vec![double_vote(&node, 3, 1)]);
    let twice = with_extrinsics(&node, |all| all.extend([one(), other()]));
    let before_time = with_extrinsics(&node, |all| all.insert(0, one()));
    assert!(matches!(refuse(&node, &twice), BlockError::Unsigned { index: 2 }));
    assert!(matches!(refuse(&node, &before_time), BlockError::NoTimestamp));

    // On record already, in an honest block before.
    let built = build(&node, std::slice::from_ref(&good));
    node.chain.commit(built.block, b"certificate".to_vec()).unwrap();
    let again = with_extrinsics(&node, |all| all.push(one()));
    assert!(matches!(refuse(&node, &again), BlockError::Transaction { index: 1, .. }));
    assert_eq!(recorded(&node), [good.offence()]);
}

#[test]
fn nobody_reports_by_a_transaction() {
    let node = Node::development();
    node.advance(vec![]);
    let call = report(vec![double_vote(&node, 2, 1)]).function().clone();
    let hospital = node.signer("//hospital");
    let signed = hospital.sign(&call, 0);
    let bare = UncheckedExtrinsic::new_bare(call.clone()).encode();
    for tx in [&signed[..], &bare[..]] {
        assert!(node.validate(tx).is_err());
    }
    let built = node.build(vec![signed, bare.into()]);
    assert_eq!((built.block.transaction_count(), built.refused.len()), (0, 2));
    // Within another call it has the wrong origin.
    let batch = pallet_utility::Call::batch { calls: vec![call] };
    let built = node.build(vec![hospital.sign(&RuntimeCall::Utility(batch), 0)]);
    node.chain.commit(built.block, b"certificate".to_vec()).unwrap();
    assert_eq!(recorded(&node), []);
}
