//! `chainHead_v1_*`: the head of the chain, blocks that stay readable while they are
//! pinned, and reads of them, in the shapes of the JSON-RPC specification.
//!
//! Every block is final when it is announced: `newBlock`, `bestBlockChanged` and
//! `finalized` follow one another, and no block is ever pruned. A pinned block is readable
//! as long as the node keeps its state (`storage.state_window`): a subscription that pins an
//! older one is stopped, as one that pins too many is.
//!
//! What the specification tells of a stale or foreign subscription is told of every one
//! that is not the connection's own.

mod follow;
mod operation;
mod outcome;
mod requests;
mod storage;

pub(super) use requests::read_items;

use super::{ANY, FOLLOWED, HASH, TRANSACTION, stop, subscription};
use crate::method::{
    Bound, Failure, Handler, Method, OF_PINNED, Of, Param, Subscription, follow as follows, list,
    maybe, method, of, optional, required,
};
use billchain_rpc_types::{HeadEventView, HeadStorageItem, OperationView, schema};

const FOLLOW: Param = required("followSubscription", "Id of a `chainHead_v1_follow`", of::<String>);
const OPERATION: Param = required("operationId", "Id of the operation", of::<String>);
const STARTED: Of = of::<OperationView>;
/// What begins an operation, whose work comes later.
const BEGUN: Bound = Bound::MEMORY.of(1, "operation").answer_kib(1);

/// Errors of a call into the runtime on a pinned block.
const CALLED: &[Failure] =
    &[Failure::InvalidParams, Failure::Internal, Failure::NotPinned, Failure::WithoutRuntime];

pub(super) const METHODS: &[Method] = &[
    subscription(
        "chainHead_v1_follow",
        "New blocks, each pinned, and what operations give",
        &[required("withRuntime", "Whether to tell the runtime's versions", of::<bool>)],
        &Subscription {
            start: follows!(follow::follow),
            notification: "chainHead_v1_followEvent",
            content: of::<HeadEventView>,
            unsubscribe: "chainHead_v1_unfollow",
        },
    )
    .fails(&[Failure::InvalidParams, Failure::Internal, Failure::TooManyFollowed])
    .within(FOLLOWED.of(follow::NEWEST, "blocks")),
    Method { params: &[FOLLOW], ..stop("chainHead_v1_unfollow") },
    method(
        "chainHead_v1_header",
        "The encoded header of a pinned block; null if the subscription is gone",
        &[FOLLOW, HASH],
        maybe::<schema::Bytes>,
        Handler::Own(requests::header),
    )
    .fails(OF_PINNED)
    .within(Bound::ONE.of(1, "block").params_kib(1).answer_kib(16)),
    method(
        "chainHead_v1_body",
        "Has the transactions of a pinned block told",
        &[FOLLOW, HASH],
        STARTED,
        Handler::Own(requests::body),
    )
    .fails(OF_PINNED)
    .within(BEGUN),
    method(
        "chainHead_v1_call",
        "Has the answer of a runtime API on a pinned block told",
        &[
            FOLLOW,
            HASH,
            required("function", "Its name", of::<String>),
            required("callParameters", "Its encoded arguments", of::<schema::Bytes>),
        ],
        STARTED,
        Handler::Own(requests::call),
    )
    .fails(CALLED)
    .within(TRANSACTION.of(1, "operation").answer_kib(1)),
    method(
        "chainHead_v1_storage",
        "Has entries of the state after a pinned block told",
        &[
            FOLLOW,
            HASH,
            required("items", "Which, at most 1,000", list::<HeadStorageItem>),
            optional("childTrie", "Null: the state has no child tries", maybe::<schema::Bytes>),
        ],
        STARTED,
        Handler::Own(requests::storage),
    )
    .fails(OF_PINNED)
    .within(BEGUN.of(requests::MAX_ITEMS as u32, "items").params_kib(512)),
    method(
        "chainHead_v1_continue",
        "Has an operation that waits go on",
        &[FOLLOW, OPERATION],
        of::<()>,
        Handler::Own(requests::go_on),
    )
    .fails(&[Failure::InvalidParams, Failure::NotWaiting])
    .within(BEGUN),
    method(
        "chainHead_v1_stopOperation",
        "Stops an operation, if it is under way",
        &[FOLLOW, OPERATION],
        of::<()>,
        Handler::Own(requests::stop),
    )
    .fails(&[Failure::InvalidParams])
    .within(BEGUN),
    method(
        "chainHead_v1_unpin",
        "Unpins blocks, all or none",
        &[FOLLOW, required("hashOrHashes", "Hash of a block, or a list of at most 512", ANY)],
        of::<()>,
        Handler::Own(requests::unpin),
    )
    .fails(&[Failure::InvalidParams, Failure::NotPinned, Failure::NamedTwice])
    .within(BEGUN.of(requests::MAX_UNPINNED as u32, "blocks").params_kib(48)),
];
