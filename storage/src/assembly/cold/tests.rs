use super::*;

fn run(id: u64, segments: u32) -> RunRecord {
    RunRecord { id, laps: 1, segments, is_over: true, begun: 7 }
}

fn list(runs: Vec<RunRecord>) -> Vec<u8> {
    RunList { next: 9, runs, merging: None }.encode()
}

fn group(at: u64) -> Group {
    Group { shared: vec![b'k', at as u8], values: vec![(1, vec![at as u8; 9])] }
}

fn row(at: u64) -> Vec<u8> {
    [&at.to_be_bytes()[..], &group(at).encode().unwrap()].concat()
}

/// The record of a segment of these groups.
fn record(groups: u64) -> SegmentRecord {
    let mut tree = Growing::default();
    for at in 0..groups {
        tree.push(&group(at).shared, &group(at).digest());
    }
    SegmentRecord {
        from: group(0).shared,
        last: group(groups - 1).shared,
        groups,
        root: tree.root(),
        ended: Some(9),
    }
}

/// Bits that are all 1.
fn bits(groups: u64) -> Vec<[u8; 64]> {
    let all = Activity::all_active(groups).unwrap();
    (0..groups.div_ceil(CHUNK_BITS)).map(|at| *all.chunk_of(at * CHUNK_BITS).unwrap().1).collect()
}

#[test]
fn a_list_leads_to_the_roots_only_if_it_is_whole() {
    let id = SegmentId { run: 3, index: 0 };
    let mut part = ColdPart::default();
    assert_eq!(part.roots(), Some(Vec::new()), "a chain on which nothing cooled");
    part.take_record(RUNS, &list(vec![run(3, 1)])).unwrap();
    assert_eq!(part.roots(), None, "without the segment");
    part.take_record(&id.record_key(), &record(5).encode()).unwrap();
    assert_eq!(part.roots(), None, "without its bits");
    for (at, chunk) in (0..).zip(bits(5)) {
        part.take_bits(&id.number_key(at), &chunk).unwrap();
    }
    let listed = Listed {
        from: record(5).from,
        groups: record(5).root,
        bits: Activity::all_active(5).unwrap().root(),
    };
    assert_eq!(part.roots(), Some(vec![H256(run_root(&[listed]).unwrap())]));
}

#[test]
fn what_no_list_has_is_refused_before_it_is_kept() {
    let id = SegmentId { run: 3, index: 0 };
    let of = |runs: Vec<RunRecord>| ColdPart::default().take_record(RUNS, &list(runs));
    assert_eq!(of(vec![run(3, 1), run(3, 1)]), None, "a run twice");
    assert_eq!(of((0..=MAX_RUNS as u64).map(|id| run(id, 0)).collect()), None, "too many runs");
    assert_eq!(of(vec![run(3, 1), run(2, 1)]), Some(()), "a merged run is older than its number");
    assert_eq!(of(vec![run(3, MAX_SEGMENTS as u32), run(4, 1)]), None, "too many segments");
    assert_eq!(ColdPart::default().take_record(RUNS, &[7]), None, "no list");
    assert_eq!(ColdPart::default().take_record(b"f", &[]), None, "what is a node's own");
    let mut part = ColdPart::default();
    assert_eq!(part.take_record(&id.record_key(), &record(5).encode()), None, "of no run");
    part.take_record(RUNS, &list(vec![run(3, 2)])).unwrap();
    let long = SegmentRecord { last: vec![9; MAX_SHARED + 1], ..record(5) };
    let many = SegmentRecord { groups: MAX_GROUPS + 1, ..record(5) };
    let none = SegmentRecord { groups: 0, ..record(5) };
    let reversed = SegmentRecord { last: vec![0], ..record(5) };
    for wrong in [long, many, none, reversed] {
        assert_eq!(part.take_record(&id.record_key(), &wrong.encode()), None, "{wrong:?}");
    }
    let behind = SegmentId { index: 2, ..id };
    assert_eq!(part.take_record(&behind.record_key(), &record(5).encode()), None);
    part.take_record(&id.record_key(), &record(5).encode()).unwrap();
    assert_eq!(part.take_bits(&id.number_key(1), &[0; 64]), None, "not the next chunk");
    assert_eq!(part.take_bits(&id.number_key(0), &[0; 63]), None, "a chunk that is cut");
    part.take_bits(&id.number_key(0), &[0; 64]).unwrap();
    assert_eq!(part.take_bits(&id.number_key(1), &[0; 64]), None, "more than there are groups");
}

#[test]
fn groups_lead_to_the_root_in_their_order_alone() {
    let record = record(4);
    let new = || Filling {
        id: SegmentId { run: 3, index: 0 },
        tree: Growing::default(),
        last: Vec::new(),
    };
    let mut whole = new();
    for at in 0..4 {
        assert!(!whole.is_whole(&record));
        whole.take(&record, &group(at).shared, &row(at)).unwrap();
    }
    assert!(whole.is_whole(&record));
    assert_eq!(whole.take(&record, &group(4).shared, &row(4)), None, "one more");
    for (order, what) in
        [(vec![1], "not from the first"), (vec![0, 2], "one left out"), (vec![0, 0], "one twice")]
    {
        let mut filling = new();
        let taken: Vec<bool> = order
            .into_iter()
            .map(|at| filling.take(&record, &group(at).shared, &row(at)).is_some())
            .collect();
        assert_eq!(taken.last(), Some(&false), "{what}");
    }
    let mut filling = new();
    assert_eq!(filling.take(&record, &group(1).shared, &row(0)), None, "another one's key");
    assert_eq!(filling.take(&record, &group(0).shared, &row(0)[..9]), None, "cut short");
    assert_eq!(filling.take(&record, &group(0).shared, &[]), None, "nothing");
    // Another value is found at the end.
    let other = Group { values: vec![(1, vec![0xff])], ..group(0) };
    let bytes = [&0_u64.to_be_bytes()[..], &other.encode().unwrap()].concat();
    let mut filling = new();
    filling.take(&record, &other.shared, &bytes).unwrap();
    for at in 1..4 {
        filling.take(&record, &group(at).shared, &row(at)).unwrap();
    }
    assert!(!filling.is_whole(&record));
}

#[test]
fn a_segment_is_left_to_its_file_when_it_ended_long_ago() {
    let ended = |ended| SegmentRecord { ended, ..record(1) };
    assert!(!may_have_file(&ended(None), u32::MAX) && !is_left_to_file(&ended(None), u32::MAX));
    let at = ended(Some(100));
    assert!(!may_have_file(&at, 99 + DEPTH) && may_have_file(&at, 100 + DEPTH));
    assert!(!is_left_to_file(&at, 99 + LONG_AGO) && is_left_to_file(&at, 100 + LONG_AGO));
}

#[test]
fn the_fuzzers_list_is_one() {
    assert!(is_list(&sample()));
    let mut cut = sample();
    cut.remove(2);
    assert!(!is_list(&cut), "the group comes, and its bits did not");
}
