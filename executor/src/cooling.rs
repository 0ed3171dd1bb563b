//! What a block orders of the storage: which groups of keys become cold.
//!
//! The runtime leaves its orders in the state, `Cooling::Now`, in a block that has any. They
//! are read from the block's changes whenever a root is computed of these: when it is
//! built, checked, or executed again. So they are the same everywhere.

use crate::{ChainError, externalities::StateDelta};
use billchain_primitives::cooling::Orders;
use billchain_storage::Cooling;
use codec::DecodeAll;
use frame_support::storage::storage_prefix;
use std::{ops::Bound, sync::LazyLock};

/// The raw key of `Cooling::Now` in the state.
fn cooling_key() -> &'static [u8] {
    static KEY: LazyLock<Vec<u8>> = LazyLock::new(|| storage_prefix(b"Cooling", b"Now").to_vec());
    &KEY
}

/// What a block with these changes orders. A group that the block writes to is left out: it was
/// touched, after the runtime found it cold.
///
/// # Errors
/// [`ChainError::Undecodable`] if the runtime's orders have another form.
pub(crate) fn cooling_of(delta: &StateDelta) -> Result<Cooling, ChainError> {
    // Deleted, or as it was in the block before: nothing is ordered in this one.
    let Some(Some(bytes)) = delta.get(cooling_key()) else { return Ok(Cooling::default()) };
    let Orders { groups, ends_lap, segment_groups, merge_groups } =
        Orders::decode_all(&mut &bytes[..]).map_err(|error| ChainError::Undecodable {
            what: "the orders of what becomes cold".into(),
            reason: error.to_string(),
        })?;
    let groups = groups.into_iter().map(|group| group.into_inner());
    let groups = groups.filter(|shared| !is_written(delta, shared)).collect();
    Ok(Cooling { groups, ends_lap, segment_groups, merge_groups })
}

/// Whether a key of the group is among the changes.
fn is_written(delta: &StateDelta, shared: &[u8]) -> bool {
    delta
        .range::<[u8], _>((Bound::Excluded(shared), Bound::Unbounded))
        .take_while(|(key, _)| key.starts_with(shared))
        .any(|(key, _)| key.len() == shared.len() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use billchain_primitives::cooling::{CoolingField, SharedBytes};
    use codec::Encode;
    use sp_core::bounded::BoundedVec;

    fn orders(groups: &[&[u8]]) -> Vec<u8> {
        let groups = groups.iter().map(|group| SharedBytes::truncate_from(group.to_vec()));
        let groups = BoundedVec::truncate_from(groups.collect());
        Orders { groups, ends_lap: true, segment_groups: 5, merge_groups: 6 }.encode()
    }

    fn delta(value: Option<Vec<u8>>, written: &[(&[u8], Option<&[u8]>)]) -> StateDelta {
        let own = (cooling_key().to_vec(), value);
        let written = written.iter().map(|(key, value)| (key.to_vec(), value.map(<[u8]>::to_vec)));
        written.chain([own]).collect()
    }

    #[test]
    fn the_storage_does_what_a_policy_may_say() {
        let most = |field: CoolingField| *field.bounds().end();
        assert_eq!(most(CoolingField::SegmentGroups), Cooling::MAX_SEGMENT_GROUPS);
    }

    #[test]
    fn orders_are_those_of_the_blocks_own_changes() {
        let none = Cooling::default();
        let of = |delta: &StateDelta| {
            let Cooling { groups, ends_lap, segment_groups, merge_groups } =
                cooling_of(delta).unwrap();
            (groups, ends_lap, segment_groups, merge_groups)
        };
        let nothing = (none.groups, none.ends_lap, none.segment_groups, none.merge_groups);
        assert_eq!(of(&StateDelta::new()), nothing);
        assert_eq!(of(&delta(None, &[])), nothing);
        let found = of(&delta(Some(orders(&[b"a", b"bc"])), &[]));
        assert_eq!(found, (vec![b"a".to_vec(), b"bc".to_vec()], true, 5, 6));
    }

    #[test]
    fn groups_that_the_block_writes_to_are_left_out() {
        let all: [&[u8]; 4] = [b"a", b"bc", b"d", b"e"];
        // Of the group, written and deleted; the shared bytes themselves, and a longer key.
        let written: [(&[u8], Option<&[u8]>); 5] = [
            (b"a\x05", Some(b"1")),
            (b"bc\xff", None),
            (b"d", Some(b"2")),
            (b"d\x01\x02", Some(b"3")),
            (b"f", None),
        ];
        let cooling = cooling_of(&delta(Some(orders(&all)), &written)).unwrap();
        assert_eq!(cooling.groups, [b"d".to_vec(), b"e".to_vec()]);
        assert!(cooling.ends_lap, "the lap ends all the same");
    }

    #[test]
    fn orders_of_another_form_are_an_error() {
        for bytes in [Vec::new(), [orders(&[b"a"]), vec![0]].concat()] {
            let error = cooling_of(&delta(Some(bytes), &[])).unwrap_err().to_string();
            assert!(error.contains("the orders of what becomes cold"), "{error}");
        }
    }
}
