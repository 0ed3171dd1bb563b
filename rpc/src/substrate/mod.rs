//! Substrate's methods, which have Substrate's shapes: `system_*`, `chain_*`,
//! `state_*`, `author_*`, and those of the JSON-RPC specification: `archive_v1_*`,
//! `chainHead_v1_*`, `chainSpec_v1_*`, `transaction_v1_*` and `transactionWatch_v1_*`.

mod archive;
mod author;
mod chain;
mod head;
mod heads;
mod proofs;
mod state;
mod system;
mod transactions;

pub(crate) use archive::read_items;
pub(crate) use author::submit;
pub(crate) use chain::{extrinsic, hash_of, keep_headers};

use crate::method::{
    AT, AT_BLOCK, BY_HASH, Bound, CALL, CERTIFY, Handler, Method, NONE, OF_BLOCK, Of, Param,
    SUBMIT, Subscription, follow, list, maybe, memory, method, of, optional, read, required, wait,
};
use billchain_rpc_types::{
    ArchiveCallView, ArchiveDifferenceEventView, ArchiveDifferenceItem, ArchiveStorageEventView,
    ArchiveStorageItem, CertificateView, DecidedHeaderView, ReadProofView, schema,
};
use billchain_runtime::limits::MAX_TRANSACTION_BYTES;

const KEY: Param = required("key", "Raw key of the state", of::<schema::Bytes>);
const EXTRINSIC: Param = required("extrinsic", "The encoded transaction", of::<schema::Bytes>);
const BLOCK: Param =
    optional("hash", "Hash of the block; the head by default", maybe::<schema::Hash>);
const HASH: Param = required("hash", "Hash of the block", of::<schema::Hash>);
const SUBSCRIPTION: Param = required("subscription", "Id of the subscription", of::<String>);
const ANY: Of = of::<schema::Any>;

/// A transaction in hex, and a little more.
const TRANSACTION: Bound =
    Bound::ONE.params_kib(2 * MAX_TRANSACTION_BYTES / 1024 + 4).of(1, "transaction").answer_kib(4);
/// A subscription that gives nothing but its id at first.
const FOLLOWED: Bound = Bound::MEMORY.of(1, "subscription").answer_kib(1);

pub(crate) const METHODS: &[&[Method]] =
    &[SYSTEM, CHAIN, STATE, AUTHOR, ARCHIVE, head::METHODS, transactions::METHODS];

const SYSTEM: &[Method] = &[
    in_memory("system_name", "Name of the program", of::<String>, memory!(system::name)),
    in_memory("system_version", "Version of the program", of::<String>, memory!(system::version)),
    in_memory("system_chain", "Name of the chain", of::<String>, memory!(system::chain_name)),
    in_memory("system_chainType", "Sort of chain", ANY, memory!(system::chain_type)),
    in_memory("system_properties", "What wallets need to know", ANY, memory!(system::properties)),
    method(
        "system_health",
        "Peers, and whether the node is behind",
        &[],
        ANY,
        read!(system::health),
    ),
    in_memory("system_nodeName", "Name of the node", of::<String>, memory!(system::node_name)),
    in_memory(
        "system_localPeerId",
        "The node's identity among its peers",
        of::<String>,
        memory!(system::local_peer_id),
    ),
    method("system_peers", "Connected peers", &[], ANY, read!(system::peers)),
    in_memory(
        "system_nodeRoles",
        "Whether the node votes",
        list::<String>,
        memory!(system::node_roles),
    ),
    in_memory(
        "system_syncState",
        "Numbers of first, newest and known block",
        ANY,
        memory!(system::sync_state),
    ),
    method(
        "system_accountNextIndex",
        "The account's next nonce, its transactions in the pool counted",
        &[required("account", "The account", of::<schema::Account>)],
        of::<u32>,
        read!(system::next_index),
    )
    .also(&["account_nextIndex"]),
    method(
        "system_dryRun",
        "The encoded result of applying a transaction to a state",
        &[EXTRINSIC, AT],
        of::<schema::Bytes>,
        read!(system::dry_run),
    )
    .also(&["system_dryRunAt"])
    .fails(CALL)
    .within(TRANSACTION.heavy()),
];

