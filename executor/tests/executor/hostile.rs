//! Blocks that are wrong, each in one way, and bytes that are no block.

use super::kit::{NOW, Node, alice, proposal, remark};
use billchain_executor::{BlockError, ClockCheck, OpaqueTx, TransactionError};
use billchain_primitives::{Hash, OpaqueBlock};
use billchain_runtime::{
    Block, RuntimeCall, Signature, Sm3Hasher, UncheckedExtrinsic, VERSION,
    limits::{MAX_BLOCK_BYTES, MAX_TRANSACTION_BYTES},
};
use codec::{Decode, DecodeAll, Encode};
use sp_runtime::generic::{DigestItem, Preamble};

/// A valid next block with three transactions.
fn valid(node: &Node) -> Block {
    let hospital = node.signer("//hospital");
    let txs = (0..3).map(|nonce| hospital.remark(nonce)).collect();
    let bytes = node.build(txs).block.bytes().clone();
    Block::decode_all(&mut &bytes[..]).unwrap()
}

pub(crate) fn refuse(node: &Node, block: &impl Encode) -> BlockError {
    let before = node.chain.head();
    let error = node.chain.execute(block.encode().into(), proposal(NOW)).unwrap_err();
    assert_eq!(node.chain.head(), before);
    assert!(!error.is_local(), "blamed on this node: {error}");
    error
}

/// Makes the header agree with the extrinsics again, so that the check under
/// test is reached.
pub(crate) fn reroot(mut block: Block) -> Block {
    let encoded = block.extrinsics.iter().map(Encode::encode).collect();
    block.header.extrinsics_root = frame_system::extrinsics_data_root::<Sm3Hasher>(
        encoded,
        VERSION.extrinsics_root_state_version(),
    );
    block
}

macro_rules! refused_as {
    ($node:expr, $block:expr, $pattern:pat) => {
        let error = refuse($node, $block);
        assert!(matches!(error, $pattern), "{error:?}");
    };
}

#[test]
fn each_field_of_the_header_is_checked() {
    let node = Node::development();
    let good = valid(&node);
    node.chain.execute(good.encode().into(), proposal(NOW)).unwrap();

    let mut bad = good.clone();
    bad.header.parent_hash = Hash::repeat_byte(1);
    refused_as!(&node, &bad, BlockError::WrongParent { .. });

    let mut bad = good.clone();
    bad.header.number = 2;
    refused_as!(&node, &bad, BlockError::WrongNumber { expected: 1, found: 2 });

    let mut bad = good.clone();
    bad.header.state_root = Hash::repeat_byte(2);
    refused_as!(&node, &bad, BlockError::WrongStateRoot { .. });

    let mut bad = good.clone();
    bad.header.extrinsics_root = Hash::repeat_byte(3);
    refused_as!(&node, &bad, BlockError::WrongExtrinsicsRoot { .. });

    for item in [DigestItem::Other(vec![1]), DigestItem::PreRuntime(*b"test", vec![1])] {
        let mut bad = good.clone();
        bad.header.digest.push(item);
        refused_as!(&node, &bad, BlockError::WrongDigest { expected: 0, found: 1 });
    }
}

#[test]
fn leaving_out_or_swapping_transactions_is_noticed() {
    let node = Node::development();
    let mut fewer = valid(&node);
    fewer.extrinsics.pop();
    refused_as!(&node, &fewer, BlockError::WrongExtrinsicsRoot { .. });
    refused_as!(&node, &reroot(fewer), BlockError::WrongStateRoot { .. });

    let mut swapped = valid(&node);
    swapped.extrinsics.swap(1, 2);
    refused_as!(&node, &reroot(swapped), BlockError::Transaction { index: 1, .. });

    let mut twice = valid(&node);
    twice.extrinsics.push(twice.extrinsics[1].clone());
    refused_as!(&node, &reroot(twice), BlockError::Transaction { index: 4, .. });
}

