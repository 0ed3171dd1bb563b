//! What the node reads from its own disk.

use crate::{
    Verdict, chain,
    targets::{executor, samples_of},
};
use billchain_executor::transaction;
use billchain_primitives::OpaqueBlock;
use billchain_runtime::Block;
use billchain_storage::fuzzing;
use billchain_txpool::journal::fuzzing as journal;
use codec::{Decode, DecodeAll, Encode};

/// Change sets of blocks.
pub fn change_set(data: &[u8]) -> Verdict {
    fuzzing::change_set(data).into()
}

/// The head, index records and places of transactions.
pub fn index_record(data: &[u8]) -> Verdict {
    fuzzing::index_record(data).into()
}

/// What peers say of the cold part of a state that is joined.
pub fn cold_list(data: &[u8]) -> Verdict {
    fuzzing::cold_list(data).into()
}

/// Records of copies of the state.
pub fn copy_record(data: &[u8]) -> Verdict {
    fuzzing::copy_record(data).into()
}

/// The seal of RocksDB's MANIFEST.
pub fn manifest_seal(data: &[u8]) -> Verdict {
    fuzzing::seal(data).into()
}

/// Blocks as the database holds them and `blocks export` writes them, read
/// whole, and by those who only want the header or the bytes of transactions.
pub fn stored_block(data: &[u8]) -> Verdict {
    let opaque = OpaqueBlock::decode(&mut &data[..]);
    let whole = Block::decode_all(&mut &data[..]);
    if let Ok(block) = &whole {
        let opaque = opaque.expect("a block whose transactions decode");
        assert_eq!(opaque.header.hash(), block.header.hash());
        assert_eq!(opaque.extrinsics.len(), block.extrinsics.len());
        for (bytes, extrinsic) in opaque.extrinsics.iter().zip(&block.extrinsics) {
            if transaction::decode(&bytes.encode()).is_ok() {
                assert_eq!(bytes.encode(), extrinsic.encode());
            }
        }
        // An exported block: its bytes and its certificate's.
        let exported = (data.to_vec(), vec![1_u8; 9]);
        assert_eq!(DecodeAll::decode_all(&mut &exported.encode()[..]), Ok(exported));
    }
    whole.is_ok().into()
}

/// Events of some transactions of a block, as the index keeps them.
pub fn event_group(data: &[u8]) -> Verdict {
    billchain_executor::fuzzing::event_group(data).into()
}

/// Segments of the journal of accepted transactions.
pub fn journal_segment(data: &[u8]) -> Verdict {
    journal::segment(data).into()
}

/// Real inputs of the target `name`.
pub(crate) fn seeds(name: &str) -> Vec<Vec<u8>> {
    match name {
        "stored_block" => {
            let stored = chain::with(|chain| chain.storage().block(1).expect("sound"));
            let mut blocks = executor::seeds("block");
            blocks.extend(stored);
            blocks
        }
        "event_group" => {
            let groups = chain::with(|chain| chain.storage().event_groups(1).expect("sound"));
            groups.into_iter().map(|group| group.records).collect()
        }
        "journal_segment" => {
            let transaction = chain::with(|chain| {
                let call = chain::register(chain::outpatient());
                chain::hospital().transaction(call, 1, chain.genesis_hash())
            });
            let whole = journal::sample(&[&transaction, &[], &[7; 300]]);
            // A record's bytes within another's.
            vec![journal::sample(&[&whole, &[7; 300]]), journal::sample(&[]), whole]
        }
        "manifest_seal" => samples_of("seal", fuzzing::samples()),
        _ => samples_of(name, fuzzing::samples()),
    }
}
