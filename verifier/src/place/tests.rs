//! A state with a hot and a cold part, and what it shows of groups.

use super::*;
use crate::{
    cold::{CHUNK_BITS, CHUNK_BYTES, Frontier, Listed, MAX_SHARED, Neighbour, Path, Tree, leaf},
    make::{self, Entry, Missing, Place},
    state::tests::{Known, prove, with_states},
};
use std::{collections::BTreeMap, format, vec};

/// SM3 of the records: whatever these are.
pub(crate) const RECORDS: Digest = [0xAB; 32];

/// What the hot part holds, by key.
pub(crate) type Hot = BTreeMap<Vec<u8>, Vec<u8>>;

/// A group of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ColdGroup {
    pub(crate) shared: Vec<u8>,
    /// Last byte and value of each of its keys, ascending.
    pub(crate) values: Vec<(u8, Vec<u8>)>,
    pub(crate) active: bool,
}

/// Groups, ascending.
pub(crate) type Segment = Vec<ColdGroup>;

/// The runs of a cold part, the oldest first, each of segments.
#[derive(Clone, Debug, Default)]
pub(crate) struct Runs(pub(crate) Vec<Vec<Segment>>);

pub(crate) fn shared(key: &[u8]) -> &[u8] {
    key.split_last().unwrap().1
}

fn digest(group: &[(u8, Digest)]) -> Digest {
    let bytes: Vec<u8> =
        group.iter().flat_map(|(last, value)| [&[*last][..], value].concat()).collect();
    sm3(&[&bytes])
}

impl ColdGroup {
    fn group(&self) -> Vec<(u8, Digest)> {
        self.values.iter().map(|(last, value)| (*last, sm3(&[value]))).collect()
    }
}

fn root(tree: Tree, leaves: &[Digest]) -> Digest {
    let mut frontier = Frontier::new(tree);
    leaves.iter().for_each(|leaf| frontier.push(*leaf));
    frontier.root()
}

fn leaves(segment: &[ColdGroup]) -> Vec<Digest> {
    let groups = (0..).zip(segment);
    groups.map(|(at, group)| leaf(at, &group.shared, &digest(&group.group()))).collect()
}

fn chunks(segment: &[ColdGroup]) -> Vec<[u8; CHUNK_BYTES]> {
    let chunk = |groups: &[ColdGroup]| {
        let mut bits = [0; CHUNK_BYTES];
        for (at, group) in groups.iter().enumerate() {
            bits[at / 8] |= u8::from(group.active) << (at % 8);
        }
        bits
    };
    segment.chunks(CHUNK_BITS as usize).map(chunk).collect()
}

fn chunk_leaves(segment: &[ColdGroup]) -> Vec<Digest> {
    (0..).zip(chunks(segment)).map(|(at, chunk)| Tree::Bits.leaf(at, &chunk)).collect()
}

fn listed(segment: &Segment) -> Listed {
    Listed {
        from: segment[0].shared.clone(),
        groups: root(Tree::Groups, &leaves(segment)),
        bits: root(Tree::Bits, &chunk_leaves(segment)),
    }
}

fn inclusion(segment: &[ColdGroup], at: usize) -> Inclusion {
    Inclusion(Path::of(Tree::Groups, &leaves(segment), at, 1).unwrap())
}

/// Proof of the bit of a group.
pub(crate) fn bit(segment: &[ColdGroup], at: usize) -> BitProof {
    let chunk = at / CHUNK_BITS as usize;
    let path = Path::of(Tree::Bits, &chunk_leaves(segment), chunk, 1).unwrap();
    BitProof { chunk: chunks(segment)[chunk], path }
}

/// Proof that a segment does not have a group.
pub(crate) fn exclusion(segment: &[ColdGroup], shared: &[u8]) -> Exclusion {
    let above = segment.partition_point(|group| group.shared.as_slice() < shared);
    let (first, end) = (above.saturating_sub(1), segment.len().min(above + 1));
    let neighbour = |group: &ColdGroup| Neighbour {
        shared: group.shared.clone(),
        group: digest(&group.group()),
    };
    let path = Path::of(Tree::Groups, &leaves(segment), first, end - first).unwrap();
    Exclusion { neighbours: segment[first..end].iter().map(neighbour).collect(), path }
}