#[test]
fn another_body_under_a_decided_header_is_told_before_it_is_executed() {
    let node = Node::development();
    let mut swapped = valid(&node);
    swapped.extrinsics.swap(1, 2);
    let check = |clock| node.chain.execute(swapped.encode().into(), clock).unwrap_err();
    let error = check(ClockCheck::Decided);
    assert!(matches!(error, BlockError::WrongExtrinsicsRoot { .. }), "{error:?}");
    let error = check(proposal(NOW));
    assert!(matches!(error, BlockError::Transaction { index: 1, .. }), "executed: {error:?}");
}

#[test]
fn the_timestamp_must_be_there_first_and_once() {
    let node = Node::development();
    let mut without = valid(&node);
    without.extrinsics.remove(0);
    refused_as!(&node, &reroot(without), BlockError::NoTimestamp);

    let mut empty = valid(&node);
    empty.extrinsics.clear();
    refused_as!(&node, &reroot(empty), BlockError::NoTimestamp);

    let mut late = valid(&node);
    late.extrinsics.swap(0, 1);
    refused_as!(&node, &reroot(late), BlockError::NoTimestamp);

    let mut twice = valid(&node);
    twice.extrinsics.push(twice.extrinsics[0].clone());
    refused_as!(&node, &reroot(twice), BlockError::Unsigned { index: 4 });

    let mut other = valid(&node);
    other.extrinsics.push(UncheckedExtrinsic::new_bare(remark(1)));
    refused_as!(&node, &reroot(other), BlockError::Unsigned { index: 4 });
}

#[test]
fn the_time_keeps_its_bounds() {
    let node = Node::development();
    node.advance(vec![]);
    let at = |now| {
        let mut block = Block::decode_all(&mut &node.build(vec![]).block.bytes()[..]).unwrap();
        let call = RuntimeCall::Timestamp(pallet_timestamp::Call::set { now });
        block.extrinsics[0] = UncheckedExtrinsic::new_bare(call);
        reroot(block)
    };
    for now in [0, NOW - 1, NOW] {
        refused_as!(&node, &at(now), BlockError::TimeNotAfterParent { .. });
    }
    refused_as!(&node, &at(NOW + 5_001), BlockError::TimeAhead { .. });
    refused_as!(&node, &at(u64::MAX), BlockError::TimeAhead { .. });
    // Within the bounds only the state root is wrong.
    refused_as!(&node, &at(NOW + 5_000), BlockError::WrongStateRoot { .. });
    let late = |now| node.chain.execute(at(NOW + 2).encode().into(), proposal(now)).unwrap_err();
    assert!(matches!(late(NOW + 2 + 25_001), BlockError::TimeBehind { .. }));
    assert!(matches!(late(NOW + 2 + 25_000), BlockError::WrongStateRoot { .. }));
    // Clocks that were set back: the least step goes on, within a bound.
    let least = |now| node.chain.execute(at(NOW + 1).encode().into(), proposal(now));
    assert!(least(NOW + 1 - 600_000).is_ok());
    assert!(matches!(least(NOW + 1 - 600_001).unwrap_err(), BlockError::TimeAhead { .. }));
    assert!(matches!(late(NOW + 2 - 5_001), BlockError::TimeAhead { .. }));
}

#[test]
fn a_signature_of_somebody_else_spoils_the_block() {
    let node = Node::development();
    let mut block = valid(&node);
    let Preamble::Signed(_, signature, _) = &mut block.extrinsics[2].0.preamble else {
        unreachable!()
    };
    let Signature::Sm2 { signature: bytes, .. } = signature else { unreachable!() };
    bytes[10] ^= 1;
    let error = refuse(&node, &reroot(block));
    assert!(
        matches!(&error, BlockError::Transaction { index: 2, reason, .. }
            if reason.to_string().contains("signature")),
        "{error}"
    );
}

