//! A copy of the state that is served, and a store that is made of what it serves.

use crate::chain::{
    apply, begin, contents, delta, genesis, grow_to, hash, next_block, open, options, refused,
    state_after, tx_hash,
};
use billchain_storage::{
    Added, Assembly, Beginning, CopyTable, Entries, Fetch, Fetched, IndexTable, KeptHeader,
    OlderBlock, OperationsSource, StateCopy, Storage, StorageError, SyncTarget,
};
use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
};

/// Blocks of the chain that is served: past several prunings of the commitment's log.
const SERVED: u32 = 700;

/// Serves operations; every `lies`th answer is spoilt.
struct Server {
    copy: Arc<StateCopy>,
    lies: Option<u32>,
    asked: AtomicU32,
    refuted: Arc<AtomicU32>,
    gives_up: bool,
}

impl OperationsSource for Server {
    fn fetch(&self, request: Vec<u8>) -> Fetch {
        let asked = self.asked.fetch_add(1, SeqCst);
        let mut answer = self.copy.operations(&request).unwrap().expect("a fair request");
        if self.lies.is_some_and(|lies| asked.is_multiple_of(lies)) {
            let at = asked as usize * 7_919 % answer.len();
            answer[at] ^= 1;
        }
        let refuted = self.refuted.clone();
        let gives_up = self.gives_up && asked > 0;
        Box::pin(async move {
            if gives_up {
                return Err("nobody is left".into());
            }
            let verdict = Box::new(move |is_right: bool| {
                refuted.fetch_add(u32::from(!is_right), SeqCst);
            });
            Ok(Fetched { answer, verdict })
        })
    }
}

fn server(copy: &Arc<StateCopy>) -> Server {
    let (asked, refuted) = (AtomicU32::new(0), Arc::new(AtomicU32::new(0)));
    Server { copy: copy.clone(), lies: None, asked, refuted, gives_up: false }
}

/// A store with some blocks, and a copy of it after which it has gone on.
fn served(directory: &Path) -> (Storage, Arc<StateCopy>) {
    let storage = begin(&directory.join("source"));
    grow_to(&storage, SERVED);
    let into = directory.join("copy");
    let target = storage.copy_state(&into).unwrap();
    assert_eq!((target.number, target.hash), (SERVED, hash(SERVED)));
    assert!(target.start > 0, "the log is long enough that its beginning is not needed");
    grow_to(&storage, SERVED + 40);
    let copy = StateCopy::open(&into).unwrap();
    assert_eq!(*copy.target(), target);
    (storage, Arc::new(copy))
}

fn block(number: u32) -> OlderBlock {
    OlderBlock {
        number,
        hash: hash(number),
        state_root: Default::default(),
        block: format!("block {number}").into_bytes(),
        certificate: format!("certificate {number}").into_bytes(),
        tx_hashes: (0..3).map(|index| tx_hash(number, index)).collect(),
    }
}

fn beginning() -> Beginning {
    let genesis = genesis();
    Beginning {
        hash: genesis.hash,
        state_root: genesis.state_root,
        block: genesis.block,
        document: genesis.document,
    }
}

/// All entries of the state in pages.
fn pages(copy: &StateCopy) -> Vec<Entries> {
    let (mut pages, mut after) = (Vec::new(), Vec::new());
    loop {
        let page = copy.page(CopyTable::State, &after, 200).unwrap();
        let Some((last, _)) = page.last() else { return pages };
        after = last.clone();
        pages.push(page);
    }
}

fn assembled(path: &Path, copy: &Arc<StateCopy>) {
    let source = Arc::new(server(copy));
    let mut assembly = Assembly::begin(path, &options(), copy.target().clone(), source).unwrap();
    for page in pages(copy) {
        assert_eq!(assembly.add(&page).unwrap(), Added::Taken);
    }
    assert_eq!(assembly.groups(), assembly.committed());
    assert!(assembly.prove_cold().unwrap(), "nothing is cold");
    assert_eq!(assembly.next_groups(), None);
    let head = OlderBlock { state_root: copy.target().state_root, ..block(SERVED) };
    let kept = KeptHeader {
        number: 7,
        hash: hash(7),
        header: b"header 7".to_vec(),
        certificate: b"certificate 7".to_vec(),
    };
    assembly.finish(&head, &beginning(), &[kept]).unwrap();
}