impl Runs {
    pub(crate) fn roots(&self) -> Vec<Digest> {
        (0..self.0.len()).map(|run| cold::run_root(&self.listed(run)).unwrap()).collect()
    }

    fn listed(&self, run: usize) -> Vec<Listed> {
        self.0[run].iter().map(listed).collect()
    }

    pub(crate) fn coverage(&self, run: usize, shared: &[u8]) -> Coverage {
        Coverage::of(&self.listed(run), shared).unwrap()
    }

    /// The segment of a run that has the group in its range, and the place of the group there.
    pub(crate) fn find(&self, run: usize, shared: &[u8]) -> Option<(&Segment, Option<usize>)> {
        let mut segments = self.0[run].iter();
        let segment = segments.rfind(|segment| segment[0].shared.as_slice() <= shared)?;
        let at = segment.binary_search_by_key(&shared, |group| group.shared.as_slice()).ok();
        Some((segment, at))
    }

    fn active(&self, shared: &[u8]) -> Option<(usize, &Segment, usize)> {
        (0..self.0.len()).find_map(|run| {
            let (segment, at) = self.find(run, shared)?;
            at.filter(|at| segment[*at].active).map(|at| (run, segment, at))
        })
    }

    /// Where a group is in the cold part; none if it is not active there.
    fn place(&self, shared: &[u8]) -> Option<Place> {
        let (run, _, _) = self.active(shared)?;
        Some(self.place_in(run, shared))
    }

    /// As if the group were active in a run that has it.
    pub(crate) fn place_in(&self, run: usize, shared: &[u8]) -> Place {
        let (segment, at) = self.find(run, shared).unwrap();
        let at = at.unwrap();
        Place::Cold {
            group: segment[at].group(),
            run: run.try_into().unwrap(),
            coverage: self.coverage(run, shared),
            inclusion: inclusion(segment, at),
            bit: bit(segment, at),
        }
    }

    /// What each run shows of a group that is nowhere; of one that is active, what looks most
    /// like that.
    pub(crate) fn missing(&self, shared: &[u8]) -> Vec<Missing> {
        let missing = |run| {
            let coverage = self.coverage(run, shared);
            match self.find(run, shared) {
                None => Missing::Uncovered(coverage),
                Some((segment, None)) => {
                    Missing::Between { coverage, exclusion: exclusion(segment, shared) }
                }
                Some((segment, Some(at))) => Missing::Left {
                    coverage,
                    inclusion: inclusion(segment, at),
                    group: digest(&segment[at].group()),
                    bit: bit(segment, at),
                },
            }
        };
        (0..self.0.len()).map(missing).collect()
    }

    fn value(&self, key: &[u8]) -> Option<Vec<u8>> {
        let (last, shared) = key.split_last()?;
        let (_, segment, at) = self.active(shared)?;
        let mut values = segment[at].values.iter();
        values.find(|(known, _)| known == last).map(|(_, value)| value.clone())
    }
}

/// A state of which one group is in the cold part.
pub(crate) fn cooled(hot: Hot, group: &[u8]) -> (Hot, Runs) {
    let (cold, hot): (Hot, Hot) = hot.into_iter().partition(|(key, _)| shared(key) == group);
    let values = cold.into_iter().map(|(key, value)| (key[key.len() - 1], value)).collect();
    let group = ColdGroup { shared: group.to_vec(), values, active: true };
    (hot, Runs(vec![vec![vec![group]]]))
}

/// As if they were read.
pub(crate) fn read(roots: &make::Roots) -> Roots {
    Roots { hot: roots.hot, runs: roots.runs.clone(), records: roots.records }
}