#[test]
fn blocks_and_transactions_too_long_are_refused_by_their_length() {
    let node = Node::development();
    let long = OpaqueTx::from(vec![0; MAX_BLOCK_BYTES as usize + 1]);
    let error = node.chain.execute(long, proposal(NOW)).unwrap_err();
    assert!(matches!(error, BlockError::TooLarge { .. }), "{error}");

    let mut block = valid(&node);
    let tx = node.signer("//hospital").sign(&remark(MAX_TRANSACTION_BYTES as usize), 3);
    block.extrinsics.push(UncheckedExtrinsic::decode(&mut &tx[..]).unwrap());
    refused_as!(
        &node,
        &reroot(block),
        BlockError::Transaction { index: 4, reason: TransactionError::TooLong { .. }, .. }
    );
}

#[test]
fn a_block_heavier_than_a_block_may_be_is_refused() {
    let node = Node::development();
    let hospital = node.signer("//hospital");
    let base = valid(&node);
    let mut block = base.clone();
    // A remark costs little beside its signature; the weight of that alone
    // fills the block.
    let most = (0.75 * 2e12 / 130e6) as u32;
    block.extrinsics.truncate(1);
    block.extrinsics.extend((0..most).map(|nonce| {
        let tx = alice(&node, &remark(0), nonce, None);
        UncheckedExtrinsic::decode(&mut &tx[..]).unwrap()
    }));
    drop(hospital);
    let error = refuse(&node, &reroot(block));
    assert!(
        matches!(&error, BlockError::Transaction { reason, .. }
            if reason.to_string().contains("weight")),
        "{error}"
    );
}

#[test]
fn a_block_announcing_millions_of_extrinsics_is_refused_before_they_are_read() {
    let node = Node::development();
    let mut bytes = valid(&node).header.encode();
    codec::Compact(4_000_000u32).encode_to(&mut bytes);
    bytes.resize(bytes.len() + 4_000_000, 0);
    let error = node.chain.execute(bytes.into(), proposal(NOW)).unwrap_err();
    assert!(matches!(error, BlockError::Malformed(_)), "{error}");
}

#[test]
fn bytes_after_the_end_are_no_part_of_a_block() {
    let node = Node::development();
    let mut bytes = valid(&node).encode();
    bytes.push(0);
    let error = node.chain.execute(bytes.into(), proposal(NOW)).unwrap_err();
    assert!(matches!(error, BlockError::Malformed(_)), "{error}");
}

#[test]
fn damaged_bytes_give_errors_and_never_panic() {
    // A small generator with a printed seed: rerun with the same one.
    let seed = 0x5eed_u64;
    println!("seed {seed:#x}");
    let mut state = seed;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let node = Node::development();
    let good = valid(&node).encode();
    let before = node.chain.head();
    let mut kinds = std::collections::BTreeMap::<String, u32>::new();
    for round in 0..2_000 {
        let mut bytes = good.clone();
        match round % 4 {
            0 => {
                for _ in 0..=random() % 4 {
                    let at = random() as usize % bytes.len();
                    bytes[at] ^= 1 << (random() % 8);
                }
            }
            1 => bytes.truncate(random() as usize % bytes.len()),
            2 => {
                let at = random() as usize % bytes.len();
                bytes.insert(at, random() as u8);
            }
            _ => bytes = (0..random() % 600).map(|_| random() as u8).collect(),
        }
        if bytes == good {
            continue;
        }
        let error = node.chain.execute(bytes.into(), proposal(NOW)).unwrap_err();
        assert!(!error.is_local(), "round {round}: {error}");
        assert!(!matches!(error, BlockError::Panicked(_)), "round {round}: {error}");
        let kind = format!("{error:?}").split([' ', '(', '{']).next().unwrap_or("").to_owned();
        *kinds.entry(kind).or_default() += 1;
    }
    assert_eq!(node.chain.head(), before);
    assert!(kinds.len() >= 4, "the loop reached too little: {kinds:?}");
}

#[test]
fn what_is_committed_is_a_block_to_any_decoder() {
    let node = Node::development();
    let bytes = node.advance(vec![node.signer("//hospital").remark(0)]);
    let opaque = OpaqueBlock::decode_all(&mut &bytes[..]).unwrap();
    assert_eq!(opaque.header.hash(), node.chain.head().hash);
    assert_eq!(opaque.encode(), bytes);
}
