//! Subscriptions (数据订阅) that can be resumed, with chained checksums.

use crate::{BillVersionView, EventView, schema};
use billchain_primitives::{BillKind, BillStatus, Did, Fen, SceneId, outbox::Topic};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sp_core::H256;

/// Categories and conditions (订阅类别和条件) [213]. A version of a bill is told if its topic is
/// named and every condition that is given holds; an event if its contract is named.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SubscriptionFilter {
    /// What happened to bills, such as `bill_reimbursed`.
    pub topics: Vec<Topic>,
    /// Contracts whose events are told, by their names in the metadata, such as `Participant`.
    pub pallets: Vec<String>,
    /// Issuers; empty: all.
    pub issuers: Vec<Did>,
    /// Scenes: the bill's own; empty: all.
    pub scenes: Vec<SceneId>,
    /// Statuses after the change; empty: all.
    pub statuses: Vec<BillStatus>,
    /// Sorts of document; empty: all.
    pub kinds: Vec<BillKind>,
    /// Least total in fen; none: any.
    pub min_total_fen: Option<Fen>,
}

/// Where a subscription goes on: the `next` of a page. With the block alone it begins there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SubscriptionPlace {
    /// The next block.
    pub block: u32,
    /// How many things of it were looked at already.
    #[serde(default)]
    pub item: u32,
    /// The checksum over all that was told before; none: nothing was.
    #[serde(default)]
    #[schemars(with = "Option<schema::Hash>")]
    pub checksum: Option<H256>,
}

/// One thing that was decided.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SubscriptionItemView {
    /// Number of the block.
    pub block: u32,
    /// Index of the transaction in it; none: no transaction's.
    pub extrinsic: Option<u32>,
    /// Its place among all things of the block, whatever is subscribed to.
    pub item: u32,
    /// What happened, to a bill.
    #[schemars(with = "Option<schema::Topic>")]
    pub topic: Option<Topic>,
    /// The version that came of it.
    pub bill: Option<BillVersionView>,
    /// The event, of a contract that was named.
    pub event: Option<EventView>,
    /// The event, SCALE as `0x` hex.
    pub data: Option<String>,
    /// SM3: of a bill the version's hash, of an event that of `data`.
    #[schemars(with = "schema::Hash")]
    pub digest: H256,
    /// `SM3(checksum before ‖ le32 block ‖ le32 extrinsic, 2^32 − 1 for none ‖ le32 item ‖
    /// digest)`.
    #[schemars(with = "schema::Hash")]
    pub checksum: H256,
}

/// What was decided in blocks that follow one another: nothing between `from` and `next` is
/// missing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SubscriptionPageView {
    /// Where it begins, with the checksum before it.
    pub from: SubscriptionPlace,
    /// What was decided, in order.
    pub items: Vec<SubscriptionItemView>,
    /// Where the next page begins, with the checksum after this one.
    pub next: SubscriptionPlace,
    /// Number of the last block that is decided: a page is the last for now if `next` is above it.
    pub head: u32,
}
