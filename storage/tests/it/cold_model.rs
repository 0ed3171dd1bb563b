//! Cold groups as a list of lists, and a chain of blocks that write, cool and merge.

use crate::chain::{State, apply, hash, options};
use billchain_cold::proof::{Digest, Frontier, Listed, Tree, cold_root, run_root, state_root};
use billchain_crypto::sm3::sm3;
use billchain_storage::{
    BlockCommit, Cooling, Genesis, Head, StateDelta, StateSnapshot, Storage, StorageOptions,
    genesis_root,
};
use sp_core::H256;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::OnceLock,
};

/// Keys of the model: forty groups of ten, and two that others begin with.
const NUMBERS: u32 = 400;

/// Blocks of the chain that write, cool and merge; later ones write to one key.
pub const BUSY: u32 = 60;

/// Blocks with which nothing of the cold groups changes any more.
pub const LAST: u32 = BUSY + 12;

/// Blocks with which every segment that ended is due.
pub const LONG: u32 = LAST + 258;

type Values = BTreeMap<u8, Vec<u8>>;

/// A group in a segment.
#[derive(Clone)]
struct Cold {
    shared: Vec<u8>,
    values: Values,
    is_active: bool,
}

#[derive(Clone)]
struct Segment {
    groups: Vec<Cold>,
    ended: Option<u32>,
}

#[derive(Clone)]
struct Run {
    id: u32,
    laps: u32,
    segments: Vec<Segment>,
    is_over: bool,
    begun: u32,
}

/// Where a merge stands in a source: the run, and the segment, position and shared bytes of its
/// next group.
type Stands = (u32, usize, usize, Vec<u8>);

/// All keys, those that are hot, and the runs.
#[derive(Clone)]
pub struct Model {
    pub state: State,
    pub hot: State,
    runs: Vec<Run>,
    /// Sources and target.
    merging: Option<([u32; 2], u32)>,
    stands: Vec<Stands>,
    next: u32,
    /// The block that is applied.
    number: u32,
    /// Where the walk over the hot groups goes on.
    cursor: Vec<u8>,
}

pub fn split(key: &[u8]) -> (Vec<u8>, u8) {
    let (last, shared) = key.split_last().unwrap();
    (shared.to_vec(), *last)
}

fn join(shared: &[u8], last: u8) -> Vec<u8> {
    [shared, &[last]].concat()
}

/// Bytes after their length.
fn framed(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u16).to_be_bytes()[..], bytes].concat()
}

/// The values of a group in a state.
fn values(state: &State, shared: &[u8]) -> Values {
    let of_group = |(key, value): (&Vec<u8>, &Vec<u8>)| {
        let (found, last) = split(key);
        (found == shared).then(|| (last, value.clone()))
    };
    state.iter().filter_map(of_group).collect()
}

fn group_digest(values: &Values) -> Digest {
    let parts = values.iter().map(|(last, value)| [&[*last][..], &sm3(value)].concat());
    sm3(&parts.collect::<Vec<_>>().concat())
}

impl Segment {
    fn groups_root(&self) -> Digest {
        let mut tree = Frontier::new(Tree::Groups);
        for (at, group) in (0..).zip(&self.groups) {
            let content = [sm3(&group.shared), group_digest(&group.values)].concat();
            tree.push(Tree::Groups.leaf(at, &content));
        }
        tree.root()
    }

    fn bits_root(&self) -> Digest {
        let mut tree = Frontier::new(Tree::Bits);
        for (at, groups) in (0..).zip(self.groups.chunks(512)) {
            let mut chunk = [0_u8; 64];
            for (bit, _) in groups.iter().enumerate().filter(|(_, group)| group.is_active) {
                chunk[bit / 8] |= 1 << (bit % 8);
            }
            tree.push(Tree::Bits.leaf(at, &chunk));
        }
        tree.root()
    }
}

impl Run {
    fn root(&self) -> Digest {
        let listed = |segment: &Segment| Listed {
            from: segment.groups[0].shared.clone(),
            groups: segment.groups_root(),
            bits: segment.bits_root(),
        };
        run_root(&self.segments.iter().map(listed).collect::<Vec<_>>()).unwrap()
    }

    fn append(&mut self, shared: &[u8], values: Values, (most, number): (u32, u32)) {
        if self.segments.last().is_none_or(|last| last.ended.is_some()) {
            self.segments.push(Segment { groups: Vec::new(), ended: None });
        }
        let last = self.segments.last_mut().unwrap();
        assert!(last.groups.last().is_none_or(|last| *last.shared < *shared));
        last.groups.push(Cold { shared: shared.to_vec(), values, is_active: true });
        last.ended = (last.groups.len() == most as usize).then_some(number);
    }

