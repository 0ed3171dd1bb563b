//! `subscription_*`: what was decided, by categories and conditions, from a height on.
//!
//! A page is of blocks that follow one another, and says where the next one begins. Its
//! checksum is chained over all items since the beginning, so that whoever reads on, from
//! this node or another, knows that nothing is missing.

use crate::{
    bill,
    context::Context,
    error::{Answer, block_not_kept, chain, invalid, storage},
    lanes::Lane,
    method::{Args, Ended, Pending, Sent, decode, to_hex},
    transaction::event_view,
};
use billchain_executor::BlockEvent;
use billchain_primitives::{BillKey, Hash, index, outbox::Topic, sm3};
use billchain_rpc_types::{
    BillVersionView, SubscriptionFilter, SubscriptionItemView, SubscriptionPageView,
    SubscriptionPlace,
};
use codec::Encode;
use frame_system::Phase;
use serde_json::Value;
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::broadcast::error::RecvError;

/// Most blocks that one page looks at.
const MAX_BLOCKS: u32 = 1_000;
/// Most things that one page looks at.
const MAX_LOOKS: u32 = 2_000;
/// Most items of a page.
const MAX_ITEMS: usize = 100;
/// Bytes of items, as they are shown, after which a page ends.
const FULL: usize = 512 << 10;
/// Longest page, in bytes: one item more than [`FULL`] fits.
const LONGEST: usize = 1 << 20;
/// Most values of one condition.
const MAX_VALUES: usize = 64;
/// A follower hears of so many blocks without items at most.
const SILENT_BLOCKS: u32 = 20;
/// Touched bills that are read at a time.
const AT_A_TIME: usize = 1_024;

/// What is asked for.
#[derive(Clone)]
struct Asked {
    filter: SubscriptionFilter,
    from: SubscriptionPlace,
}

impl Asked {
    fn read(args: &Args) -> Answer<Self> {
        let value = args.value(0);
        let filter: SubscriptionFilter =
            serde_json::from_value(value.clone()).map_err(|error| {
                invalid("filter", &format!("a filter ({error})"), &value.to_string())
            })?;
        if filter.topics.is_empty() && filter.pallets.is_empty() {
            return Err(invalid("filter", "topics or pallets", "neither"));
        }
        for (name, count) in [
            ("filter.topics", filter.topics.len()),
            ("filter.pallets", filter.pallets.len()),
            ("filter.issuers", filter.issuers.len()),
            ("filter.scenes", filter.scenes.len()),
            ("filter.statuses", filter.statuses.len()),
            ("filter.kinds", filter.kinds.len()),
        ] {
            if count > MAX_VALUES {
                let expected = format!("at most {MAX_VALUES} values");
                return Err(invalid(name, &expected, &count.to_string()));
            }
        }
        let from = match args.value(1) {
            Value::Null => SubscriptionPlace { block: 1, item: 0, checksum: None },
            value => serde_json::from_value(value.clone()).map_err(|error| {
                invalid("after", &format!("block, item and checksum ({error})"), &value.to_string())
            })?,
        };
        Ok(Self { filter, from: SubscriptionPlace { block: from.block.max(1), ..from } })
    }

    fn takes_bill(&self, version: &BillVersionView, topic: Topic) -> bool {
        let SubscriptionFilter { topics, issuers, scenes, statuses, kinds, min_total_fen, .. } =
            &self.filter;
        let bill = &version.bill;
        topics.contains(&topic)
            && (issuers.is_empty() || issuers.contains(&bill.issuer))
            && (scenes.is_empty() || scenes.contains(&bill.scene))
            && (statuses.is_empty() || statuses.contains(&bill.status))
            && (kinds.is_empty() || kinds.contains(&bill.kind))
            && min_total_fen.is_none_or(|least| bill.total_fen >= least)
    }
}

/// The checksum before anything was told.
fn beginning(context: &Context) -> Hash {
    let genesis = context.deps.chain.genesis_hash();
    sm3(&[b"billchain subscription", genesis.as_bytes()].concat()).into()
}

