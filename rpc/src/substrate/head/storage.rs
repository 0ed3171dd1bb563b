//! `chainHead_v1_storage`: entries of a pinned block's state, a page at a time. After a page of
//! descendants the client says whether to go on.

use super::outcome::{Done, failed, is_there};
use crate::{
    connection::Job,
    context::Context,
    error::{self, Answer, storage},
    lanes::Lane,
    method::{Dropped, Notifications, Subscriber, to_hex},
    substrate::state::code_hash,
};
use billchain_primitives::{Hash, sm3};
use billchain_rpc_types::{
    ArchiveStorageType as Type, HeadEventView as Event, HeadStorageEntryView, code,
};
use std::sync::Arc;

/// Items that are read in a light turn.
const FEW: usize = 16;
/// Most entries of a page.
const ENTRIES: usize = 500;
/// Longest page, in bytes: a longer entry has one for itself.
const PAGE: usize = 256 << 10;
/// What an event and an entry have around keys and values, in bytes.
const AROUND: usize = 512;

type Items = Arc<Vec<(Vec<u8>, Type)>>;

/// How far it has come: the item, and the last key of its descendants that was told.
#[derive(Clone, Debug, Default)]
struct Place {
    item: usize,
    after: Option<Vec<u8>>,
}

/// A page.
struct Page {
    /// The event; none if no entry was found so far.
    text: Option<String>,
    next: Place,
}

/// Tells the entries of the job's block.
pub(super) async fn tell(
    context: &Arc<Context>,
    sink: &Subscriber,
    job: &Job,
    items: Vec<(Vec<u8>, Type)>,
) -> Result<Done, Dropped> {
    let longest = (context.config.max_response_bytes as usize).max(PAGE);
    let items = Arc::new(items);
    let has_pages = items.iter().any(|(_, kind)| has_descendants(*kind));
    let lane = if has_pages || items.len() > FEW { Lane::Heavy } else { Lane::Light };
    let (mut at, mut most) = (Place::default(), PAGE);
    while at.item < items.len() {
        let reader = Reader {
            context: context.clone(),
            block: job.block,
            items: items.clone(),
            id: job.id.clone(),
            notifications: sink.notifications(),
            most,
        };
        let from = at.clone();
        let lane = if most > PAGE { Lane::Heavy } else { lane };
        let worked = sink.work(lane, most, move || reader.page(from)).await?;
        let Some((page, room)) = worked else { return Ok(Done::Told) };
        let Page { text, next } = match page {
            Ok(page) => page,
            Err(refusal) if refusal.code() == code::ANSWER_TOO_LONG && most < longest => {
                most = longest;
                continue;
            }
            Err(refusal) => return Ok(Done::Say(failed(job.id.clone(), &refusal))),
        };
        (at, most) = (next, PAGE);
        let Some(text) = text else { continue };
        if !is_there(&sink.send_text(room, text).await?) {
            return Ok(Done::Told);
        }
        if has_pages && at.item < items.len() {
            // Before the event: the client may answer at once.
            job.operation.begin_to_wait();
            let event = Event::OperationWaitingForContinue { operation_id: job.id.clone() };
            if !is_there(&sink.send(&event).await?) {
                return Ok(Done::Told);
            }
            job.operation.wait().await;
        }
    }
    Ok(Done::Say(Event::OperationStorageDone { operation_id: job.id.clone() }))
}

fn has_descendants(kind: Type) -> bool {
    matches!(kind, Type::DescendantsValues | Type::DescendantsHashes)
}

/// What reads a page.
struct Reader {
    context: Arc<Context>,
    block: Hash,
    items: Items,
    id: String,
    notifications: Notifications,
    /// Longest page, in bytes.
    most: usize,
}

/// Entries of a page, and the room that is left.
struct Found {
    entries: Vec<HeadStorageEntryView>,
    looked: usize,
    left: usize,
}

impl Found {
    /// Counts an entry that is looked at; whether it may be.
    fn look(&mut self) -> bool {
        self.looked += 1;
        self.looked <= ENTRIES
    }

    /// Adds an entry, if there is room.
    fn add(&mut self, kind: Type, key: &[u8], value: &[u8]) -> bool {
        let shows_value = matches!(kind, Type::Value | Type::DescendantsValues);
        let shown = if shows_value { key.len() + value.len() } else { key.len() };
        let Some(left) = self.left.checked_sub(2 * shown + AROUND) else { return false };
        self.left = left;
        self.entries.push(HeadStorageEntryView {
            key: to_hex(key),
            value: shows_value.then(|| to_hex(value)),
            hash: (!shows_value).then(|| Hash::from(sm3(value))),
        });
        true
    }
}

impl Reader {
    /// Reads the page from a place on.
    fn page(self, mut at: Place) -> Answer<Page> {
        let state = self.context.deps.chain.storage().state_at(&self.block).map_err(storage)?;
        let left = self.most.saturating_sub(AROUND);
        let mut found = Found { entries: Vec::new(), looked: 0, left };
        let mut is_full = false;
        'items: while let Some((key, kind)) = self.items.get(at.item) {
            if has_descendants(*kind) {
                let start = at.after.clone();
                let mut goes_on = true;
                let visit = |key: &[u8], value: Option<&[u8]>| {
                    goes_on = found.look();
                    if let Some(value) = value.filter(|_| goes_on) {
                        goes_on = found.add(*kind, key, value);
                        is_full = !goes_on;
                    }
                    if goes_on {
                        at.after = Some(key.to_vec());
                    }
                    goes_on
                };
                state.walk(key, start.as_deref(), visit).map_err(storage)?;
                if !goes_on {
                    break 'items;
                }
            } else if !found.look() {
                break 'items;
            } else if let Some(hash) = code_hash(key).filter(|_| *kind == Type::Hash) {
                found.entries.push(HeadStorageEntryView {
                    key: to_hex(key),
                    value: None,
                    hash: Some(hash),
                });
            } else if let Some(value) = state.get(key).map_err(storage)?
                && !found.add(*kind, key, &value)
            {
                is_full = true;
                break 'items;
            }
            at = Place { item: at.item + 1, after: None };
        }
        if found.entries.is_empty() {
            // An entry for which there is no room by itself.
            return match is_full {
                true => Err(error::answer_too_long(self.most)),
                false => Ok(Page { text: None, next: at }),
            };
        }
        let event = Event::OperationStorageItems { operation_id: self.id, items: found.entries };
        let text = self.notifications.text(&event, self.most)?;
        Ok(Page { text: Some(text), next: at })
    }
}
