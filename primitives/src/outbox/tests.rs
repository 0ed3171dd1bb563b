//! Topics, labels, keys and trails.

use super::*;
use codec::DecodeAll;
use std::collections::BTreeMap;

fn hash(number: u64) -> [u8; 32] {
    leaf(&number.encode())
}

#[test]
fn a_set_of_topics_holds_what_it_was_given_and_refuses_foreign_bits() {
    let set = Topics::of(&[Topic::BillReimbursed, Topic::ParticipantChanged]);
    assert!(set.contains(Topic::BillReimbursed) && !set.contains(Topic::BillLocked));
    assert_eq!(Topics::decode_all(&mut &set.encode()[..]).unwrap(), set);
    assert!(Topics::decode_all(&mut &(1_u32 << 17).encode()[..]).is_err());
    assert_eq!(
        serde_json::to_string(&set).unwrap(),
        r#"["bill_reimbursed","participant_changed"]"#
    );
    assert_eq!(Topics::ALL.iter().count(), Topic::ALL.len());
    for (place, topic) in Topic::ALL.into_iter().enumerate() {
        assert_eq!(topic.bit(), 1 << place, "{topic:?} stands at its own bit");
    }
}

#[test]
fn a_label_is_a_technical_name() {
    for good in ["mof-public-service/1", "a", "old.system_2"] {
        assert_eq!(Label::new(good).unwrap().as_str(), good);
        assert!(Label::decode_all(&mut &good.as_bytes().to_vec().encode()[..]).is_ok());
    }
    for bad in ["", "Has-Capitals", "with space", "中文", &"a".repeat(49)] {
        assert!(Label::new(bad).is_err(), "{bad}");
        assert!(Label::decode_all(&mut &bad.as_bytes().to_vec().encode()[..]).is_err(), "{bad}");
    }
}

#[test]
fn each_version_of_a_bill_has_a_topic() {
    use Operation::*;
    for (operation, first, later) in [
        (Register, Topic::BillRegistered, Topic::BillRegistered),
        (RedReverse, Topic::BillRegistered, Topic::BillRedReversed),
        (ExpireLock, Topic::BillUnlocked, Topic::BillUnlocked),
        (AdminLock, Topic::BillLocked, Topic::BillLocked),
        (Reimburse, Topic::BillReimbursed, Topic::BillReimbursed),
    ] {
        let cause = Cause::Operation(operation);
        assert_eq!(Topic::of_version(&cause, true), first, "{operation:?}");
        assert_eq!(Topic::of_version(&cause, false), later, "{operation:?}");
    }
    assert_eq!(Topic::of_version(&Cause::Summary, false), Topic::BillFilledIn);
}

#[test]
fn an_idempotency_key_is_of_one_entry_of_one_chain() {
    let (one, other) = (Hash::repeat_byte(1), Hash::repeat_byte(2));
    let keys = [
        idempotency_key(&one, ConnectorId(1), 1),
        idempotency_key(&one, ConnectorId(1), 2),
        idempotency_key(&one, ConnectorId(2), 1),
        idempotency_key(&other, ConnectorId(1), 1),
    ];
    for (at, key) in keys.iter().enumerate() {
        assert!(!keys[..at].contains(key));
    }
    let bytes = [&b"billchain outbox"[..], &[1; 32], &[1, 0], &[1, 0, 0, 0, 0, 0, 0, 0]].concat();
    assert_eq!(keys[0], crate::sm3(&bytes), "as docs/workers.md says");
}

#[test]
fn every_leaf_of_a_trail_is_proved_and_no_other() {
    let mut nodes = BTreeMap::new();
    let mut trail = Trail::default();
    for count in 0..70_u64 {
        assert_eq!(trail.leaves(), count);
        for place in 0..count {
            let proof = trail.prove(place, |height, at| nodes.get(&(height, at)).copied());
            let proof = proof.expect("every node was kept");
            assert!(trail.holds(hash(place), &proof), "leaf {place} of {count}");
            assert!(!trail.holds(hash(place + 1), &proof), "another leaf");
            let moved = TrailProof { place: place ^ 1, ..proof.clone() };
            assert!(!trail.holds(hash(place), &moved), "another place");
            let mut longer = proof.clone();
            longer.siblings.try_push([0; 32]).expect("there is room");
            assert!(!trail.holds(hash(place), &longer), "a longer way");
        }
        assert!(trail.prove(count, |_, _| Some([0; 32])).is_none(), "no such leaf");
        let encoded = trail.encode();
        assert_eq!(Trail::decode_all(&mut &encoded[..]).as_ref(), Ok(&trail));
        for end in 0..encoded.len() {
            assert!(Trail::decode_all(&mut &encoded[..end]).is_err(), "cut at {end}");
        }
        trail.append(hash(count), |height, place, node| {
            assert_eq!(nodes.insert((height, place), *node), None, "each node comes once");
        });
    }
    let wrong = (3_u64, vec![[0_u8; 32]]).encode();
    assert!(Trail::decode_all(&mut &wrong[..]).is_err(), "two peaks are missing to three leaves");
}

#[test]
fn the_format_of_a_trail_does_not_change() {
    let mut trail = Trail::default();
    (0..5).for_each(|number| trail.append(hash(number), |_, _, _| {}));
    // Made again from the module's words alone.
    let parent =
        |left: [u8; 32], right: [u8; 32]| crate::sm3(&[&[9_u8][..], &left, &right].concat());
    let of = |number: u64| crate::sm3(&[&[8_u8][..], &number.to_le_bytes()].concat());
    let four = parent(parent(of(0), of(1)), parent(of(2), of(3)));
    let expected = [&5_u64.to_le_bytes()[..], &[2 << 2], &four, &of(4)].concat();
    assert_eq!(trail.encode(), expected);
}