#[test]
fn a_store_of_what_a_copy_serves_is_the_store_at_its_block_and_goes_on_alike() {
    let directory = tempfile::tempdir().unwrap();
    let (source, copy) = served(directory.path());
    let path = directory.path().join("joined");
    assembled(&path, &copy);

    let joined = open(&path);
    assert_eq!(joined.head().hash, hash(SERVED));
    assert_eq!(joined.document().unwrap(), source.document().unwrap());
    let mut expected = state_after(SERVED);
    assert_eq!(contents(&joined.state()), expected);
    assert_eq!(joined.hash_of(0).unwrap(), Some(hash(0)));
    assert_eq!(joined.block(0).unwrap().unwrap(), b"block 0");
    assert_eq!(joined.first_block(), SERVED);
    assert_eq!(joined.block(SERVED - 1).unwrap(), None);
    assert_eq!(joined.header(7).unwrap().unwrap(), b"header 7");
    assert_eq!(joined.certificate(7).unwrap().unwrap(), b"certificate 7");
    assert_eq!(joined.tx(&tx_hash(SERVED, 1)).unwrap(), Some((SERVED, 1)));

    // Every later root is that of the store that executed all, also after a restart.
    for number in SERVED + 1..=SERVED + 40 {
        apply(&mut expected, &delta(number));
        joined.commit(next_block(&joined)).unwrap();
        assert_eq!(joined.state_root_of(number).unwrap(), source.state_root_of(number).unwrap());
    }
    drop(joined);
    let joined = open(&path);
    assert_eq!(joined.head(), source.head());
    assert_eq!(contents(&joined.state()), expected);
    drop(joined);
    let verified = billchain_storage::verify(&path, options()).unwrap();
    assert_eq!(verified.keys as usize, expected.len());
}

#[test]
fn no_lie_about_operations_comes_into_the_commitment() {
    let directory = tempfile::tempdir().unwrap();
    let (_source, copy) = served(directory.path());
    let liar = Arc::new(Server { lies: Some(2), ..server(&copy) });
    let path = directory.path().join("joined");
    let source = liar.clone();
    let assembly = Assembly::begin(&path, &options(), copy.target().clone(), source).unwrap();
    let shared: BTreeSet<_> =
        state_after(SERVED).into_keys().map(|key| key[..key.len() - 1].to_vec()).collect();
    assert_eq!(assembly.committed() as usize, shared.len());
    assert!(liar.refuted.load(SeqCst) > 0, "its lies were told");

    let last = copy.operations(&copy.target().last_request()).unwrap().unwrap();
    assert!(copy.target().begins_rightly(&last));
    for start in [0, copy.target().start + 256, copy.target().start - 1] {
        let other = SyncTarget { start, ..copy.target().clone() };
        assert!(other.is_proven() && !other.begins_rightly(&last));
    }
    for at in 0..last.len() {
        let mut spoilt = last.clone();
        spoilt[at] ^= 1;
        assert!(!copy.target().begins_rightly(&spoilt), "{at}");
    }

    let other = SyncTarget { operations_root: hash(9), ..copy.target().clone() };
    assert!(!other.is_proven());
    for change in [
        |target: &mut SyncTarget| target.state_root = hash(9),
        |target: &mut SyncTarget| target.hot_root = hash(9),
        |target: &mut SyncTarget| target.runs.push(hash(9)),
        |target: &mut SyncTarget| target.records = hash(9),
        |target: &mut SyncTarget| target.witness[3] ^= 1,
        |target: &mut SyncTarget| target.witness.push(0),
        |target: &mut SyncTarget| target.start = target.end,
    ] {
        let mut target = copy.target().clone();
        change(&mut target);
        assert!(!target.is_proven(), "{target:?}");
    }
}

#[test]
fn when_nobody_is_left_to_ask_the_reason_is_told_and_the_next_run_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let (_source, copy) = served(directory.path());
    let path = directory.path().join("joined");
    let silent = Arc::new(Server { gives_up: true, ..server(&copy) });
    let refused = Assembly::begin(&path, &options(), copy.target().clone(), silent);
    match refused {
        Err(StorageError::NotFetched { reason }) => assert_eq!(reason, "nobody is left"),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("made of nothing"),
    }
    assembled(&path, &copy);
}