const CHAIN: &[Method] = &[
    method("chain_getBlock", "A block", &[BLOCK], ANY, read!(chain::get_block))
        .within(Bound::ONE.of(1, "block").answer_kib(16 << 10)),
    method("chain_getHeader", "The header of a block", &[BLOCK], ANY, read!(chain::get_header))
        .within(Bound::ONE.of(1, "block")),
    method(
        "chain_getBlockHash",
        "Hash of a block, or of each of a list of blocks",
        &[optional("number", "A number or a list of numbers; the head by default", ANY)],
        ANY,
        read!(chain::get_block_hash),
    )
    .also(&["chain_getHead"])
    .within(Bound::ONE.of(chain::MAX_NUMBERS as u32, "blocks").params_kib(16)),
    method(
        "chain_getFinalizedHead",
        "Hash of the newest block, which is final",
        &[],
        of::<schema::Hash>,
        memory!(chain::head_hash),
    )
    .also(&["chain_getFinalisedHead"])
    .fails(NONE)
    .within(Bound::MEMORY),
    method(
        "chain_getCertificate",
        "The proof that a block was decided (提交证书)",
        &[required("block", "Number or hash of the block", ANY)],
        maybe::<CertificateView>,
        read!(chain::get_certificate),
    ),
    method(
        "chain_decidedHeader",
        "The header of a block and who decided it, as certificates have it (区块头与提交证书)",
        &[optional("block", "Number or hash of the block; the head by default", ANY)],
        maybe::<DecidedHeaderView>,
        read!(proofs::decided_header),
    )
    .fails(CERTIFY)
    .within(Bound::ONE.of(1, "block")),
    subscription(
        "chain_subscribeNewHeads",
        "Headers of new blocks",
        &[],
        &heads("chain_newHead", "chain_unsubscribeNewHeads"),
    )
    .also(&["chain_subscribeNewHead", "subscribe_newHead"]),
    unsubscription("chain_unsubscribeNewHeads")
        .also(&["chain_unsubscribeNewHead", "unsubscribe_newHead"]),
    subscription(
        "chain_subscribeAllHeads",
        "Headers of new blocks",
        &[],
        &heads("chain_allHead", "chain_unsubscribeAllHeads"),
    ),
    unsubscription("chain_unsubscribeAllHeads"),
    subscription(
        "chain_subscribeFinalizedHeads",
        "Headers of new blocks, which are final",
        &[],
        &heads("chain_finalizedHead", "chain_unsubscribeFinalizedHeads"),
    )
    .also(&["chain_subscribeFinalisedHeads"]),
    unsubscription("chain_unsubscribeFinalizedHeads").also(&["chain_unsubscribeFinalisedHeads"]),
];