    fn end(&mut self, number: u32) {
        self.is_over = true;
        if let Some(last) = self.segments.last_mut() {
            last.ended.get_or_insert(number);
        }
    }

    /// SM3 of the records of its segments.
    fn records(&self) -> Digest {
        let record = |segment: &Segment| {
            let last = &segment.groups.last().unwrap().shared;
            let ended = match segment.ended {
                None => vec![0],
                Some(block) => [&[1_u8][..], &block.to_be_bytes()].concat(),
            };
            [&(segment.groups.len() as u64).to_be_bytes()[..], &framed(last), &ended].concat()
        };
        let records: Vec<Vec<u8>> = self.segments.iter().map(record).collect();
        sm3(&[&[0xC0_u8, 3][..], &records.concat()].concat())
    }

    /// Where its next active group is, for a merge.
    fn stands(&self) -> Stands {
        for (at, segment) in self.segments.iter().enumerate() {
            let next = segment.groups.iter().position(|group| group.is_active);
            if let Some(position) = next {
                return (self.id, at, position, segment.groups[position].shared.clone());
            }
        }
        (self.id, self.segments.len(), 0, Vec::new())
    }

    fn groups(&mut self) -> impl Iterator<Item = &mut Cold> {
        self.segments.iter_mut().flat_map(|segment| &mut segment.groups)
    }
}

impl Model {
    pub fn new() -> Self {
        let state: State =
            (0..NUMBERS).filter(|at| at % 3 > 0).map(|at| (key(at), vec![at as u8; 9])).collect();
        let (hot, cursor) = (state.clone(), Vec::new());
        let (runs, stands) = (Vec::new(), Vec::new());
        Self { state, hot, runs, merging: None, stands, next: 0, number: 0, cursor }
    }

    pub fn cold_root(&self) -> Digest {
        let roots: Vec<Digest> = self.runs.iter().map(Run::root).collect();
        cold_root(&roots, &sm3(&self.records())).unwrap()
    }

    /// The records as the document has them.
    fn records(&self) -> Vec<u8> {
        let long = |number: u32| u64::from(number).to_be_bytes();
        let mut bytes = [&[0xC0_u8, 2][..], &long(self.next), &[self.runs.len() as u8]].concat();
        for run in &self.runs {
            bytes.extend(long(run.id));
            bytes.extend(run.laps.to_be_bytes());
            bytes.extend((run.segments.len() as u32).to_be_bytes());
            bytes.push(run.is_over.into());
            bytes.extend(run.begun.to_be_bytes());
            bytes.extend(run.records());
        }
        let Some((_, target)) = self.merging else { return [bytes, vec![0]].concat() };
        bytes.push(1);
        bytes.extend(long(target));
        for (run, segment, position, near) in &self.stands {
            bytes.extend(long(*run));
            bytes.extend((*segment as u32).to_be_bytes());
            bytes.extend((*position as u64).to_be_bytes());
            bytes.extend(framed(near));
        }
        bytes
    }

    pub fn runs(&self) -> usize {
        self.runs.len()
    }

    /// Laps of each run.
    pub fn laps(&self) -> Vec<u32> {
        self.runs.iter().map(|run| run.laps).collect()
    }

    /// Groups that are active.
    pub fn active(&self) -> usize {
        let groups = self.runs.iter().flat_map(|run| &run.segments).flat_map(|s| &s.groups);
        groups.filter(|group| group.is_active).count()
    }

    /// What the block writes and orders.
    pub fn block(&mut self, number: u32) -> (StateDelta, Cooling) {
        self.number = number;
        let mut delta = StateDelta::new();
        for at in 0..6_u32 {
            let x = number.wrapping_mul(2_654_435_761).wrapping_add(at.wrapping_mul(1_540_483_477))
                >> 9;
            let value = (!x.is_multiple_of(4)).then(|| x.to_be_bytes().to_vec());
            if number <= BUSY {
                // Half of them to a few groups, which hardly ever cool.
                delta.insert(key(x % if at % 2 == 0 { NUMBERS } else { 60 }), value);
            }
        }
        if number > BUSY {
            delta.insert(b"later".to_vec(), Some(number.to_be_bytes().to_vec()));
            let cooling = Cooling { segment_groups: 7, merge_groups: 4, ..Cooling::default() };
            return (delta, cooling);
        }
        let written: BTreeSet<Vec<u8>> = delta.keys().map(|key| split(key).0).collect();
        let hot: BTreeSet<Vec<u8>> = self.hot.keys().map(|key| split(key).0).collect();
        let ahead: Vec<Vec<u8>> = hot.range(self.cursor.clone()..).take(5).cloned().collect();
        let ends_lap = ahead.len() < 5;
        let mut cursor = ahead.last().cloned().unwrap_or_default();
        cursor.push(0);
        self.cursor = if ends_lap { Vec::new() } else { cursor };
        let is_cold =
            |shared: &Vec<u8>| !written.contains(shared) && shared.len() % 7 != number as usize % 3;
        let groups = ahead.into_iter().filter(is_cold).collect();
        (delta, Cooling { groups, ends_lap, segment_groups: 7, merge_groups: number % 5 })
    }

