//! Entry points for fuzzers: stored bytes in, a panic if and only if something
//! is wrong. Each returns whether the bytes are what they should be; those that
//! are must be written as the same bytes again.

use crate::{
    Head, IndexGap, IndexTable, StateDelta, assembly, changes::Changes, cold, replaced::Replaced,
    seal::Record, state_copy, types::BlockIndex,
};
use codec::{DecodeAll, Encode};
use sp_core::H256;

/// Change sets of blocks.
pub fn change_set(data: &[u8]) -> bool {
    let Ok(replaced) = Replaced::decode(data) else { return false };
    assert_eq!(replaced.encode(), data);
    [&replaced.state, &replaced.bits, &replaced.records].into_iter().for_each(changes);
    true
}

fn changes(changes: &Changes) {
    let entries: Vec<_> = changes.iter().collect();
    assert_eq!(entries.len(), changes.len());
    for (at, (key, value)) in entries.iter().enumerate() {
        assert_eq!(changes.get(key), Some(*value));
        assert_eq!(changes.lower_bound(key), at);
    }
    let again = Changes::from_sorted(entries.into_iter());
    assert_eq!(again.as_ref(), Ok(changes));
}

/// The head, index records of blocks, places of transactions, and records of cold groups.
pub fn index_record(data: &[u8]) -> bool {
    same::<Head>(data)
        | same::<BlockIndex>(data)
        | same::<(u32, u32)>(data)
        | same::<cold::RunList>(data)
        | same::<cold::SegmentRecord>(data)
        | same::<cold::RetiredRecord>(data)
}

/// Records of copies of the state, and of what the index lacks.
pub fn copy_record(data: &[u8]) -> bool {
    let known = state_copy::read_record(data);
    if let Ok(target) = &known {
        assert_eq!(state_copy::record(target), data);
    }
    same::<IndexGap>(data) | known.is_ok()
}

/// What peers say of the cold part of a state: its list, and groups of a segment.
pub fn cold_list(data: &[u8]) -> bool {
    assembly::Fuzzed::decode_all(&mut &data[..]).is_ok_and(|entries| assembly::is_list(&entries))
}

/// The seal of RocksDB's MANIFEST.
pub fn seal(data: &[u8]) -> bool {
    let Some(record) = Record::from_bytes(data) else { return false };
    assert_eq!(record.to_bytes(), data);
    true
}

fn same<T: DecodeAll + Encode>(data: &[u8]) -> bool {
    let Ok(value) = T::decode_all(&mut &data[..]) else { return false };
    assert_eq!(value.encode(), data);
    true
}

fn encoded(delta: &StateDelta) -> Changes {
    Changes::from_sorted(delta.iter().map(|(k, v)| (k.as_slice(), v.as_deref())))
        .expect("read from fewer bytes than can be stored")
}

/// One or more real encodings for each function above, by its name.
pub fn samples() -> Vec<(&'static str, Vec<u8>)> {
    let delta: StateDelta = [
        (b"bill/1".to_vec(), Some(vec![1; 40])),
        (b"bill/2".to_vec(), None),
        (b"bill/3".to_vec(), Some(Vec::new())),
    ]
    .into();
    let (hash, state_root) = (H256::repeat_byte(1), H256::repeat_byte(2));
    let hot_root = H256::repeat_byte(3);
    let replaced = Replaced { bits: encoded(&delta), ..Replaced::of_state(encoded(&delta)) };
    let mut samples = vec![
        ("change_set", replaced.encode()),
        ("copy_record", include_bytes!("fixtures/copy-8").to_vec()),
        (
            "copy_record",
            IndexGap { block: 7, table: IndexTable::Index, after: vec![1; 40] }.encode(),
        ),
        ("index_record", Head { number: 7, hash, state_root }.encode()),
        ("index_record", BlockIndex { hash, state_root, hot_root, log_size: 900 }.encode()),
        ("index_record", (7_u32, 3_u32).encode()),
        ("cold_list", assembly::sample().encode()),
        ("seal", Record::sample().to_bytes()),
    ];
    samples.extend(cold::samples().into_iter().map(|record| ("index_record", record)));
    samples
}