/// The state root that is made of these.
pub(crate) fn root_of(roots: &make::Roots) -> Digest {
    read(roots).state_root().unwrap()
}

/// Of what a state's root is made, and what it shows of keys: an entry for those that follow one
/// another and are of one group.
pub(crate) fn proven(hot: &Hot, runs: &Runs, asked: &[Vec<u8>]) -> (make::Roots, Vec<Entry>) {
    let mut groups = BTreeMap::<&[u8], Vec<(u8, Digest)>>::new();
    for (key, value) in hot {
        groups.entry(shared(key)).or_default().push((key[key.len() - 1], sm3(&[value])));
    }
    let write =
        |(shared, group): (&&[u8], &Vec<(u8, Digest)>)| (sm3(&[shared]), Some(digest(group)));
    let writes = groups.iter().map(write).collect();
    let mut found = None;
    with_states(vec![writes], async |_, hot_root, db| {
        let mut entries = Vec::new();
        for keys in asked.chunk_by(|one, next| shared(one) == shared(next)) {
            let shared = shared(&keys[0]);
            let (known, proof) = prove(db, sm3(&[shared])).await;
            let place = match (known, runs.place(shared)) {
                (Known::Present { next, .. }, None) => {
                    Place::Hot { group: groups[shared].clone(), next, proof }
                }
                (Known::Absent { .. }, Some(place)) => place,
                (Known::Absent { neighbour }, None) => {
                    Place::Nowhere { neighbour, proof, runs: runs.missing(shared) }
                }
                (Known::Present { .. }, Some(_)) => panic!("a group is hot and cold"),
            };
            let value = |key: &Vec<u8>| hot.get(key).cloned().or_else(|| runs.value(key));
            entries.push(Entry { place, values: keys.iter().filter_map(value).collect() });
        }
        found = Some((hot_root, entries));
    });
    let (hot, entries) = found.unwrap();
    (make::Roots { hot, runs: runs.roots(), records: RECORDS }, entries)
}

fn group_of(shared: &str, active: bool) -> ColdGroup {
    let values = vec![(b'1', format!("{shared}1").into_bytes()), (b'4', Vec::new())];
    ColdGroup { shared: shared.into(), values, active }
}

/// Groups that are in the first run, and no longer active there: 150 and 650 became hot, 160 was
/// deleted, and the others were cooled again.
const LEFT_THE_FIRST: [u32; 6] = [150, 160, 300, 301, 302, 650];

/// A first run of the groups `c100` to `c799` in two segments; a second one of 300 to 302, of
/// which 301 was cooled once more; a third one of that group; and one without segments.
fn world() -> (Hot, Runs) {
    let segment = |numbers: core::ops::Range<u32>, left: &[u32]| -> Segment {
        numbers.map(|at| group_of(&format!("c{at}"), !left.contains(&at))).collect()
    };
    let first = vec![segment(100..700, &LEFT_THE_FIRST), segment(700..800, &[])];
    let runs =
        vec![first, vec![segment(300..303, &[301])], vec![segment(301..302, &[])], Vec::new()];
    let hot = ["c1501", "c1502", "a1", "z1", "c6501"];
    let hot = hot.iter().map(|key| (key.as_bytes().to_vec(), b"hot".to_vec())).collect();
    (hot, Runs(runs))
}

fn bytes(place: &Place) -> Vec<u8> {
    let mut bytes = Vec::new();
    place.put(&mut bytes);
    bytes
}

/// What is in a group by the place that is shown: the last bytes of its keys.
fn judge(roots: &make::Roots, bytes: &[u8], shared: &[u8]) -> Result<Option<Vec<u8>>, Refusal> {
    let mut reader = Reader::new(bytes, "place");
    let group = read(roots).group(&mut reader, shared)?;
    reader.end()?;
    Ok(group.map(|group| (0..=u8::MAX).filter(|last| group.value(*last).is_some()).collect()))
}

