//! Compact blocks: expanded again, and what is none.

use super::kit::{NOW, Node, proposal};
use billchain_executor::{
    BlockError, CompactBlock, CompactError, ExecutedBlock, OpaqueTx, transaction_hash,
};
use billchain_primitives::Hash;
use codec::{Compact, Encode};
use std::collections::{HashMap, HashSet};

const TRANSACTIONS: u32 = 4;

/// A valid block, and its transactions by their hashes.
fn valid(node: &Node) -> (ExecutedBlock, HashMap<Hash, OpaqueTx>) {
    let hospital = node.signer("//hospital");
    let txs: Vec<OpaqueTx> = (0..TRANSACTIONS).map(|nonce| hospital.remark(nonce)).collect();
    let held = txs.iter().map(|tx| (transaction_hash(tx), tx.clone())).collect();
    (node.build(txs).block, held)
}

fn sent(compact: &CompactBlock) -> CompactBlock {
    CompactBlock::decode(&compact.encode().into()).unwrap()
}

/// The encoding of a compact block with these items.
fn encoded(block: &ExecutedBlock, count: u32, items: &[&[u8]]) -> bytes::Bytes {
    [block.header().encode(), Compact(count).encode(), items.concat()].concat().into()
}

fn by_hash(hash: &Hash) -> Vec<u8> {
    [&[0], hash.as_bytes()].concat()
}

#[test]
fn a_block_comes_back_whatever_is_held() {
    let node = Node::development();
    let (block, held) = valid(&node);
    let hashes: Vec<Hash> = held.keys().copied().collect();
    for known in 0..=hashes.len() {
        let known: HashSet<&Hash> = hashes[..known].iter().collect();
        let compact = sent(&CompactBlock::new(&block, |hash| known.contains(hash)).unwrap());
        assert_eq!(compact.references().collect::<HashSet<_>>(), known);
        assert_eq!(compact.in_full(), 1 + hashes.len() - known.len(), "with the time stamp");
        let whole = compact.assemble(&held, usize::MAX).unwrap();
        assert_eq!(whole, block.bytes());
        let executed = node.chain.execute(whole, proposal(NOW)).unwrap();
        assert_eq!(executed.hash(), block.hash());
    }
}

#[test]
fn references_are_shorter_than_what_they_stand_for() {
    let node = Node::development();
    let (block, held) = valid(&node);
    let compact = CompactBlock::new(&block, |hash| held.contains_key(hash)).unwrap();
    let saved: usize = held.values().map(|tx| tx.len() - 33).sum();
    // The time stamp stays, with a byte that says so.
    assert_eq!(compact.encode().len(), block.bytes().len() - saved + 1);
}

#[test]
fn what_is_missing_is_named() {
    let node = Node::development();
    let (block, mut held) = valid(&node);
    let compact = sent(&CompactBlock::new(&block, |hash| held.contains_key(hash)).unwrap());
    let missing = *compact.references().nth(2).unwrap();
    held.remove(&missing);
    let error = compact.assemble(&held, usize::MAX).unwrap_err();
    assert!(matches!(error, CompactError::Missing(hash) if hash == missing), "{error}");
}

#[test]
fn a_block_longer_than_announced_is_not_put_together() {
    let node = Node::development();
    let (block, held) = valid(&node);
    let compact = CompactBlock::new(&block, |hash| held.contains_key(hash)).unwrap();
    let length = block.bytes().len();
    compact.assemble(&held, length).unwrap();
    let error = compact.assemble(&held, length - 1).unwrap_err();
    assert!(matches!(error, CompactError::TooLarge { limit } if limit == length - 1), "{error}");
}

#[test]
fn another_order_is_another_block_which_the_chain_refuses() {
    let node = Node::development();
    let (block, held) = valid(&node);
    let inherent = CompactBlock::new(&block, |_| false).unwrap().encode();
    let head = block.header().encode().len() + 1;
    let inherent = &inherent[head..head + 2 + inherent[head + 1] as usize / 4];
    let references: Vec<Vec<u8>> = block.tx_hashes()[1..].iter().map(by_hash).collect();
    let mut items: Vec<&[u8]> = references.iter().map(Vec::as_slice).collect();
    items.insert(0, inherent);
    let put = |items: &[&[u8]]| {
        let bytes = encoded(&block, items.len() as u32, items);
        CompactBlock::decode(&bytes).unwrap().assemble(&held, usize::MAX).unwrap()
    };
    assert_eq!(put(&items), block.bytes(), "the test writes what the program writes");

    items.swap(1, 2);
    let other = put(&items);
    assert_ne!(other, block.bytes());
    let error = node.chain.execute(other, proposal(NOW)).unwrap_err();
    assert!(matches!(error, BlockError::Transaction { index: 1, .. }), "{error}");
    items.swap(1, 2);
    items.pop();
    let error = node.chain.execute(put(&items), proposal(NOW)).unwrap_err();
    assert!(matches!(error, BlockError::WrongExtrinsicsRoot { .. }), "{error}");
}

#[test]
fn what_is_no_block_by_reference_is_refused_in_words() {
    let node = Node::development();
    let (block, _) = valid(&node);
    let hash = by_hash(&Hash::repeat_byte(3));
    let twice = encoded(&block, 2, &[&hash, &hash]);
    let error = CompactBlock::decode(&twice).unwrap_err();
    assert!(matches!(error, CompactError::Duplicate(_)), "{error}");

    let most = 15_385;
    let too_long = vec![0; 5 * 1024 * 1024 + 1];
    for (bytes, words) in [
        (encoded(&block, 1, &[&hash[..32]]), "31 bytes left, a hash has 32"),
        (encoded(&block, 1, &[]), "nothing is left of the bytes"),
        (encoded(&block, 1, &[&[7; 33]]), "unknown form 7"),
        (encoded(&block, 1, &[&[1, 0xfd, 0xff]]), "16383 bytes announced, 0 left"),
        (encoded(&block, 1, &[&hash, &[0]]), "1 bytes after the end"),
        (encoded(&block, most + 1, &[]), "expected at most 15385"),
        (encoded(&block, u32::MAX, &[]), "expected at most 15385"),
        (too_long.into(), "5242881"),
        (block.header().encode().into(), "number of extrinsics"),
        (bytes::Bytes::new(), "header"),
    ] {
        let error = CompactBlock::decode(&bytes).unwrap_err().to_string();
        assert!(error.contains(words), "expected {words:?}, found {error:?}");
    }
}
