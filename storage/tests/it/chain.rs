//! A chain of made-up blocks, and a model of the state after each.

use billchain_storage::{
    BlockCommit, Cooling, EventGroup, Genesis, Head, StateDelta, StateSnapshot, Storage,
    StorageError, StorageOptions, genesis_root,
};
use sp_core::H256;
use std::{collections::BTreeMap, fs, path::Path};

pub type State = BTreeMap<Vec<u8>, Vec<u8>>;

/// Small caches: many stores are opened at once here.
pub fn options() -> StorageOptions {
    StorageOptions {
        block_cache_bytes: 1 << 20,
        write_buffer_bytes: 4 << 20,
        commitment_cache_bytes: 1 << 20,
        ..StorageOptions::default()
    }
}

pub fn open(path: &Path) -> Storage {
    Storage::open(path, options()).unwrap()
}

/// The error of opening `path`.
pub fn refused(path: &Path) -> StorageError {
    match Storage::open(path, options()) {
        Ok(storage) => panic!("opened with head {:?}", storage.head()),
        Err(error) => error,
    }
}

/// A store in `path` with the genesis block.
pub fn begin(path: &Path) -> Storage {
    let storage = open(path);
    storage.init_genesis(genesis()).unwrap();
    storage
}

pub fn genesis() -> Genesis {
    let state = genesis_state();
    let state_root = genesis_root(&state).unwrap();
    let document = hash(1_000);
    Genesis { state, state_root, hash: hash(0), block: b"block 0".to_vec(), document }
}

pub fn genesis_state() -> State {
    (0..20_u8).map(|i| (vec![b'k', i], vec![i; 3])).collect()
}

/// The hash of block `number`: any distinct value will do.
pub fn hash(number: u32) -> H256 {
    let mut bytes = [0xb1; 32];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    H256(bytes)
}

pub fn tx_hash(number: u32, index: u32) -> H256 {
    let mut bytes = [0x7a; 32];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    bytes[4..8].copy_from_slice(&index.to_be_bytes());
    H256(bytes)
}

/// What block `number` changes: replaced, deleted, new and untouched keys all
/// occur, by a fixed rule.
pub fn delta(number: u32) -> StateDelta {
    let mut delta = StateDelta::new();
    for i in 0..8_u32 {
        let x = number.wrapping_mul(2_654_435_761).wrapping_add(i.wrapping_mul(40_503)) >> 7;
        let key = vec![b'k', (x % 40) as u8];
        let value =
            (!x.is_multiple_of(5)).then(|| [number.to_be_bytes(), x.to_be_bytes()].concat());
        delta.insert(key, value);
    }
    delta.insert(new_key(number), Some(vec![1]));
    delta
}

/// The key that block `number` brings: those of three blocks differ in the last byte alone.
pub fn new_key(number: u32) -> Vec<u8> {
    [b"new".as_slice(), &(number / 3).to_be_bytes(), &[(number % 3) as u8]].concat()
}

pub fn apply(state: &mut State, delta: &StateDelta) {
    for (key, value) in delta {
        match value {
            Some(value) => drop(state.insert(key.clone(), value.clone())),
            None => drop(state.remove(key)),
        }
    }
}

/// The state after block `number`.
pub fn state_after(number: u32) -> State {
    let mut state = genesis_state();
    (1..=number).for_each(|number| apply(&mut state, &delta(number)));
    state
}

/// What the transactions of block `number` came to: the first and the second
/// in one group, the third in another.
pub fn events(number: u32) -> Vec<EventGroup> {
    let group = |first| EventGroup { first, records: format!("{number}/{first}").into_bytes() };
    vec![group(0), group(2)]
}

/// The next block on the head of `storage`.
pub fn next_block(storage: &Storage) -> BlockCommit {
    try_next_block(storage).unwrap()
}

pub fn try_next_block(storage: &Storage) -> Result<BlockCommit, StorageError> {
    let parent = storage.head();
    let number = parent.number + 1;
    let delta = delta(number);
    Ok(BlockCommit {
        number,
        hash: hash(number),
        parent_hash: parent.hash,
        state_root: storage.speculate(&delta, &Cooling::default())?,
        block: format!("block {number}").into_bytes(),
        certificate: format!("certificate {number}").into_bytes(),
        delta,
        cooling: Cooling::default(),
        events: events(number),
        offchain: vec![
            (format!("n/{number:04}").into_bytes(), Some(vec![number as u8])),
            (b"last".to_vec(), Some(number.to_be_bytes().to_vec())),
            (format!("n/{:04}", number.saturating_sub(3)).into_bytes(), None),
        ],
        tx_hashes: (0..3).map(|index| tx_hash(number, index)).collect(),
    })
}

/// Commits blocks until the head is `number`.
pub fn grow_to(storage: &Storage, number: u32) -> Head {
    while storage.head().number < number {
        storage.commit(next_block(storage)).unwrap();
    }
    storage.head()
}

/// Everything in a snapshot, read in pages.
pub fn contents(snapshot: &StateSnapshot) -> State {
    let mut state = State::new();
    let mut start: Option<Vec<u8>> = None;
    loop {
        let page = snapshot.pairs_paged(&[], start.as_deref(), 7).unwrap();
        let Some((last, _)) = page.last() else { return state };
        start = Some(last.clone());
        state.extend(page);
    }
}

/// Checks that `storage` is exactly the chain up to `number`.
pub fn assert_chain(storage: &Storage, number: u32) {
    assert_eq!(storage.head().number, number);
    assert_eq!(storage.head().hash, hash(number));
    assert_eq!(contents(&storage.state()), state_after(number));
    for n in 0..=number {
        assert_eq!(storage.block(n).unwrap(), Some(format!("block {n}").into_bytes()));
        let length = storage.block_with(n, <[u8]>::len).unwrap();
        assert_eq!(length, Some(format!("block {n}").len()));
        assert_eq!(storage.hash_of(n).unwrap(), Some(hash(n)));
        assert_eq!(storage.number_of(&hash(n)).unwrap(), Some(n));
        let expected = if n == 0 { Vec::new() } else { events(n) };
        assert_eq!(storage.event_groups(n).unwrap(), expected);
    }
    assert_eq!(storage.block(number + 1).unwrap(), None);
    assert_eq!(storage.block_with(number + 1, <[u8]>::len).unwrap(), None);
    assert_eq!(storage.number_of(&hash(number + 1)).unwrap(), None);
}

/// In memory where that is possible: real syncs would only take time.
pub fn scratch() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// Copies a directory with everything in it.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Puts a copy of directory `from` in the place of `to`.
pub fn replace(from: &Path, to: &Path) {
    fs::remove_dir_all(to).unwrap();
    copy(from, to);
}