/// A page that is being made.
struct Making<'a> {
    context: &'a Context,
    asked: &'a Asked,
    page: SubscriptionPageView,
    checksum: Hash,
    looks: u32,
    bytes: usize,
}

/// Whether a page goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Room {
    Left,
    Full,
}

impl Making<'_> {
    fn is_full(&self) -> bool {
        self.looks >= MAX_LOOKS || self.page.items.len() >= MAX_ITEMS || self.bytes >= FULL
    }

    /// Looks at a block from the item of the place on.
    fn block(&mut self, number: u32, first: u32) -> Answer<Room> {
        let mut item = 0_u32;
        if !self.asked.filter.topics.is_empty() {
            let mut seen = BTreeMap::<BillKey, usize>::new();
            for (extrinsic, key) in touched(self.context, number)? {
                let nth = seen.entry(key).or_default();
                let (place, which) = (item, *nth);
                *nth += 1;
                item += 1;
                if place < first {
                    continue;
                }
                if self.is_full() {
                    return Ok(self.stop_at(number, place));
                }
                self.looks += 1;
                let versions = bill::changed_in(self.context, &key, number)?;
                if let Some(version) = versions.into_iter().nth(which) {
                    self.bill(number, extrinsic, place, version);
                }
            }
        } else {
            // Items have the same places whatever is subscribed to.
            item = u32::try_from(touched(self.context, number)?.len()).unwrap_or(u32::MAX);
        }
        if self.asked.filter.pallets.is_empty() {
            return Ok(Room::Left);
        }
        let events = self.context.deps.chain.block_events(number).map_err(chain)?;
        for record in events.unwrap_or_default() {
            let place = item;
            item += 1;
            if place < first {
                continue;
            }
            if self.is_full() {
                return Ok(self.stop_at(number, place));
            }
            self.looks += 1;
            self.event(number, place, &record);
        }
        Ok(Room::Left)
    }

    fn stop_at(&mut self, block: u32, item: u32) -> Room {
        self.page.next = SubscriptionPlace { block, item, checksum: None };
        Room::Full
    }

    fn bill(&mut self, block: u32, extrinsic: u32, item: u32, version: BillVersionView) {
        let topic = Topic::of_version(&version.cause, version.version == 1);
        if !self.asked.takes_bill(&version, topic) {
            return;
        }
        self.tell(SubscriptionItemView {
            block,
            extrinsic: Some(extrinsic),
            item,
            topic: Some(topic),
            digest: version.hash,
            bill: Some(version),
            event: None,
            data: None,
            checksum: Hash::zero(),
        });
    }

    fn event(&mut self, block: u32, item: u32, record: &BlockEvent) {
        let view = event_view(&record.event);
        if !self.asked.filter.pallets.contains(&view.pallet) {
            return;
        }
        let data = record.event.encode();
        self.tell(SubscriptionItemView {
            block,
            extrinsic: match record.phase {
                Phase::ApplyExtrinsic(index) => Some(index),
                Phase::Initialization | Phase::Finalization => None,
            },
            item,
            topic: None,
            bill: None,
            event: Some(view),
            digest: sm3(&data).into(),
            data: Some(to_hex(&data)),
            checksum: Hash::zero(),
        });
    }

    fn tell(&mut self, mut item: SubscriptionItemView) {
        let extrinsic = item.extrinsic.unwrap_or(u32::MAX);
        let said = (self.checksum, item.block, extrinsic, item.item, item.digest).encode();
        self.checksum = sm3(&said).into();
        item.checksum = self.checksum;
        // What is not shown as text is short.
        self.bytes += 2_048 + item.data.as_ref().map_or(0, |data| 3 * data.len());
        self.page.items.push(item);
    }
}

