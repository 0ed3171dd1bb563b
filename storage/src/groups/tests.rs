use super::*;
use crate::StorageOptions;
use billchain_crypto::sm3::sm3;

fn delta(entries: &[(&[u8], Option<&[u8]>)]) -> StateDelta {
    entries.iter().map(|(k, v)| (k.to_vec(), v.map(<[u8]>::to_vec))).collect()
}

/// Tables whose state has these keys; each is its own value.
fn tables(keys: &[&[u8]]) -> (tempfile::TempDir, Tables) {
    let place = tempfile::tempdir().unwrap();
    let (path, options) = (place.path().join("db"), StorageOptions::default());
    Tables::create(&path, &options).unwrap();
    let tables = Tables::open(&path, &options).unwrap();
    let mut batch = tables.batch();
    keys.iter().for_each(|key| batch.put(Table::State, key, key));
    batch.write().unwrap();
    (place, tables)
}

#[test]
fn a_group_is_its_last_bytes_and_digests_in_order() {
    let mut group = Group::default();
    assert_eq!(group.encode(), None);
    group.set(b'7', Some([7; 32]));
    group.set(b'1', Some([1; 32]));
    group.set(b'7', Some([8; 32]));
    group.set(b'9', None);
    let expected = [&[b'1'][..], &[1; 32], b"7", &[8; 32]].concat();
    assert_eq!(group.encode(), Some(expected));
    group.set(b'1', None);
    group.set(b'7', None);
    assert!(group.is_empty() && group.encode().is_none());
}

#[test]
fn a_group_is_read_without_the_longer_keys_between() {
    let longer: Vec<Vec<u8>> = (0..=255).map(|byte| vec![b'a', 7, byte]).collect();
    let mut keys: Vec<&[u8]> = vec![b"a", b"a\x07", b"a\x08", b"a\xff", b"a\xff\x01", b"b\x07"];
    keys.extend(longer.iter().map(Vec::as_slice));
    let (_place, tables) = tables(&keys);
    let before = tables.reads();
    let found = members(&tables, b"a").unwrap();
    assert_eq!(found, [b"a\x07", b"a\x08", b"a\xff"]);
    assert!(tables.reads() - before < 10, "it walks over what is longer");
    let group = read(&tables, b"a").unwrap();
    let value = |last: u8| (last, sm3(&[b'a', last]));
    assert_eq!(group, Group(vec![value(7), value(8), value(0xff)]));
    assert!(read(&tables, b"none").unwrap().is_empty());
    assert_eq!(read(&tables, b"").unwrap(), Group(vec![(b'a', sm3(b"a"))]));
}

#[test]
fn a_delta_changes_the_groups_of_its_keys() {
    let delta = delta(&[(b"a1", Some(b"x")), (b"a1z", Some(b"y")), (b"a2", None), (b"c9", None)]);
    let before = |shared: &[u8]| {
        let is_a = shared == b"a";
        Ok(if is_a { Group(vec![(b'2', [2; 32]), (b'3', [3; 32])]) } else { Group::default() })
    };
    let changed = change(&delta, before).unwrap();
    let expected = [
        (b"a".to_vec(), Group(vec![(b'1', sm3(b"x")), (b'3', [3; 32])])),
        (b"a1".to_vec(), Group(vec![(b'z', sm3(b"y"))])),
        (b"c".to_vec(), Group::default()),
    ];
    assert_eq!(changed, expected.into());
    assert_eq!(entries(&changed)[&b"c"[..]], None, "a group without keys has no entry");
    let refused = change(&StateDelta::from([(Vec::new(), None)]), |_| Ok(Group::default()));
    assert!(refused.unwrap_err().to_string().contains("is empty"));
}

#[test]
fn groups_are_gathered_from_entries_in_the_order_of_keys() {
    let keys: [&[u8]; 7] = [b"a1", b"a1x", b"a1y", b"a2", b"b1", b"c", b"d"];
    let mut gathered = Gathered::default();
    let mut whole = Vec::new();
    let mut ends = Vec::new();
    for (at, key) in keys.iter().enumerate() {
        if gathered.is_whole_before(key) {
            ends.push(at);
        }
        whole.extend(gathered.add((*key, [at as u8; 32]), at).unwrap());
    }
    whole.extend(gathered.finish());
    let group = |keys: &[(u8, u8)]| Group(keys.iter().map(|(k, v)| (*k, [*v; 32])).collect());
    let expected: Vec<Whole> = vec![
        (b"a1".to_vec(), group(&[(b'x', 1), (b'y', 2)]), 1),
        (b"a".to_vec(), group(&[(b'1', 0), (b'2', 3)]), 0),
        (b"b".to_vec(), group(&[(b'1', 4)]), 4),
        (Vec::new(), group(&[(b'c', 5), (b'd', 6)]), 5),
    ];
    assert_eq!(whole, expected);
    // Not before what comes between two keys of a group, and not before `d`.
    assert_eq!(ends, [0, 4, 5]);
}

#[test]
fn memory_for_groups_is_bounded() {
    let mut recent = Recent::new();
    let group = Group(vec![(0, [0; 32]); 200]);
    for number in 0..10_000_u32 {
        recent.put(&number.to_be_bytes(), &group);
        assert!(recent.bytes <= KEPT_BYTES);
    }
    assert_eq!(recent.get(&0_u32.to_be_bytes()), None, "the first made room");
    assert!(recent.get(&9_999_u32.to_be_bytes()).is_some());
    let counted: usize = recent.groups.iter().map(|(shared, group)| room(shared, group)).sum();
    assert_eq!(counted, recent.bytes);
    recent.apply(&Changed::from([(9_999_u32.to_be_bytes().to_vec(), Group::default())]));
    assert_eq!(recent.get(&9_999_u32.to_be_bytes()), Some(Group::default()));
}

#[test]
fn what_somebody_asks_for_takes_no_room_of_what_blocks_change() {
    let (_place, tables) = tables(&[b"a1", b"b1"]);
    let groups = HeadGroups::new();
    let group = Group(vec![(b'1', sm3(b"a1"))]);
    assert_eq!(groups.look(&tables, b"a").unwrap(), group);
    assert!(groups.look(&tables, b"none").unwrap().is_empty());
    assert_eq!(groups.recent.lock().groups.len(), 0);
    assert_eq!(groups.get(&tables, b"a").unwrap(), group);
    assert_eq!(groups.recent.lock().groups.len(), 1);
    // What is kept is given as it is at the head.
    let other = Group(vec![(b'1', [7; 32])]);
    groups.apply(&Changed::from([(b"a".to_vec(), other.clone())]));
    assert_eq!(groups.look(&tables, b"a").unwrap(), other);
}

#[test]
fn groups_that_grow_and_shrink_count_as_what_is_kept_of_them() {
    let mut recent = Recent::new();
    for round in 0..2_000_u32 {
        let shared = (round % 7).to_be_bytes();
        let mut group = recent.get(&shared).unwrap_or_default();
        // It is given more room than it needs, or keeps some of what it needed.
        let value = round.is_multiple_of(3).then_some([0; 32]);
        (0..=(round % 40) as u8).for_each(|last| group.set(last, value));
        recent.put(&shared, &group);
    }
    assert_eq!(recent.groups.len(), 7);
    let counted: usize = recent.groups.iter().map(|(shared, group)| room(shared, group)).sum();
    assert_eq!(counted, recent.bytes);
}
