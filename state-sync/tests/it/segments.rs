//! The file of a cold segment from peers, of which some lie.

use billchain_consensus::PeerId;
use billchain_primitives::Hash;
use billchain_state_sync::{
    Doubts, FetchError, MAX_FILE_BYTES, Peers, Scratch, fetch_segment,
    wire::{self, Opaque, PIECE_BYTES, Piece, PieceOf, Question, Refusal},
};
use billchain_storage::{
    BlockCommit, ColdSegment, Cooling, Genesis, StateDelta, Storage, StorageOptions, genesis_root,
};
use bytes::Bytes;
use futures::future::{BoxFuture, ready};
use parking_lot::Mutex;
use std::{collections::BTreeMap, fs, path::Path, sync::Arc};
use tokio::runtime::Runtime;

/// Groups of the segment: so many that its file has several pieces.
const GROUPS: u32 = 60;

/// What a peer answers.
type Answer = Box<dyn Fn(&PieceOf) -> Result<Vec<u8>, String> + Send + Sync>;

/// Peers, each with what it answers; how often they were asked.
#[derive(Default)]
struct Fakes {
    peers: BTreeMap<PeerId, Answer>,
    asked: Mutex<u32>,
}

impl Fakes {
    fn add(&mut self, answer: Answer) -> PeerId {
        let peer = PeerId::random();
        self.peers.insert(peer, answer);
        peer
    }
}

impl Peers for Fakes {
    fn connected(&self) -> Vec<PeerId> {
        self.peers.keys().copied().collect()
    }

    fn ask(&self, peer: PeerId, question: Vec<u8>) -> BoxFuture<'static, Result<Bytes, String>> {
        *self.asked.lock() += 1;
        let Ok(Question::Piece(of)) = wire::question(&question) else { panic!("another question") };
        Box::pin(ready((self.peers[&peer])(&of).map(Bytes::from)))
    }
}

/// Whoever has this file.
fn with(file: &Arc<Vec<u8>>) -> Answer {
    let file = file.clone();
    Box::new(move |of: &PieceOf| {
        let start = of.offset as usize;
        let end = file.len().min(start + PIECE_BYTES);
        let piece = Piece { length: file.len() as u64, bytes: file[start..end].to_vec() };
        Ok(wire::encode_answer(Ok(piece)))
    })
}

fn hash(number: u32) -> Hash {
    let mut bytes = [0xb1; 32];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    Hash::from(bytes)
}

fn key(number: u32) -> Vec<u8> {
    [b"key".as_slice(), &number.to_be_bytes(), &[7]].concat()
}

fn commit(storage: &Storage, delta: StateDelta, cooling: Cooling) {
    let parent = storage.head();
    let number = parent.number + 1;
    let block = BlockCommit {
        number,
        hash: hash(number),
        parent_hash: parent.hash,
        state_root: storage.speculate(&delta, &cooling).unwrap(),
        block: Vec::new(),
        certificate: Vec::new(),
        delta,
        cooling,
        events: Vec::new(),
        offchain: Vec::new(),
        tx_hashes: Vec::new(),
    };
    storage.commit(block).unwrap();
}

/// A store that has lost the file of its segment, and that file.
fn lost(path: &Path) -> (Storage, ColdSegment, Arc<Vec<u8>>) {
    let options = StorageOptions {
        block_cache_bytes: 1 << 20,
        write_buffer_bytes: 4 << 20,
        commitment_cache_bytes: 1 << 20,
        ..StorageOptions::default()
    };
    let storage = Storage::open(path, options).unwrap();
    // Values that nothing compresses.
    let value = |number: u32| -> Vec<u8> {
        (0..1_500_u32)
            .flat_map(|at| billchain_primitives::sm3(&[number, at].map(u32::to_be_bytes).concat()))
            .collect()
    };
    let state: BTreeMap<_, _> = (0..GROUPS).map(|number| (key(number), value(number))).collect();
    let state_root = genesis_root(&state).unwrap();
    let (hash, document) = (hash(0), hash(9_999));
    let genesis = Genesis { state, state_root, hash, block: Vec::new(), document };
    storage.init_genesis(genesis).unwrap();
    let shared = |number: u32| key(number)[..7].to_vec();
    let groups = (0..GROUPS).map(shared).collect();
    let cooling = Cooling { groups, ends_lap: true, segment_groups: 0, merge_groups: 0 };
    commit(&storage, StateDelta::new(), cooling);
    for number in 0..256_u32 {
        let delta = StateDelta::from([(b"last".to_vec(), Some(number.to_be_bytes().to_vec()))]);
        commit(&storage, delta, Cooling::default());
    }
    let written = storage.write_due_segment().unwrap().expect("it ended long ago");
    let path = written.file.clone().unwrap();
    let file = fs::read(&path).unwrap();
    assert!(file.len() > 2 * PIECE_BYTES, "{} bytes", file.len());
    fs::remove_file(&path).unwrap();
    let missing = storage.missing_segments().unwrap();
    assert_eq!(missing.len(), 1);
    (storage, missing[0].clone(), Arc::new(file))
}