/// The bills that a block touched, in order, each with its transaction.
fn touched(context: &Context, number: u32) -> Answer<Vec<(u32, BillKey)>> {
    let prefix = index::block_prefix(number);
    let store = context.deps.chain.storage();
    let (mut all, mut last) = (Vec::new(), None::<Vec<u8>>);
    loop {
        let read = store.offchain_prefix(&prefix, last.as_deref(), AT_A_TIME).map_err(storage)?;
        let count = read.len();
        for (key, value) in read {
            let place = key.get(prefix.len()..prefix.len() + 4);
            let extrinsic = place.and_then(|bytes| bytes.try_into().ok()).map(u32::from_be_bytes);
            all.push((extrinsic.unwrap_or(u32::MAX), decode("bill key", &value)?));
            last = Some(key);
        }
        if count < AT_A_TIME {
            return Ok(all);
        }
    }
}

/// One page.
fn page(context: &Context, asked: &Asked) -> Answer<SubscriptionPageView> {
    let head = context.deps.chain.head().number;
    let first = asked.from.block;
    let checksum = asked.from.checksum.unwrap_or_else(|| beginning(context));
    let from = SubscriptionPlace { checksum: Some(checksum), ..asked.from };
    if first <= head && context.deps.chain.storage().block(first).map_err(storage)?.is_none() {
        return Err(block_not_kept(first, first_kept(context, first, head)?));
    }
    let page = SubscriptionPageView { from, items: Vec::new(), next: from, head };
    let mut making = Making { context, asked, page, checksum, looks: 0, bytes: 0 };
    let last = head.min(first.saturating_add(MAX_BLOCKS - 1));
    for number in first..=last {
        let item = if number == first { asked.from.item } else { 0 };
        making.page.next = SubscriptionPlace { block: number, item, checksum: None };
        if making.block(number, item)? == Room::Full {
            break;
        }
        let block = number.saturating_add(1);
        making.page.next = SubscriptionPlace { block, item: 0, checksum: None };
        if making.is_full() {
            break;
        }
    }
    let mut page = making.page;
    page.next.checksum = Some(making.checksum);
    Ok(page)
}

/// The first block after `from` that is kept: older ones are thrown away together.
fn first_kept(context: &Context, from: u32, head: u32) -> Answer<u32> {
    let (mut low, mut high) = (from, head);
    while low < high {
        let middle = low + (high - low) / 2;
        match context.deps.chain.storage().block(middle).map_err(storage)? {
            Some(_) => high = middle,
            None => low = middle + 1,
        }
    }
    Ok(low)
}

/// A page, for who asks again and again.
pub(super) fn read(context: &Context, args: &Args) -> Answer<SubscriptionPageView> {
    page(context, &Asked::read(args)?)
}

/// Pages, as blocks are decided.
pub(super) async fn follow(context: Arc<Context>, args: Args, pending: Pending) -> Ended {
    let asked = pending.read(args, Asked::read).await;
    let mut asked = match asked {
        Ok(asked) => asked,
        Err(refusal) => {
            pending.reject(refusal);
            return Ok(());
        }
    };
    // Subscribed before the first page is read: no block is missed in between.
    let mut news = context.deps.chain.subscribe();
    let Some(sink) = pending.accept().await else { return Ok(()) };
    let mut told = asked.from;
    loop {
        let (context, wanted, notifications) =
            (context.clone(), asked.clone(), sink.notifications());
        let work = move || {
            let page = page(&context, &wanted)?;
            let text = notifications.text(&page, LONGEST)?;
            Ok::<_, crate::error::Refusal>((page, text))
        };
        let Some((made, room)) = sink.work(Lane::Heavy, LONGEST, work).await? else {
            return Ok(());
        };
        let (page, text) = made.map_err(|refusal| refusal.message().to_owned())?;
        let is_behind = page.next.block <= page.head;
        let silent = page.next.block.saturating_sub(told.block);
        if !page.items.is_empty() || silent >= SILENT_BLOCKS {
            told = page.next;
            if let Sent::Gone = sink.send_text(room, text).await? {
                return Ok(());
            }
        } else {
            drop(room);
        }
        asked.from = page.next;
        if is_behind {
            continue;
        }
        let committed = tokio::select! {
            () = sink.closed() => return Ok(()),
            committed = news.recv() => committed,
        };
        match committed {
            // What was missed here is read from the blocks.
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return Err("the node is stopping".into()),
        }
    }
}
