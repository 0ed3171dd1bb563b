//! The encoding that the storage reads, and what a policy may be.

use super::*;
use codec::DecodeAll;

fn shared(bytes: &[u8]) -> SharedBytes {
    SharedBytes::truncate_from(bytes.to_vec())
}

#[test]
fn orders_are_encoded_field_by_field() {
    let orders = Orders {
        groups: BoundedVec::truncate_from(vec![shared(b"a"), shared(b"bc")]),
        ends_lap: true,
        segment_groups: 0x0102_0304,
        merge_groups: 5,
    };
    let bytes = [&[2 << 2, 1 << 2, b'a', 2 << 2, b'b', b'c', 1][..], &[4, 3, 2, 1], &[5, 0, 0, 0]];
    assert_eq!(orders.encode(), bytes.concat());
    assert_eq!(Orders::decode_all(&mut &bytes.concat()[..]), Ok(orders));
}

#[test]
fn more_groups_or_longer_ones_than_there_may_be_do_not_decode() {
    let groups = |count: usize, length: usize| {
        (vec![vec![0_u8; length]; count], false, 1_u32, 0_u32).encode()
    };
    let (most, longest) = (MAX_GROUPS as usize, MAX_SHARED_BYTES as usize);
    assert!(Orders::decode_all(&mut &groups(most, longest)[..]).is_ok());
    assert!(Orders::decode_all(&mut &groups(most + 1, 1)[..]).is_err());
    assert!(Orders::decode_all(&mut &groups(1, longest + 1)[..]).is_err());
    assert!(Orders::max_encoded_len() >= groups(most, longest).len());
}

#[test]
fn orders_of_nothing_are_empty_and_others_are_not() {
    assert!(Orders { segment_groups: 7, ..Orders::default() }.is_empty());
    assert!(!Orders { ends_lap: true, ..Orders::default() }.is_empty());
    assert!(!Orders { merge_groups: 1, ..Orders::default() }.is_empty());
    let groups = BoundedVec::truncate_from(vec![shared(b"a")]);
    assert!(!Orders { groups, ..Orders::default() }.is_empty());
}

fn with(field: CoolingField, value: u32) -> CoolingPolicy {
    let mut policy = CoolingPolicy::default();
    *match field {
        CoolingField::AfterDays => &mut policy.after_days,
        CoolingField::GroupsPerBlock => &mut policy.groups_per_block,
        CoolingField::LapDays => &mut policy.lap_days,
        CoolingField::SegmentGroups => &mut policy.segment_groups,
        CoolingField::MergeGroups => &mut policy.merge_groups,
    } = value;
    policy
}

#[test]
fn every_field_of_a_policy_has_bounds_and_says_which_it_breaks() {
    assert_eq!(CoolingPolicy::default().problems().next(), None);
    for field in CoolingField::ALL {
        let (least, most) = field.bounds().into_inner();
        for value in [least, most] {
            assert_eq!(with(field, value).value(field), value);
            assert_eq!(with(field, value).problems().next(), None, "{field:?} {value}");
        }
        for found in [least.checked_sub(1), most.checked_add(1)].into_iter().flatten() {
            let problems: Vec<_> = with(field, found).problems().collect();
            assert_eq!(problems, [OutOfBounds { field, found }]);
            let text = problems[0].to_string();
            assert!(text.starts_with(field.name()) && text.ends_with(&found.to_string()), "{text}");
        }
    }
    // What one block looks at, it can also order.
    assert!(*CoolingField::GroupsPerBlock.bounds().end() <= MAX_GROUPS);
}

#[test]
fn what_is_cold_follows_from_the_days() {
    let policy = with(CoolingField::AfterDays, 90);
    assert_eq!(policy.cold_before(91 * DAY_MS), DAY_MS);
    assert_eq!(policy.cold_before(90 * DAY_MS), 0, "nothing is older than that");
    assert_eq!(policy.cold_before(5), 0);
    assert_eq!(CoolingPolicy::default().cold_before(Moment::MAX), 0, "nothing becomes cold");
    assert_eq!(policy.lap_ms(), 30 * DAY_MS);
}

#[test]
fn a_policy_in_json_may_leave_fields_out_and_names_no_others() {
    let policy: CoolingPolicy = serde_json::from_str(r#"{"afterDays": 90}"#).unwrap();
    assert_eq!(policy, with(CoolingField::AfterDays, 90));
    let text = serde_json::to_value(policy).unwrap();
    for field in CoolingField::ALL {
        assert_eq!(text[field.name()], policy.value(field));
    }
    assert!(serde_json::from_str::<CoolingPolicy>(r#"{"days": 90}"#).is_err());
}
