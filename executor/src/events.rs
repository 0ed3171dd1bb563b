//! What a block's transactions came to, for the node-local index: the records
//! of `System::Events`, cut between transactions into groups.
//!
//! The state holds the events of one block only, and old states are not kept.
//! The index keeps the same bytes for as long as the block: concatenated, the
//! groups of a block are the list that the state held. Records are read with
//! the types of this program's runtime; a block of other types needs those.

use crate::externalities::StateDelta;
use billchain_primitives::Hash;
use billchain_runtime::RuntimeEvent;
use billchain_storage::EventGroup;
use codec::{Compact, Decode, DecodeAll, Encode};
use frame_support::storage::storage_prefix;
use frame_system::EventRecord;
use std::sync::LazyLock;

/// Bytes of records from which on a group takes no further transaction.
const GROUP_BYTES: usize = 8 << 10;

/// An event of a block.
pub type BlockEvent = EventRecord<RuntimeEvent, Hash>;

/// The raw key of `System::Events` in the state.
pub fn events_key() -> &'static [u8] {
    static KEY: LazyLock<Vec<u8>> = LazyLock::new(|| storage_prefix(b"System", b"Events").to_vec());
    &KEY
}

/// Records and their bytes, the count before them left out, from the beginning
/// of the list up to some transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) records: u32,
    pub(crate) bytes: usize,
}

/// The events that `delta` leaves, in groups; `marks` has one entry a
/// transaction, made after it.
pub(crate) fn groups(delta: &StateDelta, marks: &[Mark]) -> Vec<EventGroup> {
    match delta.get(events_key()) {
        Some(Some(list)) => cut(list, marks),
        _ => Vec::new(),
    }
}

fn cut(list: &[u8], marks: &[Mark]) -> Vec<EventGroup> {
    let mut records = list;
    let Ok(Compact(count)) = Compact::<u32>::decode(&mut records) else { return Vec::new() };
    let end = Mark { records: count, bytes: records.len() };
    let mut groups = Vec::new();
    let (mut first, mut begin) = (0, Mark::default());
    for (index, mark) in (0_u32..).zip(marks) {
        // The last group takes what follows the last transaction as well.
        let is_last = index as usize + 1 == marks.len();
        if is_last || mark.bytes.saturating_sub(begin.bytes) < GROUP_BYTES {
            continue;
        }
        match group(first, records, begin, *mark) {
            Some(group) => groups.push(group),
            // Somebody took events back: the list is whole in one group.
            None => return whole(list),
        }
        (first, begin) = (index + 1, *mark);
    }
    match group(first, records, begin, end) {
        Some(group) => groups.push(group),
        None => return whole(list),
    }
    groups
}

fn group(first: u32, records: &[u8], from: Mark, to: Mark) -> Option<EventGroup> {
    let count = to.records.checked_sub(from.records)?;
    let records = records.get(from.bytes..to.bytes)?;
    let mut bytes = Vec::with_capacity(records.len() + 4);
    Compact(count).encode_to(&mut bytes);
    bytes.extend_from_slice(records);
    Some(EventGroup { first, records: bytes })
}

fn whole(list: &[u8]) -> Vec<EventGroup> {
    vec![EventGroup { first: 0, records: list.to_vec() }]
}

/// The records of a group.
pub(crate) fn decode(group: &EventGroup) -> Result<Vec<BlockEvent>, codec::Error> {
    Vec::decode_all(&mut &group.records[..])
}

/// Puts the groups of a block together again: the value of `System::Events`.
pub(crate) fn join(groups: &[EventGroup]) -> Result<Vec<u8>, codec::Error> {
    let (mut count, mut records) = (0_u32, Vec::new());
    for group in groups {
        let mut bytes = &group.records[..];
        let Compact(more) = Compact::<u32>::decode(&mut bytes)?;
        count = count.checked_add(more).ok_or("more events than can be counted")?;
        records.extend_from_slice(bytes);
    }
    let mut list = Vec::with_capacity(records.len() + 4);
    Compact(count).encode_to(&mut list);
    list.append(&mut records);
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A list of `records`, each of this many bytes, and the marks after
    /// transactions of so many records each.
    fn list(records: &[usize], transactions: &[u32]) -> (Vec<u8>, Vec<Mark>) {
        let mut bytes = Compact(records.len() as u32).encode();
        for (at, size) in records.iter().enumerate() {
            bytes.extend(std::iter::repeat_n(at as u8, *size));
        }
        let marks = transactions.iter().scan(0, |done, count| {
            *done += count;
            let bytes = records[..*done as usize].iter().sum();
            Some(Mark { records: *done, bytes })
        });
        let marks = marks.collect();
        (bytes, marks)
    }

    #[test]
    fn groups_end_between_transactions_and_join_to_the_list() {
        const BIG: usize = GROUP_BYTES;
        let cases: [(&str, &[usize], &[u32], &[u32]); 6] = [
            ("no transaction", &[10], &[], &[0]),
            ("one small group", &[10, 20, 30], &[1, 1], &[0]),
            ("a large transaction stays whole", &[BIG, BIG, BIG, 9], &[3, 1], &[0, 1]),
            ("a group is full", &[BIG / 2, BIG / 2, 10, 10], &[1, 1, 1, 1], &[0, 2]),
            ("events after the last transaction", &[BIG, 10, BIG], &[1, 1], &[0, 1]),
            ("transactions without events", &[BIG, 5], &[1, 0, 0, 1], &[0, 1]),
        ];
        for (what, records, transactions, firsts) in cases {
            let (list, marks) = list(records, transactions);
            let groups = cut(&list, &marks);
            let found: Vec<u32> = groups.iter().map(|group| group.first).collect();
            assert_eq!(found, firsts, "{what}");
            assert_eq!(join(&groups).unwrap(), list, "{what}");
        }
    }

    #[test]
    fn a_list_that_the_marks_do_not_fit_is_kept_whole() {
        let (list, mut marks) = list(&[GROUP_BYTES, 10, 10], &[1, 1, 1]);
        marks[0].bytes = usize::MAX;
        assert_eq!(cut(&list, &marks), whole(&list));
        marks[0] = Mark { records: 9, bytes: GROUP_BYTES };
        assert_eq!(cut(&list, &marks), whole(&list));
    }
}