const STATE: &[Method] = &[
    method(
        "state_getStorage",
        "A value of the state",
        &[KEY, AT],
        maybe::<schema::Bytes>,
        read!(state::get_storage),
    )
    .also(&["state_getStorageAt"])
    .fails(AT_BLOCK)
    .within(Bound::ONE.answer_kib(16 << 10)),
    method(
        "state_getStorageHash",
        "SM3 of a value of the state",
        &[KEY, AT],
        maybe::<schema::Hash>,
        read!(state::get_storage_hash),
    )
    .also(&["state_getStorageHashAt"])
    .fails(AT_BLOCK),
    method(
        "state_getStorageSize",
        "Length of a value of the state",
        &[KEY, AT],
        maybe::<u64>,
        read!(state::get_storage_size),
    )
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
        read!(state::keys_paged),
    )
    .also(&["state_getKeysPagedAt"])
    .fails(AT_BLOCK)
    .within(Bound::ONE.of(state::MAX_PAGE, "keys").answer_kib(2 << 10).heavy()),
    method(
        "state_queryStorageAt",
        "Values of the state",
        &[required("keys", "At most 1,000 keys, each once", list::<schema::Bytes>), AT],
        ANY,
        read!(state::query),
    )
    .fails(AT_BLOCK)
    .within(WATCHED.heavy()),
    method(
        "state_getReadProof",
        "Proofs of what the head's state holds of keys (状态证明)",
        &[
            required("keys", "At most 64 keys, each once", list::<schema::Bytes>),
            optional("at", "Hash of the head, which has proofs alone", maybe::<schema::Hash>),
        ],
        of::<ReadProofView>,
        read!(proofs::read_proof),
    )
    .fails(AT_BLOCK)
    .within(
        Bound::ONE
            .of(
                proofs::MAX_PROVED as u32 * proofs::MAX_BESIDE,
                "entries of the keys' groups, hot or cold",
            )
            .params_kib(32)
            .answer_kib(16 << 10)
            .heavy(),
    ),
    method(
        "state_getMetadata",
        "The runtime's metadata, version 14",
        &[AT],
        of::<schema::Bytes>,
        read!(state::get_metadata),
    )
    .fails(AT_BLOCK)
    .within(Bound::MEMORY.params_kib(1).answer_kib(4 << 10).heavy()),
    method(
        "state_getRuntimeVersion",
        "The runtime's versions",
        &[AT],
        ANY,
        read!(state::get_runtime_version),
    )
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
        read!(state::call_api),
    )
    .also(&["state_callAt"])
    .fails(CALL)
    .within(TRANSACTION.of(1, "runtime call").answer_kib(16 << 10).heavy()),
    subscription(
        "state_subscribeRuntimeVersion",
        "The runtime's versions",
        &[],
        &Subscription {
            start: follow!(state::follow_version),
            notification: "state_runtimeVersion",
            content: ANY,
            unsubscribe: "state_unsubscribeRuntimeVersion",
        },
    )
    .also(&["chain_subscribeRuntimeVersion"]),
    unsubscription("state_unsubscribeRuntimeVersion").also(&["chain_unsubscribeRuntimeVersion"]),
    subscription(
        "state_subscribeStorage",
        "Changes of values of the state",
        &[required("keys", "At most 1,000 keys, each once", list::<schema::Bytes>)],
        &Subscription {
            start: follow!(state::follow_values),
            notification: "state_storage",
            content: ANY,
            unsubscribe: "state_unsubscribeStorage",
        },
    )
    .fails(AT_BLOCK)
    .within(WATCHED.answer_kib(1)),
    unsubscription("state_unsubscribeStorage"),
];

const AUTHOR: &[Method] = &[
    method(
        "author_submitExtrinsic",
        "Submits a transaction",
        &[EXTRINSIC],
        of::<schema::Hash>,
        wait!(author::extrinsic, submit),
    )
    .fails(SUBMIT)
    .within(TRANSACTION),
    method(
        "author_pendingExtrinsics",
        "Transactions ready for a block",
        &[],
        list::<schema::Bytes>,
        read!(author::pending),
    )
    .within(Bound::MEMORY.of(1, "answer").answer_kib(8 << 10).heavy()),
    subscription(
        "author_submitAndWatchExtrinsic",
        "Submits a transaction and tells what becomes of it",
        &[EXTRINSIC],
        &Subscription {
            start: follow!(author::watch),
            notification: "author_extrinsicUpdate",
            content: ANY,
            unsubscribe: "author_unwatchExtrinsic",
        },
    )
    .fails(SUBMIT)
    .within(TRANSACTION),
    unsubscription("author_unwatchExtrinsic"),
];

