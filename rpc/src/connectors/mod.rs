//! `connector_*`, `outbox_*` and `subscription_*`: what systems outside are told, in plain
//! JSON, and what anybody can follow from a height on.

mod connector;
mod entries;
mod subscription;

use crate::method::{
    Bound, CODE, CURSOR, Handler, LIMIT, Method, NONE, NUMBER, OF_BLOCK, Param, Subscription,
    follow, list, maybe, method, of, optional, page, read, required,
};
use billchain_rpc_types::{
    ConnectorView, NoticeView, OutboxEntryView, OutboxProofView, SubscriptionPageView, schema,
};

const CONNECTOR: Param =
    required("connector", "Number of the connector (连接器)", of::<schema::ConnectorId>);
const SEQ: Param = required("seq", "Number of the entry, of the connector's", of::<u64>);
const FILTER: Param = required(
    "filter",
    "Categories and conditions, as docs/rpc.md has them (订阅条件)",
    of::<schema::SubscriptionFilter>,
);
const AFTER: Param = optional(
    "after",
    "`to` and `checksum` of the page before; null: from the first block on",
    maybe::<schema::SubscriptionPlace>,
);

/// What is read of blocks for one page.
const FOLLOWED: Bound = Bound::PAGE
    .of(10_000, "blocks, versions and events")
    .params_kib(64)
    .answer_kib(4 << 10)
    .heavy();

const FOLLOW: Subscription = Subscription {
    start: follow!(subscription::follow),
    notification: "subscription_page",
    content: of::<SubscriptionPageView>,
    unsubscribe: "subscription_unfollow",
};

pub(crate) const METHODS: &[Method] = &[
    method(
        "connector_status",
        "All connectors (连接器): terms, entries, lease, and the node's own worker",
        &[optional("connector", "This one alone", maybe::<schema::ConnectorId>)],
        list::<ConnectorView>,
        read!(connector::status),
    )
    .within(Bound::ONE.of(64 * 6, "entries").answer_kib(1 << 10)),
    method(
        "outbox_entry",
        "An entry of the outbox (发件箱), or what became of it (回执)",
        &[CONNECTOR, SEQ],
        maybe::<OutboxEntryView>,
        read!(entries::get),
    ),
    method(
        "outbox_pending",
        "Entries that were not acknowledged, by number, each with what it is about",
        &[CONNECTOR, optional("after", "Number of an entry: those after it", maybe::<u64>), LIMIT],
        list::<NoticeView>,
        read!(entries::pending),
    )
    .within(Bound::PAGE.of(404, "entries").heavy()),
    method(
        "outbox_ofBill",
        "Who was told of a bill's changes, and who has to be: by version and connector",
        &[CODE, NUMBER, CURSOR, LIMIT],
        page::<OutboxEntryView>,
        read!(entries::of_bill),
    )
    .within(Bound::PAGE.of(101 + 64 * pallet_outbox::MAX_LANE, "entries").answer_kib(4 << 10)),
    method(
        "outbox_ofGrant",
        "Who was told of a grant's changes, and who has to be",
        &[required("grant", "SM3 of the credential", of::<schema::Hash>), CURSOR, LIMIT],
        page::<OutboxEntryView>,
        read!(entries::of_grant),
    )
    .within(Bound::PAGE.of(101 + 64 * pallet_outbox::MAX_LANE, "entries").answer_kib(4 << 10)),
    method(
        "outbox_ofParticipant",
        "Who was told of a participant's changes, and who has to be",
        &[required("participant", "DID of the participant", of::<schema::Did>), CURSOR, LIMIT],
        page::<OutboxEntryView>,
        read!(entries::of_participant),
    )
    .within(Bound::PAGE.of(101 + 64 * pallet_outbox::MAX_LANE, "entries").answer_kib(4 << 10)),
    method(
        "outbox_history",
        "What became of a connector's entries, by their numbers",
        &[CONNECTOR, CURSOR, LIMIT],
        page::<OutboxEntryView>,
        read!(entries::history),
    )
    .within(Bound::PAGE.of(202, "entries")),
    method(
        "outbox_proof",
        "The proof that an entry was acknowledged, and what was answered",
        &[CONNECTOR, SEQ],
        maybe::<OutboxProofView>,
        read!(entries::proof),
    )
    .within(Bound::ONE.of(67, "entries")),
    method(
        "subscription_read",
        "What was decided of these categories after a block, with a chained checksum (数据订阅)",
        &[FILTER, AFTER],
        of::<SubscriptionPageView>,
        read!(subscription::read),
    )
    .fails(OF_BLOCK)
    .within(FOLLOWED),
    method(
        "subscription_follow",
        "The same, as blocks are decided, from a height on",
        &[FILTER, AFTER],
        of::<String>,
        Handler::Subscribe(FOLLOW),
    )
    .fails(OF_BLOCK)
    .within(FOLLOWED),
    method(
        "subscription_unfollow",
        "Ends a subscription; whether the connection had it",
        &[required("subscription", "Its id", of::<String>)],
        of::<bool>,
        Handler::Unsubscribe,
    )
    .fails(NONE)
    .within(Bound::MEMORY),
];