    /// Takes a block in; the changes of the hot state.
    pub fn apply(&mut self, delta: &StateDelta, cooling: &Cooling) -> StateDelta {
        let mut hot_delta = delta.clone();
        for shared in delta.keys().map(|key| split(key).0).collect::<BTreeSet<_>>() {
            for (last, value) in self.heat(&shared) {
                self.hot.insert(join(&shared, last), value.clone());
                hot_delta.entry(join(&shared, last)).or_insert(Some(value));
            }
        }
        apply(&mut self.hot, delta);
        apply(&mut self.state, delta);
        for shared in &cooling.groups {
            let values = values(&self.hot, shared);
            for last in values.keys() {
                self.hot.remove(&join(shared, *last)).unwrap();
                assert_eq!(hot_delta.insert(join(shared, *last), None), None);
            }
            let number = self.number;
            self.lap().append(shared, values, (cooling.segment_groups, number));
        }
        if cooling.merge_groups > 0 {
            self.merge(cooling);
        }
        let (number, target) = (self.number, self.merging.map(|(_, target)| target));
        let is_lap = |run: &&mut Run| !run.is_over && Some(run.id) != target;
        if cooling.ends_lap
            && let Some(run) = self.runs.iter_mut().find(is_lap)
        {
            run.end(number);
        }
        hot_delta
    }

    /// Takes a group out of where it is active.
    fn heat(&mut self, shared: &[u8]) -> Values {
        let mut groups = self.runs.iter_mut().flat_map(Run::groups);
        let Some(group) = groups.find(|group| group.is_active && group.shared == shared) else {
            return Values::new();
        };
        group.is_active = false;
        group.values.clone()
    }

    fn begin(&mut self, at: usize, laps: u32) -> u32 {
        let id = self.next;
        self.next += 1;
        let begun = self.number;
        self.runs.insert(at, Run { id, laps, segments: Vec::new(), is_over: false, begun });
        id
    }

    fn lap(&mut self) -> &mut Run {
        let target = self.merging.map(|(_, target)| target);
        let is_lap = |run: &Run| !run.is_over && Some(run.id) != target;
        if !self.runs.iter().any(is_lap) {
            self.begin(self.runs.len(), 1);
        }
        self.runs.iter_mut().find(|run| is_lap(run)).unwrap()
    }

    fn run(&mut self, id: u32) -> &mut Run {
        self.runs.iter_mut().find(|run| run.id == id).unwrap()
    }

    fn merge(&mut self, cooling: &Cooling) {
        if self.merging.is_none() {
            let Some(sources) = self.pair() else { return };
            let place = |id| self.runs.iter().position(|run| run.id == id).unwrap();
            let (at, laps) = (place(sources[1]) + 1, 2 * self.runs[place(sources[0])].laps);
            let target = self.begin(at, laps);
            self.merging = Some((sources, target));
        }
        let (sources, target) = self.merging.unwrap();
        let ends = (cooling.segment_groups, self.number);
        for _ in 0..cooling.merge_groups {
            let of_sources = self.runs.iter_mut().filter(|run| sources.contains(&run.id));
            let active = of_sources.flat_map(Run::groups).filter(|group| group.is_active);
            let Some(group) = active.min_by_key(|group| group.shared.clone()) else { break };
            group.is_active = false;
            let (shared, values) = (group.shared.clone(), group.values.clone());
            self.run(target).append(&shared, values, ends);
        }
        self.stands = sources.map(|source| self.run(source).stands()).to_vec();
        let mut of_sources = self.runs.iter_mut().filter(|run| sources.contains(&run.id));
        if of_sources.all(|run| run.groups().all(|group| !group.is_active)) {
            self.run(target).end(ends.1);
            self.runs.retain(|run| {
                !sources.contains(&run.id) && (run.id != target || !run.segments.is_empty())
            });
            self.merging = None;
        }
    }

    /// The oldest two runs of the fewest laps that two have.
    fn pair(&self) -> Option<[u32; 2]> {
        let over: Vec<&Run> = self.runs.iter().filter(|run| run.is_over).collect();
        let mut pairs = Vec::new();
        for (at, one) in over.iter().enumerate() {
            let same = over[at + 1..].iter().filter(|other| other.laps == one.laps);
            pairs.extend(same.map(|other| (one.laps, [one.id, other.id])));
        }
        // Of several of as many laps, the first.
        pairs.into_iter().min_by_key(|(laps, _)| *laps).map(|(_, runs)| runs)
    }
}