const ARCHIVE: &[Method] = &[
    in_memory(
        "archive_v1_genesisHash",
        "Hash of the genesis",
        of::<schema::Hash>,
        memory!(archive::genesis_hash),
    ),
    in_memory(
        "archive_v1_finalizedHeight",
        "Number of the newest block, which is final",
        of::<u32>,
        memory!(archive::height),
    ),
    method(
        "archive_v1_hashByHeight",
        "Hash of the block of a number, as a list; an empty one beyond the newest block",
        &[required("height", "Number of the block", of::<u32>)],
        list::<schema::Hash>,
        read!(archive::hash_by_height),
    )
    .fails(OF_BLOCK),
    method(
        "archive_v1_header",
        "The encoded header of a block",
        &[HASH],
        maybe::<schema::Bytes>,
        read!(archive::header),
    )
    .fails(BY_HASH)
    .within(Bound::ONE.of(1, "block")),
    method(
        "archive_v1_body",
        "The encoded transactions of a block",
        &[HASH],
        maybe::<Vec<schema::Bytes>>,
        read!(archive::body),
    )
    .fails(OF_BLOCK)
    .within(Bound::ONE.of(1, "block").answer_kib(16 << 10)),
    method(
        "archive_v1_call",
        "Calls a runtime API on the state after a block",
        &[
            HASH,
            required("function", "Its name", of::<String>),
            required("callParameters", "Its encoded arguments", of::<schema::Bytes>),
        ],
        maybe::<ArchiveCallView>,
        read!(archive::call_api),
    )
    .fails(BY_HASH)
    .within(TRANSACTION.of(1, "runtime call").answer_kib(16 << 10).heavy()),
    subscription(
        "archive_v1_storage",
        "Entries of the state after a block",
        &[
            HASH,
            required("items", "Which, at most 1,000", list::<ArchiveStorageItem>),
            optional("childTrie", "Null: the state has no child tries", maybe::<schema::Bytes>),
        ],
        &Subscription {
            start: follow!(archive::follow_entries),
            notification: "archive_v1_storageEvent",
            content: of::<ArchiveStorageEventView>,
            unsubscribe: "archive_v1_stopStorage",
        },
    )
    .fails(BY_HASH)
    .within(ENTRIES),
    stop("archive_v1_stopStorage"),
    subscription(
        "archive_v1_storageDiff",
        "What at most 256 blocks changed of the state",
        &[
            HASH,
            optional(
                "items",
                "Of which entries, at most 1,000; null: the values of all",
                maybe::<Vec<ArchiveDifferenceItem>>,
            ),
            optional(
                "previousHash",
                "Hash of the block to compare with; null: the one before",
                maybe::<schema::Hash>,
            ),
        ],
        &Subscription {
            start: follow!(archive::follow_differences),
            notification: "archive_v1_storageDiffEvent",
            content: of::<ArchiveDifferenceEventView>,
            unsubscribe: "archive_v1_stopStorageDiff",
        },
    )
    .fails(BY_HASH)
    .within(ENTRIES),
    stop("archive_v1_stopStorageDiff"),
];

/// Entries of the state, told one by one.
const ENTRIES: Bound =
    Bound::ONE.of(archive::MAX_ENTRIES, "entries").params_kib(512).answer_kib(1).heavy();

/// Keys of the state, and their values.
const WATCHED: Bound =
    Bound::ONE.of(state::MAX_KEYS as u32, "keys").params_kib(512).answer_kib(16 << 10);

/// A method without parameters that reads memory only.
const fn in_memory(
    name: &'static str,
    summary: &'static str,
    result: Of,
    handler: Handler,
) -> Method {
    method(name, summary, &[], result, handler).fails(NONE).within(Bound::MEMORY)
}

const fn heads(notification: &'static str, unsubscribe: &'static str) -> Subscription {
    Subscription { start: follow!(heads::follow), notification, content: ANY, unsubscribe }
}

/// A method that answers with the id of a subscription.
const fn subscription(
    name: &'static str,
    summary: &'static str,
    params: &'static [Param],
    subscription: &Subscription,
) -> Method {
    method(name, summary, params, of::<String>, Handler::Subscribe(*subscription)).within(FOLLOWED)
}

const fn unsubscription(name: &'static str) -> Method {
    method(
        name,
        "Ends a subscription; whether the connection had it",
        &[SUBSCRIPTION],
        of::<bool>,
        Handler::Unsubscribe,
    )
    .fails(NONE)
    .within(FOLLOWED)
}

/// As [`unsubscription`], in the form of the JSON-RPC specification.
const fn stop(name: &'static str) -> Method {
    method(
        name,
        "Ends a subscription, if the connection had it",
        &[SUBSCRIPTION],
        of::<()>,
        Handler::Stop,
    )
    .fails(NONE)
    .within(FOLLOWED)
}
