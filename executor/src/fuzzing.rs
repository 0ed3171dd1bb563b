//! Entry points for fuzzers.

use crate::events;
use billchain_storage::EventGroup;

/// Events of some transactions, as the index keeps them. Returns whether `data`
/// is such a group; one that is stands alone as a block's whole list.
pub fn event_group(data: &[u8]) -> bool {
    let group = EventGroup { first: 0, records: data.to_vec() };
    let is_group = events::decode(&group).is_ok();
    if is_group {
        assert_eq!(events::join(&[group]).expect("its count was read"), data);
    }
    is_group
}
