//! Reading, against a map.

use crate::{Model, SMALL, groups, many, segment, written};
use billchain_cold::{Cache, Group, Located, Segment, WriteOptions};
use proptest::{collection::btree_map, prelude::*};

/// Short keys of few letters, so that many share bytes, and some are the beginning of others.
fn models() -> impl Strategy<Value = Model> {
    let key = prop::collection::vec(prop_oneof![Just(0_u8), Just(1), Just(b'a'), Just(255)], 1..6);
    let value = prop::collection::vec(any::<u8>(), 0..300);
    btree_map(key, value, 0..120)
}

fn agrees(segment: &Segment<Vec<u8>>, model: &Model, asked: &[Vec<u8>]) {
    let expected = groups(model);
    segment.verify().unwrap();
    assert_eq!(segment.groups(), expected.len() as u64);
    assert_eq!(segment.keys(), model.len() as u64);
    assert_eq!(segment.value_bytes(), model.values().map(|value| value.len() as u64).sum::<u64>());
    let ends = expected.first().zip(expected.last());
    assert_eq!(segment.range(), ends.map(|(a, b)| (&a.shared[..], &b.shared[..])));
    let found: Vec<Group> = segment.iter().map(|found| found.unwrap().1).collect();
    assert_eq!(found, expected);
    for key in asked.iter().chain(model.keys()) {
        assert_eq!(segment.get(key).unwrap().as_ref(), model.get(key));
        let behind = expected.partition_point(|group| group.shared < *key);
        let here = expected.get(behind).filter(|group| group.shared == *key);
        assert_eq!(segment.get_group(key).unwrap().as_ref(), here);
        let located = match here {
            Some(group) => Located::Here { position: behind as u64, group: group.clone() },
            None => Located::Before(behind as u64),
        };
        assert_eq!(segment.locate(key).unwrap(), located);
        let from: Vec<_> = segment.iter_from(key).unwrap().map(|found| found.unwrap().0).collect();
        assert_eq!(from, (behind as u64..expected.len() as u64).collect::<Vec<_>>());
    }
    for at in 0..=expected.len() {
        assert_eq!(segment.group_at(at as u64).unwrap().as_ref(), expected.get(at));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_segment_is_the_map_that_it_was_made_of(
        model in models(),
        asked in prop::collection::vec(prop::collection::vec(0_u8..4, 0..6), 20),
    ) {
        let segment = segment(&groups(&model));
        agrees(&segment, &model, &asked);
    }

    #[test]
    fn what_is_kept_in_memory_is_what_would_be_read(
        model in models(),
        asked in prop::collection::vec(prop::collection::vec(0_u8..4, 0..6), 20),
        bytes in 0_usize..20_000,
    ) {
        let cache = Cache::new(bytes);
        let (_, file) = written(&groups(&model), SMALL);
        let segment = Segment::open_with(file, &cache).unwrap();
        agrees(&segment, &model, &asked);
        agrees(&segment, &model, &asked);
        prop_assert!(cache.bytes() <= bytes);
        let (found, missed) = cache.asked();
        prop_assert!(model.is_empty() || found + missed > 0);
    }

    #[test]
    fn the_root_depends_on_the_groups_alone(model in models()) {
        let groups = groups(&model);
        let (small, _) = written(&groups, SMALL);
        let (large, bytes) = written(&groups, WriteOptions { block_bytes: 1 << 16, zstd_level: 9 });
        prop_assert_eq!(small.root, large.root);
        prop_assert_eq!(large.file_bytes, bytes.len() as u64);
    }
}

#[test]
fn shared_bytes_may_be_none_and_begin_other_ones() {
    let keys = ["1", "2", "12", "123", "124", "1234", "2\u{0}", "23"];
    let model: Model = keys.iter().map(|key| (key.as_bytes().to_vec(), vec![1])).collect();
    let segment = segment(&groups(&model));
    assert_eq!(segment.groups(), 5);
    assert_eq!(segment.range(), Some((&b""[..], &b"2"[..])));
    agrees(&segment, &model, &[b"".to_vec(), b"3".to_vec(), b"1235".to_vec(), b"122".to_vec()]);
    assert_eq!(segment.get(b"").unwrap(), None);
}

#[test]
fn an_index_of_several_levels_finds_every_group() {
    // Long shared bytes: eight references fill a page, so this has four levels.
    let long = |at: usize| Group {
        shared: [&[b'x'; 1_000][..], format!("{at:05}").as_bytes()].concat(),
        values: vec![(b'0', at.to_be_bytes().to_vec())],
    };
    let groups: Vec<Group> = (0..1_500).map(long).collect();
    let segment = segment(&groups);
    segment.verify().unwrap();
    for (at, group) in groups.iter().enumerate() {
        let located = Located::Here { position: at as u64, group: group.clone() };
        assert_eq!(segment.locate(&group.shared).unwrap(), located);
    }
    assert_eq!(segment.iter_at(700).count(), 800);
    assert_eq!(segment.iter_at(1_500).count(), 0);
}

#[test]
fn more_groups_than_a_level_of_nodes_has_at_once() {
    let groups = many(9_000);
    let segment = segment(&groups);
    segment.verify().unwrap();
    assert_eq!(segment.groups(), 9_000);
}