fn fetch(
    storage: &Storage,
    peers: &Fakes,
    segment: &ColdSegment,
    scratch: &Path,
) -> Result<PeerId, FetchError> {
    fetch_with(storage, peers, segment, (scratch, u64::MAX), &mut Doubts::default())
}

/// As [`fetch`], with room for so many bytes, and what is known of the peers.
fn fetch_with(
    storage: &Storage,
    peers: &Fakes,
    segment: &ColdSegment,
    (path, most): (&Path, u64),
    doubts: &mut Doubts,
) -> Result<PeerId, FetchError> {
    let runtime = Runtime::new().unwrap();
    let scratch = Scratch { path, most };
    runtime.block_on(fetch_segment(storage, peers, segment, scratch, doubts))
}

/// What a peer may answer beside the file, and what of it.
fn lies(file: &Arc<Vec<u8>>) -> Vec<(&'static str, Answer)> {
    let of = |change: fn(&mut Vec<u8>)| {
        let mut other = file.as_ref().clone();
        change(&mut other);
        with(&Arc::new(other))
    };
    let piece = |piece: Piece| -> Answer {
        Box::new(move |_: &PieceOf| Ok(wire::encode_answer(Ok(piece.clone()))))
    };
    let whole = file.clone();
    let trickle: Answer = Box::new(move |of: &PieceOf| {
        let bytes = whole[of.offset as usize..][..1].to_vec();
        Ok(wire::encode_answer(Ok(Piece { length: whole.len() as u64, bytes })))
    });
    vec![
        (
            "has not the segment",
            Box::new(|_: &PieceOf| Ok(wire::encode_answer::<Opaque>(Err(Refusal::NotServed)))),
        ),
        ("changes a byte", of(|file| file[PIECE_BYTES + 7] ^= 1)),
        ("changes the last byte", of(|file| *file.last_mut().unwrap() ^= 1)),
        ("cuts the file", of(|file| file.truncate(PIECE_BYTES + 9))),
        ("adds a byte", of(|file| file.push(0))),
        ("gives an empty piece", piece(Piece { length: 99, bytes: Vec::new() })),
        ("gives a byte at a time", trickle),
        ("gives more than there is", piece(Piece { length: 9, bytes: vec![1; 10] })),
        ("has no end", piece(Piece { length: MAX_FILE_BYTES + 1, bytes: vec![1; 10] })),
        ("answers nonsense", Box::new(|_: &PieceOf| Ok(vec![7; 99]))),
        (
            "changes the length",
            Box::new(|of: &PieceOf| {
                let piece = Piece { length: 100 + of.offset, bytes: vec![1; 10] };
                Ok(wire::encode_answer(Ok(piece)))
            }),
        ),
    ]
}

