//! The commit of the parent: from a proposer's hands into a block, and what no block
//! may bring.

use crate::{
    hostile::{refuse, reroot},
    kit::{Node, params, proposal},
};
use billchain_chain_spec::dev;
use billchain_crypto::sm2::DEFAULT_ID;
use billchain_executor::{BlockError, Brought, Built, TransactionError};
use billchain_primitives::{
    AccountId, ConsensusDomain, Hash, LatePrecommit, ParentCommit, Precommit, PublicKey, Statement,
    StatementContext,
};
use billchain_runtime::{Block, Participation, RuntimeCall, UncheckedExtrinsic};
use codec::{DecodeAll, Encode};
use sp_runtime::{
    BoundedVec, bounded_vec,
    transaction_validity::{InvalidTransaction, TransactionValidityError},
};

fn key(validator: u32) -> PublicKey {
    let secret = dev::secret(&format!("//node-{validator}//consensus"));
    PublicKey::Sm2(secret.public().to_compressed())
}

fn sign(node: &Node, validator: u32, (height, block): (u32, Hash)) -> (AccountId, [u8; 64]) {
    let signer = key(validator).account_id();
    let context = StatementContext {
        height: u64::from(height),
        round: Some(0),
        signer: *AsRef::<[u8; 32]>::as_ref(&signer),
    };
    let domain = ConsensusDomain::new(node.chain.genesis_hash());
    let bytes = domain.statement_bytes(&context, &Statement::Precommit { block: Some(block) });
    let secret = dev::secret(&format!("//node-{validator}//consensus"));
    (signer, secret.sign(DEFAULT_ID, &bytes).to_bytes())
}

/// The head's commit by these.
fn commit(node: &Node, validators: &[u32]) -> ParentCommit {
    let head = node.chain.head();
    let mut precommits: Vec<Precommit> = validators
        .iter()
        .map(|validator| {
            let (signer, signature) = sign(node, *validator, (head.number, head.hash));
            Precommit { signer, signature }
        })
        .collect();
    precommits.sort_by(|a, b| a.signer.cmp(&b.signer));
    ParentCommit {
        round: 0,
        precommits: BoundedVec::truncate_from(precommits),
        late: BoundedVec::new(),
    }
}

fn build(node: &Node, commit: ParentCommit) -> Built {
    let brought = Brought { commit: Some(commit), ..Brought::default() };
    node.chain.build_with(params(), brought, &mut std::iter::empty()).unwrap()
}

fn take(node: &Node, built: Built) {
    node.chain.commit(built.block, b"certificate".to_vec()).unwrap();
}

fn left_out(node: &Node) -> Vec<AccountId> {
    node.chain.read(Participation::left_out).unwrap()
}

#[test]
fn who_is_missing_from_the_commits_of_blocks_is_left_out_until_it_is_seen() {
    let (node, other) = (Node::development(), Node::development());
    other.follow(node.advance(vec![]));
    for _ in 0..4 {
        assert_eq!(left_out(&node), []);
        let built = build(&node, commit(&node, &[1, 2, 4]));
        assert!(built.block.inherents().commit);
        assert_eq!((built.block.tx_hashes().len(), built.block.transaction_count()), (2, 0));
        other.follow(built.block.bytes().clone());
        take(&node, built);
    }
    assert_eq!(left_out(&node), [key(3).account_id()]);
    assert_eq!(left_out(&other), left_out(&node));

    // What came late and tells the chain nothing is left away.
    let head = node.chain.head();
    let height = head.number - 1;
    let hash = node.chain.storage().hash_of(height).unwrap().unwrap();
    let late = |validator, about: (u32, Hash)| {
        let (signer, signature) = sign(&node, validator, about);
        LatePrecommit { signer, height: about.0, round: 0, signature }
    };
    let mut with_late = commit(&node, &[1, 2, 4]);
    let mut all = [late(3, (height, hash)), late(1, (height, hash))];
    all.sort_by(|a, b| a.signer.cmp(&b.signer));
    with_late.late = BoundedVec::truncate_from(all.into());
    let built = build(&node, with_late);
    let block = Block::decode_all(&mut &built.block.bytes()[..]).unwrap();
    let RuntimeCall::Participation(pallet_participation::Call::note_commit { commit }) =
        block.extrinsics[1].function()
    else {
        panic!("{:?}", block.extrinsics[1].function());
    };
    assert_eq!(commit.late.len(), 1);
    take(&node, built);
    assert_eq!(left_out(&node), []);
}

