//! Segments that become one.

use crate::{SMALL, group, many, place, segment};
use billchain_cold::{Activity, ColdError, Group, Segment, merge, write};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_merged_segment_has_what_is_active_in_order(
        places in prop::collection::vec((0_usize..3, any::<bool>()), 0..300),
    ) {
        // Each group is active in one segment at most, and may be dead in others.
        let mut inputs: [Vec<(Group, bool)>; 3] = Default::default();
        for (at, (place, active)) in places.iter().enumerate() {
            inputs[*place].push((group(at), *active));
            if at % 5 == 0 {
                let mut old = group(at);
                old.values.truncate(1);
                inputs[(*place + 1) % 3].push((old, false));
            }
        }
        let opened: Vec<(Segment<Vec<u8>>, Activity)> = inputs
            .iter()
            .map(|input| {
                let groups: Vec<Group> = input.iter().map(|(group, _)| group.clone()).collect();
                let mut activity = Activity::all_active(groups.len() as u64).unwrap();
                for (at, _) in input.iter().enumerate().filter(|(_, (_, active))| !active) {
                    activity.kill(at as u64);
                }
                (segment(&groups), activity)
            })
            .collect();
        let inputs: Vec<_> = opened.iter().map(|(segment, activity)| (segment, activity)).collect();
        let (_directory, path) = place();
        let written = write(&path, SMALL, merge(&inputs).unwrap()).unwrap();
        let expected: Vec<Group> = places
            .iter()
            .enumerate()
            .filter(|(_, (_, active))| *active)
            .map(|(at, _)| group(at))
            .collect();
        prop_assert_eq!(written.root, *segment(&expected).root());
        prop_assert_eq!(written.groups, expected.len() as u64);
    }
}

#[test]
fn a_group_that_is_active_twice_is_refused() {
    let (one, two) = (segment(&many(10)), segment(&many(20)[9..]));
    let (mut first, second) =
        (Activity::all_active(10).unwrap(), Activity::all_active(11).unwrap());
    let merged: Vec<_> = merge(&[(&one, &first), (&two, &second)]).unwrap().collect();
    assert_eq!(merged.len(), 10, "it ends after the error");
    assert!(matches!(merged.last(), Some(Err(ColdError::Twice { .. }))));
    first.kill(9);
    assert_eq!(merge(&[(&one, &first), (&two, &second)]).unwrap().count(), 20);
}

#[test]
fn bits_of_another_segment_are_refused() {
    let one = segment(&many(10));
    let activity = Activity::all_active(11).unwrap();
    let text = merge(&[(&one, &activity)]).map(drop).unwrap_err().to_string();
    assert!(text.ends_with("expected 10"), "{text}");
}

#[test]
fn a_damaged_input_ends_the_merge_with_its_error() {
    let (_, mut bytes) = crate::written(&many(300), SMALL);
    bytes[3_000] ^= 1;
    let one = Segment::open(bytes).unwrap();
    let activity = Activity::all_active(300).unwrap();
    let found: Vec<_> = merge(&[(&one, &activity)]).unwrap().collect();
    assert!(matches!(found.last(), Some(Err(ColdError::Damaged { .. }))));
    assert!(found.len() < 300);
}
