//! What the explorer's index reads of nodes and of its own tables.

use crate::Verdict;
use billchain_explorer_indexer::{
    block::{Block, Told},
    query::codes_of,
    stored::{Detail, detail_of},
    words,
};
use billchain_primitives::SummaryFields;
use billchain_runtime::{RuntimeCall, RuntimeEvent};
use codec::{DecodeAll, Encode};

/// What is read, by the first byte: a call and an event in words, the column `detail`, the codes of
/// a bill in a text, and a block as a node tells it (SCALE of number, decided header, body and
/// events).
pub fn explorer_index(data: &[u8]) -> Verdict {
    let Some((sort, rest)) = data.split_first() else { return Verdict::Refused };
    let accepted = match sort {
        0 => words::call(rest).is_some(),
        1 => words::event(rest).is_some(),
        2 => detail_of(Some(rest)).is_ok_and(|detail| {
            assert_eq!(detail.encode(), rest, "a detail has one form");
            true
        }),
        3 => std::str::from_utf8(rest).is_ok_and(|text| codes_of(text).is_some()),
        _ => told(rest).is_some_and(|told| Block::read(told).is_ok()),
    };
    accepted.into()
}

fn told(bytes: &[u8]) -> Option<Told> {
    type Parts = (u32, Vec<u8>, Vec<Vec<u8>>, Vec<u8>);
    let (number, decided, body, events) = Parts::decode_all(&mut &bytes[..]).ok()?;
    Some(Told { number, decided, body, events, node: String::new() })
}

/// Real inputs.
pub(crate) fn seeds(_: &str) -> Vec<Vec<u8>> {
    let now = RuntimeCall::Timestamp(pallet_timestamp::Call::set { now: 1_795_449_600_000 });
    let batch = RuntimeCall::Utility(pallet_utility::Call::batch { calls: vec![now.clone(); 25] });
    let event = RuntimeEvent::Utility(pallet_utility::Event::BatchCompleted);
    let detail: Detail = (None, Default::default(), SummaryFields::NONE);
    let header = super::verifier::seeds("certificate_part").into_iter().next().unwrap_or_default();
    let length = u16::try_from(header.len()).unwrap_or_default().to_be_bytes();
    let decided = [&length[..], &header, &[0; 5]].concat();
    vec![
        [vec![0], batch.encode()].concat(),
        [vec![1], event.encode()].concat(),
        [vec![2], detail.encode()].concat(),
        [vec![3], "01,31060126,0000000101,aZ09bY".into()].concat(),
        [vec![4], (0_u32, decided, Vec::<Vec<u8>>::new(), vec![0_u8]).encode()].concat(),
    ]
}