#[test]
fn a_lost_file_comes_from_whoever_has_it_and_no_other_is_taken() {
    let directory = tempfile::tempdir().unwrap();
    let (storage, segment, file) = lost(&directory.path().join("chain"));
    let scratch = directory.path().join("scratch");
    for (what, lie) in lies(&file) {
        let mut alone = Fakes::default();
        alone.add(lie);
        let error = fetch(&storage, &alone, &segment, &scratch).expect_err(what);
        assert!(matches!(error, FetchError::NotGiven { .. }), "a peer that {what}: {error}");
        assert!(!scratch.exists(), "a peer that {what}");
        assert_eq!(storage.missing_segments().unwrap().len(), 1, "a peer that {what}");
        assert!(*alone.asked.lock() <= 4, "a peer that {what}");
    }
    for (what, lie) in lies(&file) {
        let mut fakes = Fakes::default();
        fakes.add(lie);
        let honest = fakes.add(with(&file));
        let from = fetch(&storage, &fakes, &segment, &scratch);
        assert_eq!(from.unwrap_or_else(|error| panic!("{what}: {error}")), honest);
        assert_eq!(storage.missing_segments().unwrap(), [], "beside a peer that {what}");
        assert!(!scratch.exists());
        let path = segment.file.as_ref().unwrap();
        assert!(fs::read(path).unwrap() == *file, "beside a peer that {what}");
        assert!(storage.state().get(&key(7)).unwrap().is_some());
        fs::remove_file(path).unwrap();
        assert_eq!(storage.missing_segments().unwrap().len(), 1);
    }
}

#[test]
fn a_peer_that_is_silent_for_a_moment_is_asked_again() {
    let directory = tempfile::tempdir().unwrap();
    let (storage, segment, file) = lost(&directory.path().join("chain"));
    let scratch = directory.path().join("scratch");
    let (whole, silent) = (with(&file), Mutex::new(true));
    let mut fakes = Fakes::default();
    fakes.add(Box::new(move |of: &PieceOf| {
        let is_silent = of.offset > 0 && std::mem::take(&mut *silent.lock());
        if is_silent { Err("it was busy".into()) } else { whole(of) }
    }));
    fetch(&storage, &fakes, &segment, &scratch).unwrap();
    let pieces = file.len().div_ceil(PIECE_BYTES) as u32;
    assert_eq!(*fakes.asked.lock(), pieces + 1);
    let error = fetch(&storage, &Fakes::default(), &segment, &scratch).unwrap_err();
    assert!(matches!(error, FetchError::NoPeers));
}

#[test]
fn a_file_that_there_is_no_room_for_is_not_begun() {
    let directory = tempfile::tempdir().unwrap();
    let (storage, segment, file) = lost(&directory.path().join("chain"));
    let scratch = directory.path().join("scratch");
    let mut fakes = Fakes::default();
    fakes.add(with(&file));
    let length = file.len() as u64;
    let mut doubts = Doubts::default();
    let error = fetch_with(&storage, &fakes, &segment, (&scratch, length - 1), &mut doubts);
    let error = error.unwrap_err().to_string();
    assert!(error.contains(&format!("there is room for {}", length - 1)), "{error}");
    assert_eq!(*fakes.asked.lock(), 1);
    assert!(!scratch.exists());
    fetch_with(&storage, &fakes, &segment, (&scratch, length), &mut doubts).unwrap();
}

#[test]
fn who_gave_a_wrong_file_is_asked_last_from_then_on() {
    let directory = tempfile::tempdir().unwrap();
    let (storage, segment, file) = lost(&directory.path().join("chain"));
    let scratch = directory.path().join("scratch");
    let mut other = file.as_ref().clone();
    other[PIECE_BYTES + 7] ^= 1;
    let mut peers = [PeerId::random(), PeerId::random()];
    // The liar is asked first.
    peers.sort();
    let mut fakes = Fakes::default();
    fakes.peers.insert(peers[0], with(&Arc::new(other)));
    fakes.peers.insert(peers[1], with(&file));
    let pieces = file.len().div_ceil(PIECE_BYTES) as u32;
    let mut doubts = Doubts::default();
    for asked in [2 * pieces, 3 * pieces] {
        let room = (scratch.as_path(), u64::MAX);
        let from = fetch_with(&storage, &fakes, &segment, room, &mut doubts).unwrap();
        assert_eq!((from, *fakes.asked.lock()), (peers[1], asked));
        fs::remove_file(segment.file.as_ref().unwrap()).unwrap();
        assert_eq!(storage.missing_segments().unwrap().len(), 1);
    }
}