/// Groups, and the last bytes of their keys.
const GROUPS: [(&[u8], &[u8]); 11] = [
    (b"c150", b"12"),
    (b"a", b"1"),
    (b"c100", b"14"),
    (b"c650", b"1"),
    (b"c799", b"14"),
    (b"c301", b"14"),
    (b"c302", b"14"),
    // Before all runs, between two groups, behind all, and deleted.
    (b"b", b""),
    (b"c123x", b""),
    (b"d", b""),
    (b"c160", b""),
];

/// Where they are.
const PLACES: [u8; 11] =
    [HOT, HOT, COLD, HOT, COLD, COLD, COLD, NOWHERE, NOWHERE, NOWHERE, NOWHERE];

fn shown(hot: &Hot, runs: &Runs) -> (make::Roots, Vec<Place>) {
    let keys: Vec<Vec<u8>> = GROUPS.iter().map(|(shared, _)| [*shared, b"1"].concat()).collect();
    let (roots, entries) = proven(hot, runs, &keys);
    (roots, entries.into_iter().map(|entry| entry.place).collect())
}

#[test]
fn each_group_is_hot_or_cold_or_nowhere() {
    let (hot, runs) = world();
    let (roots, places) = shown(&hot, &runs);
    for ((shared, lasts), place) in GROUPS.into_iter().zip(&places) {
        let found = judge(&roots, &bytes(place), shared);
        assert_eq!(found, Ok((!lasts.is_empty()).then(|| lasts.to_vec())), "{shared:?}");
    }
    let kinds: Vec<u8> = places.iter().map(|place| bytes(place)[0]).collect();
    assert_eq!(kinds, PLACES);
    // What is shown of one group shows nothing of another.
    for (at, place) in places.iter().enumerate() {
        for (other, (shared, _)) in GROUPS.iter().enumerate().filter(|(other, _)| *other != at) {
            let found = judge(&roots, &bytes(place), shared);
            assert!(found.is_err(), "{at} for {other}: {found:?}");
        }
    }
}

#[test]
fn no_bit_of_a_place_may_be_another() {
    let (hot, runs) = world();
    let (roots, places) = shown(&hot, &runs);
    for ((shared, _), place) in GROUPS.iter().zip(&places) {
        let bytes = bytes(place);
        for bit in 0..8 * bytes.len() {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(judge(&roots, &changed, shared).is_err(), "bit {bit} of {shared:?}");
        }
        for end in 0..bytes.len() {
            assert!(judge(&roots, &bytes[..end], shared).is_err(), "{end} bytes of {shared:?}");
        }
        assert!(judge(&roots, &[&bytes[..], &[0]].concat(), shared).is_err(), "it goes on");
    }
}

#[test]
fn a_group_that_is_active_is_not_hidden_behind_a_gap_of_the_hot_part() {
    let (hot, runs) = world();
    let (roots, entries) = proven(&hot, &runs, &[b"c1601".to_vec()]);
    let Place::Nowhere { neighbour, proof, .. } = &entries[0].place else {
        panic!("it is deleted")
    };
    let [from, _, to] = neighbour;
    let in_the_gap = |at: &u32| {
        let key = sm3(&[format!("c{at}").as_bytes()]);
        if from < to { *from < key && key < *to } else { *from < key || key < *to }
    };
    let hidden = (100..800).filter(in_the_gap).find(|at| !LEFT_THE_FIRST.contains(at)).unwrap();
    let hidden = format!("c{hidden}");
    let (neighbour, proof) = (*neighbour, proof.clone());
    let place = Place::Nowhere { neighbour, proof, runs: runs.missing(hidden.as_bytes()) };
    let what = "a group that is said to be nowhere is active in a segment";
    let found = judge(&roots, &bytes(&place), hidden.as_bytes());
    assert_eq!(found, Err(Refusal::Contradiction { what }));
}