#[test]
fn an_entry_that_is_wrong_foreign_or_out_of_order_is_refused_and_a_missing_one_is_missed() {
    let directory = tempfile::tempdir().unwrap();
    let (_source, copy) = served(directory.path());
    let path = directory.path().join("joined");
    let source = Arc::new(server(&copy));
    let mut assembly = Assembly::begin(&path, &options(), copy.target().clone(), source).unwrap();
    let all = pages(&copy);
    let page = &all[0];
    let spoilt = |change: &dyn Fn(&mut Entries)| {
        let mut page = page.clone();
        change(&mut page);
        page
    };
    for (page, key) in [
        // It is told by the first key of its group.
        (spoilt(&|page| page[1].1.push(0)), page[0].0.clone()),
        (spoilt(&|page| drop(page.remove(1))), page[0].0.clone()),
        (spoilt(&|page| page[1].0.push(0)), [&page[1].0[..], &[0]].concat()),
        (spoilt(&|page| page.swap(0, 1)), page[0].0.clone()),
        (spoilt(&|page| page.insert(0, page[0].clone())), page[0].0.clone()),
    ] {
        assert_eq!(assembly.add(&page).unwrap(), Added::Refuted { key });
        assert_eq!(assembly.groups(), 0);
    }
    // A group is left out.
    for (at, page) in all.iter().enumerate() {
        let mut page = page.clone();
        if at == 1 {
            let first = page[0].0.clone();
            page.retain(|(key, _)| key[..key.len() - 1] != first[..first.len() - 1]);
        }
        assert_eq!(assembly.add(&page).unwrap(), Added::Taken);
    }
    assert_eq!(assembly.groups() + 1, assembly.committed());
    assembly.clear().unwrap();
    assert_eq!((assembly.groups(), assembly.last()), (0, &[][..]));
    for page in &all {
        assert_eq!(assembly.add(page).unwrap(), Added::Taken);
    }
    assert!(assembly.prove_cold().unwrap());
    let other = OlderBlock { state_root: copy.target().state_root, ..block(SERVED - 1) };
    assert!(assembly.finish(&other, &beginning(), &[]).is_err());
    // It is no store.
    assert!(matches!(refused(&path), StorageError::Corrupt { .. }));
}

#[test]
fn a_damaged_or_unfinished_copy_is_told_from_a_whole_one() {
    let directory = tempfile::tempdir().unwrap();
    let (_source, copy) = served(directory.path());
    let path = copy.path().to_owned();
    drop(copy);
    let file = path.join("target");
    let record = fs::read(&file).unwrap();
    for at in 0..record.len() {
        let mut bad = record.clone();
        bad[at] ^= 1;
        fs::write(&file, &bad).unwrap();
        assert!(matches!(StateCopy::open(&path), Err(StorageError::Corrupt { .. })), "{at}");
        fs::write(&file, &record[..at]).unwrap();
        assert!(matches!(StateCopy::open(&path), Err(StorageError::Corrupt { .. })), "cut at {at}");
    }
    fs::remove_file(&file).unwrap();
    assert!(matches!(StateCopy::open(&path), Err(StorageError::Corrupt { .. })));
    fs::write(&file, &record).unwrap();
    StateCopy::open(&path).unwrap();
}

#[test]
fn requests_that_are_none_have_no_answer() {
    let directory = tempfile::tempdir().unwrap();
    let (_source, copy) = served(directory.path());
    for request in [&[][..], &[9; 10], &[0; 65], &[0, 1, 2], &[0xff; 24]] {
        assert_eq!(copy.operations(request).unwrap(), None, "{request:?}");
    }
}

/// All entries of a table of the copy.
fn whole(copy: &StateCopy, table: CopyTable) -> Entries {
    copy.page(table, &[], usize::MAX).unwrap()
}

#[test]
fn the_index_of_older_blocks_is_filled_while_the_store_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let (source, copy) = served(directory.path());
    assert!(copy.has_whole_index().unwrap());
    let path = directory.path().join("joined");
    assembled(&path, &copy);
    let joined = open(&path);
    let gap = joined.index_gap().unwrap().unwrap();
    assert_eq!((gap.block, gap.table, gap.after.is_empty()), (SERVED, IndexTable::Index, true));
    // What it writes itself is newer; what it deletes does not come back.
    grow_to(&joined, SERVED + 40);
    let index = whole(&copy, CopyTable::Index);
    let (first, second) = index.split_at(index.len() / 2);
    joined.fill_index(&first.to_vec()).unwrap();
    drop(joined);
    let joined = open(&path);
    assert_eq!(joined.index_gap().unwrap().unwrap().after, first.last().unwrap().0);
    joined.fill_index(&second.to_vec()).unwrap();
    let next = joined.fill_index(&Entries::new()).unwrap().unwrap();
    assert_eq!(next.table, IndexTable::Events);
    assert!(!joined.event_groups(SERVED + 1).unwrap().is_empty());
    for refused in [joined.event_groups(SERVED).map(drop), joined.offchain_get(b"last").map(drop)] {
        assert!(matches!(refused, Err(StorageError::IndexIncomplete { block: SERVED })));
    }
    joined.fill_index(&whole(&copy, CopyTable::Events)).unwrap();
    assert_eq!(joined.fill_index(&Entries::new()).unwrap(), None);
    assert_eq!(joined.index_gap().unwrap(), None);
    let all = |storage: &Storage| storage.offchain_prefix(&[], None, 10_000).unwrap();
    assert_eq!(all(&joined), all(&source));
    for number in [1, SERVED, SERVED + 40] {
        assert_eq!(joined.event_groups(number).unwrap(), source.event_groups(number).unwrap());
    }
    // Nothing is missing: nothing is taken.
    assert_eq!(joined.fill_index(&vec![(b"x".to_vec(), vec![1])]).unwrap(), None);
    assert_eq!(joined.offchain_get(b"x").unwrap(), None);
}

