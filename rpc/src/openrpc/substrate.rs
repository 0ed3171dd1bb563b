//! Substrate's methods, which have Substrate's shapes.

use super::describe::{
    AT, AT_BLOCK, CALL, Method, NONE, Param, SUBMIT, list, maybe, method, of, optional, required,
};
use billchain_rpc_types::{CertificateView, schema};

const KEY: Param = required("key", "Raw key of the state", of::<schema::Bytes>);
const EXTRINSIC: Param = required("extrinsic", "The encoded transaction", of::<schema::Bytes>);
const BLOCK: Param =
    optional("hash", "Hash of the block; the head by default", maybe::<schema::Hash>);
const SUBSCRIPTION: Param = required("subscription", "Id of the subscription", of::<String>);

pub(super) const METHODS: &[Method] = &[
    method("system_name", "Name of the program", &[], of::<String>).fails(NONE),
    method("system_version", "Version of the program", &[], of::<String>).fails(NONE),
    method("system_chain", "Name of the chain", &[], of::<String>).fails(NONE),
    method("system_chainType", "Sort of chain", &[], of::<schema::Any>).fails(NONE),
    method("system_properties", "What wallets need to know", &[], of::<schema::Any>).fails(NONE),
    method("system_health", "Peers, and whether the node is behind", &[], of::<schema::Any>),
    method("system_nodeName", "Name of the node", &[], of::<String>).fails(NONE),
    method("system_localPeerId", "The node's identity among its peers", &[], of::<String>)
        .fails(NONE),
    method("system_peers", "Connected peers", &[], of::<schema::Any>).fails(NONE),
    method("system_nodeRoles", "Whether the node votes", &[], list::<String>).fails(NONE),
    method("system_syncState", "Numbers of first, newest and known block", &[], of::<schema::Any>)
        .fails(NONE),
    method(
        "system_accountNextIndex",
        "The account's next nonce, its transactions in the pool counted",
        &[required("account", "The account", of::<schema::Account>)],
        of::<u32>,
    )
    .also(&["account_nextIndex"]),
    method(
        "system_dryRun",
        "The encoded result of applying a transaction to a state",
        &[EXTRINSIC, AT],
        of::<schema::Bytes>,
    )
    .also(&["system_dryRunAt"])
    .fails(CALL),
    method("chain_getBlock", "A block", &[BLOCK], of::<schema::Any>),
    method("chain_getHeader", "The header of a block", &[BLOCK], of::<schema::Any>),
    method(
        "chain_getBlockHash",
        "Hash of a block, or of each of a list of blocks",
        &[optional(
            "number",
            "A number or a list of numbers; the head by default",
            of::<schema::Any>,
        )],
        of::<schema::Any>,
    )
    .also(&["chain_getHead"]),
    method(
        "chain_getFinalizedHead",
        "Hash of the newest block, which is final",
        &[],
        of::<schema::Hash>,
    )
    .also(&["chain_getFinalisedHead"]),
    method(
        "chain_getCertificate",
        "The proof that a block was decided (提交证书)",
        &[required("block", "Number or hash of the block", of::<schema::Any>)],
        maybe::<CertificateView>,
    ),
    method("chain_subscribeNewHeads", "Headers of new blocks", &[], of::<String>)
        .also(&["chain_subscribeNewHead", "subscribe_newHead"])
        .notifies("chain_newHead", of::<schema::Any>),
    method("chain_unsubscribeNewHeads", "Ends it", &[SUBSCRIPTION], of::<bool>)
        .also(&["chain_unsubscribeNewHead", "unsubscribe_newHead"]),
    method("chain_subscribeAllHeads", "Headers of new blocks", &[], of::<String>)
        .notifies("chain_allHead", of::<schema::Any>),
    method("chain_unsubscribeAllHeads", "Ends it", &[SUBSCRIPTION], of::<bool>),
    method(
        "chain_subscribeFinalizedHeads",
        "Headers of new blocks, which are final",
        &[],
        of::<String>,
    )
    .also(&["chain_subscribeFinalisedHeads"])
    .notifies("chain_finalizedHead", of::<schema::Any>),
    method("chain_unsubscribeFinalizedHeads", "Ends it", &[SUBSCRIPTION], of::<bool>)
        .also(&["chain_unsubscribeFinalisedHeads"]),
    method("state_getStorage", "A value of the state", &[KEY, AT], maybe::<schema::Bytes>)
        .also(&["state_getStorageAt"])
        .fails(AT_BLOCK),
    method(
        "state_getStorageHash",
        "SM3 of a value of the state",
        &[KEY, AT],
        maybe::<schema::Hash>,
    )
    .also(&["state_getStorageHashAt"])
    .fails(AT_BLOCK),
    method("state_getStorageSize", "Length of a value of the state", &[KEY, AT], maybe::<u64>)
        .also(&["state_getStorageSizeAt"])
        .fails(AT_BLOCK),
    method(
        "state_getKeysPaged",
        "Keys of the state, a page at a time",
        &[
            required("prefix", "What the keys begin with; null: nothing", maybe::<schema::Bytes>),
            required("count", "Most keys, 1,000 at most", of::<u32>),
            optional("startKey", "The last key of the page before", maybe::<schema::Bytes>),
            AT,
        ],
        list::<schema::Bytes>,
    )
    .also(&["state_getKeysPagedAt"])
    .fails(AT_BLOCK),
    method(
        "state_queryStorageAt",
        "Values of the state",
        &[required("keys", "At most 1,000 keys", list::<schema::Bytes>), AT],
        of::<schema::Any>,
    )
    .fails(AT_BLOCK),
    method("state_getMetadata", "The runtime's metadata, version 14", &[AT], of::<schema::Bytes>)
        .fails(AT_BLOCK),
    method("state_getRuntimeVersion", "The runtime's versions", &[AT], of::<schema::Any>)
        .also(&["chain_getRuntimeVersion"])
        .fails(AT_BLOCK),
    method(
        "state_call",
        "Calls a runtime API",
        &[
            required("method", "Its name", of::<String>),
            required("data", "Its encoded arguments", of::<schema::Bytes>),
            AT,
        ],
        of::<schema::Bytes>,
    )
    .also(&["state_callAt"])
    .fails(CALL),
    method("state_subscribeRuntimeVersion", "The runtime's versions", &[], of::<String>)
        .also(&["chain_subscribeRuntimeVersion"])
        .notifies("state_runtimeVersion", of::<schema::Any>),
    method("state_unsubscribeRuntimeVersion", "Ends it", &[SUBSCRIPTION], of::<bool>)
        .also(&["chain_unsubscribeRuntimeVersion"]),
    method(
        "state_subscribeStorage",
        "Changes of values of the state",
        &[required("keys", "At most 1,000 keys", list::<schema::Bytes>)],
        of::<String>,
    )
    .notifies("state_storage", of::<schema::Any>),
    method("state_unsubscribeStorage", "Ends it", &[SUBSCRIPTION], of::<bool>),
    method("author_submitExtrinsic", "Submits a transaction", &[EXTRINSIC], of::<schema::Hash>)
        .fails(SUBMIT),
    method(
        "author_pendingExtrinsics",
        "Transactions ready for a block",
        &[],
        list::<schema::Bytes>,
    )
    .fails(NONE),
    method(
        "author_submitAndWatchExtrinsic",
        "Submits a transaction and tells what becomes of it",
        &[EXTRINSIC],
        of::<String>,
    )
    .fails(SUBMIT)
    .notifies("author_extrinsicUpdate", of::<schema::Any>),
    method("author_unwatchExtrinsic", "Ends it", &[SUBSCRIPTION], of::<bool>),
];