fn inherent(commit: ParentCommit) -> UncheckedExtrinsic {
    let call = pallet_participation::Call::note_commit { commit };
    UncheckedExtrinsic::new_bare(RuntimeCall::Participation(call))
}

/// A block with other extrinsics, whose header agrees with them.
fn with_extrinsics(node: &Node, change: impl FnOnce(&mut Vec<UncheckedExtrinsic>)) -> Block {
    let bytes = node.build(vec![]).block.bytes().clone();
    let mut block = Block::decode_all(&mut &bytes[..]).unwrap();
    change(&mut block.extrinsics);
    reroot(block)
}

#[test]
fn a_block_whose_commit_proves_nothing_or_is_out_of_place_is_not_valid() {
    let node = Node::development();
    let of_genesis = with_extrinsics(&node, |all| all.push(inherent(commit(&node, &[1, 2, 3]))));
    assert!(matches!(refuse(&node, &of_genesis), BlockError::Transaction { index: 1, .. }));
    node.advance(vec![]);
    let mut forged = commit(&node, &[1, 2, 3]);
    forged.precommits[1].signature[7] ^= 1;
    let empty = ParentCommit { precommits: bounded_vec![], ..commit(&node, &[1]) };
    let bad_mandatory = TransactionError::Refused(TransactionValidityError::Invalid(
        InvalidTransaction::BadMandatory,
    ));
    for (what, wrong) in [("forged", forged), ("too few", commit(&node, &[1, 2])), ("empty", empty)]
    {
        let block = with_extrinsics(&node, |all| all.push(inherent(wrong)));
        match refuse(&node, &block) {
            BlockError::Transaction { index: 1, reason, .. } => {
                assert_eq!(reason, bad_mandatory, "{what}");
            }
            other => panic!("{what}: {other:?}"),
        }
    }
    let good = || inherent(commit(&node, &[1, 2, 3]));
    let twice = with_extrinsics(&node, |all| all.extend([good(), good()]));
    assert!(matches!(refuse(&node, &twice), BlockError::Unsigned { index: 2 }));
    let before_time = with_extrinsics(&node, |all| all.insert(0, good()));
    assert!(matches!(refuse(&node, &before_time), BlockError::NoTimestamp));

    // The header's word about the commit is compared as well.
    let built = build(&node, commit(&node, &[1, 2, 3]));
    let mut block = Block::decode_all(&mut &built.block.bytes()[..]).unwrap();
    block.header.digest.logs.clear();
    assert!(matches!(refuse(&node, &block), BlockError::WrongDigest { expected: 1, found: 0 }));
    let bytes = built.block.bytes().clone();
    assert!(node.chain.execute(bytes, proposal(built.block.timestamp_ms())).is_ok());
}

#[test]
fn nobody_brings_a_commit_by_a_transaction() {
    let node = Node::development();
    node.advance(vec![]);
    let call = inherent(commit(&node, &[1, 2, 3])).function().clone();
    let signed = node.signer("//hospital").sign(&call, 0);
    let bare = UncheckedExtrinsic::new_bare(call).encode();
    for tx in [&signed[..], &bare[..]] {
        assert!(node.validate(tx).is_err());
    }
    let built = node.build(vec![signed, bare.into()]);
    assert_eq!((built.block.transaction_count(), built.refused.len()), (0, 2));
}
