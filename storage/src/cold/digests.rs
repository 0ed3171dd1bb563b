//! SM3 of the records that say how runs go on: which there are, of how many laps, where a merge
//! stands, which groups are last, and which block ended a segment. No root of a run is over these,
//! and later roots follow from them; so the cold root is over this digest as well, and nobody has
//! to be believed (`docs/cold-segments.md`, *Records*).

use super::records::{Cursor, Merging, RunList, RunRecord, SegmentRecord};
use billchain_cold::proof::{Digest, cold_root};
use billchain_crypto::sm3::{Sm3, sm3};

/// What begins the hash of the records, and of those of a run's segments.
const RECORDS: [u8; 2] = [0xC0, 2];
const SEGMENTS: [u8; 2] = [0xC0, 3];

/// SM3 of the records of a run's segments, in their order.
pub(crate) struct SegmentsDigest(Sm3);

impl SegmentsDigest {
    /// Of no segment.
    pub(crate) fn new() -> Self {
        let mut sm3 = Sm3::new();
        sm3.update(&SEGMENTS);
        Self(sm3)
    }

    /// Takes the next segment in. Where its range begins, and the root over its groups, are in
    /// the root of the run.
    pub(crate) fn add(&mut self, record: &SegmentRecord) {
        let SegmentRecord { last, groups, ended, .. } = record;
        let mut bytes = groups.to_be_bytes().to_vec();
        put(&mut bytes, last);
        bytes.push(u8::from(ended.is_some()));
        bytes.extend(ended.iter().flat_map(|block| block.to_be_bytes()));
        self.0.update(&bytes);
    }

    /// The digest.
    pub(crate) fn finish(self) -> Digest {
        self.0.finalize()
    }
}

/// SM3 of all records: the list of runs, and of each of them the digest of its segments.
pub(crate) fn of_list(list: &RunList, segments: &[Digest]) -> Digest {
    let RunList { next, runs, merging } = list;
    let mut bytes = RECORDS.to_vec();
    bytes.extend(next.to_be_bytes());
    bytes.push(u8::try_from(runs.len()).unwrap_or(u8::MAX));
    for (run, segments) in runs.iter().zip(segments) {
        let RunRecord { id, laps, segments: count, is_over, begun } = run;
        bytes.extend(id.to_be_bytes());
        bytes.extend(laps.to_be_bytes());
        bytes.extend(count.to_be_bytes());
        bytes.push(u8::from(*is_over));
        bytes.extend(begun.to_be_bytes());
        bytes.extend(segments);
    }
    bytes.push(u8::from(merging.is_some()));
    if let Some(Merging { sources, target }) = merging {
        bytes.extend(target.to_be_bytes());
        for Cursor { run, segment, position, near } in sources {
            bytes.extend(run.to_be_bytes());
            bytes.extend(segment.to_be_bytes());
            bytes.extend(position.to_be_bytes());
            put(&mut bytes, near);
        }
    }
    sm3(&bytes)
}

/// The cold root of a chain on which nothing has cooled.
pub(crate) fn first_root() -> Digest {
    cold_root(&[], &of_list(&RunList::default(), &[])).expect("no runs are not too many")
}

/// Appends bytes after their length. None are as long as the length cannot say: keys of a cold
/// group share 1,024 bytes at most.
fn put(to: &mut Vec<u8>, bytes: &[u8]) {
    to.extend(u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_be_bytes());
    to.extend(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `cold/vectors/second_reader.py` computes them from the document.
    const EXPECTED: [(&str, &str); 3] = [
        ("no records", "a7c4dd8b1578ba2e2756d274db77dd4d27b1c36919944c2d2d57cae06d90a19a"),
        ("records", "dc0d7a9410f0c7f5693b10a20530b22794dbd4e72a208d8023702433d3363638"),
        ("records of a merge", "9fb2174b3be68838e5c5e95cd8aaf4cab52e670eebc5e3dd9c21957f4e734a54"),
    ];

    fn run(id: u64, segments: u32, is_over: bool) -> RunRecord {
        RunRecord { id, laps: 2, segments, is_over, begun: 40 + id as u32 }
    }

    fn segment(groups: u64, ended: Option<u32>) -> SegmentRecord {
        let last = format!("group {groups:06}").into_bytes();
        SegmentRecord { from: b"group".to_vec(), last, groups, root: [groups as u8; 32], ended }
    }

    fn of_segments(records: &[SegmentRecord]) -> Digest {
        let mut digest = SegmentsDigest::new();
        records.iter().for_each(|record| digest.add(record));
        digest.finish()
    }

    /// A list of two runs, and the records of their segments.
    fn sample() -> (RunList, [Vec<SegmentRecord>; 2]) {
        let list =
            RunList { next: 9, runs: vec![run(3, 2, true), run(8, 1, false)], merging: None };
        (list, [vec![segment(700, Some(50)), segment(30, Some(61))], vec![segment(5, None)]])
    }

    fn merging() -> Merging {
        let cursor =
            |run, near: &[u8]| Cursor { run, segment: 1, position: 4, near: near.to_vec() };
        Merging { sources: [cursor(3, b"group 000004"), cursor(7, b"")], target: 8 }
    }

    fn digest(list: &RunList, segments: &[Vec<SegmentRecord>; 2]) -> Digest {
        of_list(list, &segments.each_ref().map(|records| of_segments(records)))
    }

    #[test]
    fn digests_are_those_of_the_second_reader() {
        let (list, segments) = sample();
        let merged = RunList { merging: Some(merging()), ..list.clone() };
        let found = [
            ("no records", of_list(&RunList::default(), &[])),
            ("records", digest(&list, &segments)),
            ("records of a merge", digest(&merged, &segments)),
        ];
        let found = found.map(|(name, digest)| (name, hex::encode(digest)));
        assert_eq!(found, EXPECTED.map(|(name, digest)| (name, digest.to_owned())));
    }

    #[test]
    fn whatever_a_later_root_may_follow_from_is_in_the_digest() {
        let (mut list, segments) = sample();
        list.merging = Some(merging());
        let expected = digest(&list, &segments);
        let lists: [fn(&mut RunList); 14] = [
            |list| list.next += 1,
            |list| list.runs.swap(0, 1),
            |list| list.runs[0].id = 4,
            |list| list.runs[0].laps = 1,
            |list| list.runs[0].segments = 3,
            |list| list.runs[1].is_over = true,
            |list| list.runs[1].begun += 1,
            |list| list.merging = None,
            |list| list.merging.as_mut().unwrap().target = 9,
            |list| list.merging.as_mut().unwrap().sources.swap(0, 1),
            |list| list.merging.as_mut().unwrap().sources[0].run = 7,
            |list| list.merging.as_mut().unwrap().sources[1].segment = 0,
            |list| list.merging.as_mut().unwrap().sources[1].position = 5,
            |list| list.merging.as_mut().unwrap().sources[1].near.push(0),
        ];
        for (at, change) in lists.into_iter().enumerate() {
            let mut other = list.clone();
            change(&mut other);
            assert_ne!(digest(&other, &segments), expected, "change {at} of the list");
        }
        let records: [fn(&mut Vec<SegmentRecord>); 5] = [
            |records| records[1].last.push(0),
            |records| records[1].groups += 1,
            |records| records[0].ended = Some(51),
            |records| records[1].ended = None,
            |records| records.swap(0, 1),
        ];
        for (at, change) in records.into_iter().enumerate() {
            let mut other = segments.clone();
            change(&mut other[0]);
            assert_ne!(digest(&list, &other), expected, "change {at} of the segments");
        }
    }
}