#[test]
fn a_group_that_left_a_segment_is_not_as_it_was_there() {
    let (hot, runs) = world();
    let (roots, _) = shown(&hot, &runs);
    for (run, shared) in [(0, &b"c150"[..]), (0, b"c160"), (0, b"c301"), (1, b"c301")] {
        let found = judge(&roots, &bytes(&runs.place_in(run, shared)), shared);
        let what = "a cold group was written to since, and is somewhere else or nowhere";
        assert_eq!(found, Err(Refusal::Contradiction { what }), "{run} {shared:?}");
    }
}

#[test]
fn runs_and_shared_bytes_have_bounds() {
    let reads = |runs: u8| {
        let bytes = [&[7_u8; 32][..], &[runs], &[9; 32 * 70]].concat();
        Roots::read(&mut Reader::new(&bytes, "roots")).map(|roots| roots.runs.len())
    };
    assert_eq!((reads(0), reads(64)), (Ok(0), Ok(64)));
    assert!(matches!(reads(65), Err(Refusal::Malformed { .. })));
    // One leaf of a tree that has no other.
    let path = [1_u64.to_be_bytes(), [0; 8]].concat();
    for (length, is_read) in [(MAX_SHARED, true), (MAX_SHARED + 1, false)] {
        let shared = [&(length as u16).to_be_bytes()[..], &vec![b'a'; length]].concat();
        let coverage = [&[1_u8][..], &shared, &[1; 64], &path].concat();
        assert_eq!(Coverage::decode(&coverage).is_ok(), is_read, "{length}");
        let exclusion = [&[1_u8][..], &shared, &[1; 32], &path].concat();
        assert_eq!(Exclusion::decode(&exclusion).is_ok(), is_read, "{length}");
    }
}

#[test]
fn a_group_is_in_a_run_that_is_there_and_nowhere_if_it_is_in_none() {
    let (hot, runs) = world();
    let (roots, places) = shown(&hot, &runs);
    let Place::Cold { group, coverage, inclusion, bit, .. } = places[2].clone() else {
        panic!("it is cold")
    };
    let behind = Place::Cold { group, run: 4, coverage, inclusion, bit };
    assert!(matches!(judge(&roots, &bytes(&behind), b"c100"), Err(Refusal::Malformed { .. })));
    let Place::Nowhere { neighbour, proof, runs } = places[7].clone() else {
        panic!("it is nowhere")
    };
    let judged = |runs: Vec<Missing>| {
        let place = Place::Nowhere { neighbour, proof: proof.clone(), runs };
        judge(&roots, &bytes(&place), b"b")
    };
    assert_eq!(judged(runs.clone()), Ok(None));
    let again = [&runs[..], &runs[..1]].concat();
    for other in [Vec::new(), runs[..3].to_vec(), again] {
        assert!(matches!(judged(other), Err(Refusal::Malformed { .. })));
    }
    let mut exchanged = runs;
    exchanged.swap(0, 1);
    assert_eq!(judged(exchanged), Err(Refusal::State));
}

#[test]
fn roots_are_those_of_one_state() {
    let (hot, runs) = world();
    let (roots, _) = shown(&hot, &runs);
    let root = root_of(&roots);
    let changed = |change: fn(&mut make::Roots)| {
        let (mut roots, mut bytes) = (roots.clone(), Vec::new());
        change(&mut roots);
        roots.put(&mut bytes);
        Roots::read_of(&root, &mut Reader::new(&bytes, "roots")).map(drop)
    };
    assert_eq!(changed(|_| {}), Ok(()));
    for found in [
        changed(|roots| roots.hot[0] ^= 1),
        changed(|roots| roots.runs[3][31] ^= 1),
        changed(|roots| roots.runs.swap(0, 1)),
        changed(|roots| roots.runs.truncate(roots.runs.len() - 1)),
        changed(|roots| roots.runs.clear()),
        changed(|roots| roots.runs.push([0; 32])),
        changed(|roots| roots.runs.push(RECORDS)),
        changed(|roots| roots.records[7] ^= 1),
    ] {
        assert_eq!(found, Err(Refusal::State));
    }
}