#[test]
fn older_blocks_come_one_before_the_other() {
    let directory = tempfile::tempdir().unwrap();
    let (_source, copy) = served(directory.path());
    let path = directory.path().join("joined");
    assembled(&path, &copy);
    let joined = open(&path);
    let refused = joined.add_older(&[block(SERVED - 2)]);
    assert!(
        matches!(refused, Err(StorageError::WrongNumber { expected, .. }) if expected == SERVED - 1)
    );
    joined.add_older(&[block(SERVED - 1), block(SERVED - 2)]).unwrap();
    assert_eq!(joined.first_block(), SERVED - 2);
    assert_eq!(joined.tx(&tx_hash(SERVED - 2, 2)).unwrap(), Some((SERVED - 2, 2)));
    assert_eq!(joined.hash_of(SERVED - 2).unwrap(), Some(hash(SERVED - 2)));
    drop(joined);
    let joined = open(&path);
    let rest: Vec<OlderBlock> = (1..SERVED - 2).rev().map(block).collect();
    joined.add_older(&rest).unwrap();
    assert_eq!(joined.first_block(), 1);
    assert_eq!(joined.block(1).unwrap().unwrap(), b"block 1");
    assert!(joined.add_older(&[block(0)]).is_err(), "the genesis is there");
}

#[test]
fn bodies_go_when_a_snapshot_holds_them_and_headers_stay() {
    let directory = tempfile::tempdir().unwrap();
    let storage = begin(&directory.path().join("store"));
    grow_to(&storage, 600);
    // The number of a made-up block is in its bytes.
    let header_of = |block: &[u8]| {
        let text = std::str::from_utf8(block).ok()?.strip_prefix("block ")?;
        let number: u32 = text.parse().ok()?;
        let hashes = (0..3).map(|index| tx_hash(number, index)).collect();
        Some((format!("header {number}").into_bytes(), hashes))
    };
    assert_eq!(storage.prune_bodies(500, header_of).unwrap(), 0, "no snapshot holds any");
    storage.note_held(300).unwrap();
    storage.note_held(200).unwrap();
    assert_eq!(storage.held().unwrap(), Some(300));
    assert_eq!(storage.prune_bodies(500, header_of).unwrap(), 256, "some at a time");
    assert_eq!(storage.prune_bodies(500, header_of).unwrap(), 44);
    assert_eq!(storage.prune_bodies(500, header_of).unwrap(), 0);
    assert_eq!(storage.first_block(), 301);
    storage.reclaim_bodies().unwrap();
    drop(storage);
    let storage = open(&directory.path().join("store"));
    assert_eq!(storage.first_block(), 301);
    assert_eq!(storage.block(300).unwrap(), None);
    assert_eq!(storage.header(300).unwrap().unwrap(), b"header 300");
    assert_eq!(storage.certificate(300).unwrap().unwrap(), b"certificate 300");
    assert_eq!(storage.hash_of(300).unwrap(), Some(hash(300)));
    assert_eq!(storage.tx(&tx_hash(300, 0)).unwrap(), None);
    assert!(storage.event_groups(300).unwrap().is_empty());
    assert_eq!(storage.block(0).unwrap().unwrap(), b"block 0");
    assert_eq!(storage.block(301).unwrap().unwrap(), b"block 301");
    let unreadable = storage.note_held(400).and_then(|()| storage.prune_bodies(400, |_| None));
    assert!(matches!(unreadable, Err(StorageError::Corrupt { .. })));
    assert_eq!(storage.first_block(), 301);
}