/// A key of the model, with a value or without.
pub fn key(at: u32) -> Vec<u8> {
    match at {
        // They are what others begin with, and are in groups of their own.
        0 => b"bill 00".to_vec(),
        1 => b"bill 000".to_vec(),
        _ => format!("bill {at:04}").into_bytes(),
    }
}

/// All keys of the model.
pub fn keys() -> Vec<Vec<u8>> {
    (0..NUMBERS).map(key).chain([b"later".to_vec()]).collect()
}

/// The chain, up to block [`LONG`].
pub fn chain() -> &'static Chain {
    static MADE: OnceLock<Chain> = OnceLock::new();
    MADE.get_or_init(|| Chain::made(LONG))
}

/// A chain, and all that is known of it.
pub struct Chain {
    pub model: Model,
    pub blocks: Vec<BlockCommit>,
    /// The state after each block, and what of it is hot.
    pub states: Vec<(State, State)>,
    pub heads: Vec<Head>,
}

pub fn genesis() -> Genesis {
    let state = Model::new().state;
    let state_root = genesis_root(&state).unwrap();
    Genesis { state, state_root, hash: hash(0), block: b"block 0".to_vec(), document: hash(1_000) }
}

/// Commits a block of these changes to whatever head the store has.
pub fn commit(storage: &Storage, delta: StateDelta, cooling: Cooling) -> Head {
    let parent = storage.head();
    let mut block = block(parent.number + 1, delta, cooling);
    block.parent_hash = parent.hash;
    block.state_root = storage.speculate(&block.delta, &block.cooling).unwrap();
    storage.commit(block).unwrap();
    storage.head()
}

/// A store in `path` with the genesis block.
pub fn begin(path: &Path, options: StorageOptions) -> Storage {
    let storage = Storage::open(path, options).unwrap();
    storage.init_genesis(genesis()).unwrap();
    storage
}

pub fn block(number: u32, delta: StateDelta, cooling: Cooling) -> BlockCommit {
    BlockCommit {
        number,
        hash: hash(number),
        parent_hash: hash(number - 1),
        state_root: H256::zero(),
        block: format!("block {number}").into_bytes(),
        certificate: format!("certificate {number}").into_bytes(),
        delta,
        cooling,
        events: Vec::new(),
        offchain: Vec::new(),
        tx_hashes: Vec::new(),
    }
}

impl Chain {
    /// The first `last` blocks. Every root is that of the model, whose hot root is that of a
    /// store that is given the changes of the hot state alone.
    fn made(last: u32) -> Self {
        let (place, plain) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let storage = begin(place.path(), options());
        let twin = begin(plain.path(), options());
        let model = Model::new();
        let states = vec![(model.state.clone(), model.hot.clone())];
        let mut chain = Self { model, blocks: Vec::new(), states, heads: vec![storage.head()] };
        for number in 1..=last {
            let (delta, cooling) = chain.model.block(number);
            let hot_delta = chain.model.apply(&delta, &cooling);
            let mut hot = block(number, hot_delta, Cooling::default());
            hot.state_root = twin.speculate(&hot.delta, &hot.cooling).unwrap();
            twin.commit(hot).unwrap();
            let hot_root = twin.prove(&[b"key".to_vec()]).unwrap().unwrap().hot_root;

            let mut made = block(number, delta, cooling);
            made.state_root = storage.speculate(&made.delta, &made.cooling).unwrap();
            let expected = state_root(&hot_root.0, &chain.model.cold_root());
            assert_eq!(made.state_root.0, expected, "block {number}");
            storage.commit(made.clone()).unwrap();
            chain.blocks.push(made);
            chain.states.push((chain.model.state.clone(), chain.model.hot.clone()));
            chain.heads.push(storage.head());
        }
        chain
    }

    /// Commits blocks until the head of `storage` is `number`.
    pub fn grow(&self, storage: &Storage, number: u32) {
        while storage.head().number < number {
            let block = &self.blocks[storage.head().number as usize];
            storage.commit(block.clone()).unwrap();
        }
        assert_eq!(storage.head(), self.heads[number as usize]);
    }

    /// Checks that each key has the value of its block, and that what is hot is.
    pub fn check(&self, snapshot: &StateSnapshot) {
        let number = snapshot.number();
        let (state, hot) = &self.states[number as usize];
        for key in keys() {
            let found = snapshot.get(&key).unwrap();
            assert_eq!(found.as_ref(), state.get(&key), "block {number}, {}", text(&key));
        }
        let pairs = snapshot.pairs_paged(&[], None, usize::MAX).unwrap();
        assert!(pairs.into_iter().eq(hot.clone()), "block {number}");
    }
}

pub fn text(key: &[u8]) -> String {
    String::from_utf8_lossy(key).into_owned()
}
