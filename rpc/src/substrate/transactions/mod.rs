//! `transaction_v1_*`, `transactionWatch_v1_*` and `chainSpec_v1_*` of the JSON-RPC
//! specification.

mod broadcast;
mod watch;

use super::{ANY, SUBSCRIPTION, TRANSACTION, archive, in_memory, subscription, system};
use crate::method::{
    Bound, Failure, Handler, Method, NONE, Param, Subscription, follow, maybe, memory, method, of,
    required,
};
use billchain_rpc_types::{TransactionEventView, schema};

const ENCODED: Param = required("transaction", "The encoded transaction", of::<schema::Bytes>);

pub(super) const METHODS: &[Method] = &[
    in_memory(
        "chainSpec_v1_chainName",
        "Name of the chain",
        of::<String>,
        memory!(system::chain_name),
    ),
    in_memory(
        "chainSpec_v1_genesisHash",
        "Hash of the genesis",
        of::<schema::Hash>,
        memory!(archive::genesis_hash),
    ),
    in_memory(
        "chainSpec_v1_properties",
        "What wallets need to know",
        ANY,
        memory!(system::properties),
    ),
    method(
        "transaction_v1_broadcast",
        "Sends a transaction on until it is in a block; null if as many are sent on as may be",
        &[ENCODED],
        maybe::<String>,
        Handler::Own(broadcast::begin),
    )
    .fails(NONE)
    .within(TRANSACTION),
    method(
        "transaction_v1_stop",
        "Sends a transaction on no more",
        &[required("operationId", "Id of the operation", of::<String>)],
        of::<()>,
        Handler::Own(broadcast::stop),
    )
    .fails(NONE)
    .within(Bound::MEMORY.of(1, "operation").answer_kib(1)),
    subscription(
        "transactionWatch_v1_submitAndWatch",
        "Submits a transaction and tells what becomes of it",
        &[ENCODED],
        &Subscription {
            start: follow!(watch::watch),
            notification: "transactionWatch_v1_watchEvent",
            content: of::<TransactionEventView>,
            unsubscribe: "transactionWatch_v1_unwatch",
        },
    )
    .fails(&[Failure::InvalidParams])
    .within(TRANSACTION),
    method(
        "transactionWatch_v1_unwatch",
        "Ends a subscription; an error if the connection had it not",
        &[SUBSCRIPTION],
        of::<()>,
        Handler::End,
    )
    .fails(NONE)
    .within(Bound::MEMORY.of(1, "subscription").answer_kib(1)),
];
