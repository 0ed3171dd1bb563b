//! Error codes of the RPC, stable: a code never changes its kind.
//!
//! JSON-RPC's own codes apply where they fit. The codes of `author_*` are
//! Substrate's (1000–1099); their `data` holds the pool's finer code and its
//! words.

/// The text is not JSON.
pub const PARSE: i32 = -32700;
/// The JSON is no request: a member is missing, unknown or twice, or its id
/// cannot be given back.
pub const INVALID_REQUEST: i32 = -32600;
/// There is no such method.
pub const METHOD_NOT_FOUND: i32 = -32601;
/// A parameter is missing, malformed or out of range.
pub const INVALID_PARAMS: i32 = -32602;
/// The node failed; nothing is wrong with the request.
pub const INTERNAL: i32 = -32603;
/// The connection has as many subscriptions as it may have.
pub const TOO_MANY_SUBSCRIPTIONS: i32 = -32006;
/// The request is longer than the node takes.
pub const REQUEST_TOO_LONG: i32 = -32007;
/// The answer would be longer than the method's bound.
pub const ANSWER_TOO_LONG: i32 = -32008;
/// The node has no room for the request now: ask again.
pub const BUSY: i32 = -32009;
/// The batch has more requests than the node takes.
pub const BATCH_TOO_LONG: i32 = -32010;
/// The answers to the batch would be longer than the node gives.
pub const BATCH_ANSWER_TOO_LONG: i32 = -32011;
/// The connection follows the head of the chain as often as it may.
pub const TOO_MANY_FOLLOWED: i32 = -32800;
/// The block is not pinned by the subscription that is named.
pub const NOT_PINNED: i32 = -32801;
/// The subscription that is named was begun without the runtime.
pub const WITHOUT_RUNTIME: i32 = -32802;
/// The operation that is named does not wait for `chainHead_v1_continue`.
pub const NOT_WAITING: i32 = -32803;
/// A block is named twice.
pub const NAMED_TWICE: i32 = -32804;
/// The bytes are not a transaction.
pub const BAD_FORMAT: i32 = 1001;
/// The transaction is not valid.
pub const INVALID_TRANSACTION: i32 = 1010;
/// The transaction could not be checked or watched now.
pub const UNKNOWN_VALIDITY: i32 = 1011;
/// Another transaction with this nonce is in the pool.
pub const TOO_LOW_PRIORITY: i32 = 1014;
/// The pool has no room for the transaction now.
pub const IMMEDIATELY_DROPPED: i32 = 1016;
/// There is no block with this hash or number.
pub const UNKNOWN_BLOCK: i32 = 3001;
/// The state after this block is no longer kept: ask a newer block.
pub const STATE_NOT_KEPT: i32 = 4003;
/// The node joined lately, and still fetches the index of what earlier blocks left: ask
/// another node, or later.
pub const INDEX_INCOMPLETE: i32 = 4005;
/// A block, or the version of a bill, that a certificate needs is not here: ask another node,
/// or later.
pub const NO_CERTIFICATE: i32 = 4006;
/// A light client knows two decided blocks of one height, and believes nothing any more.
pub const FORK: i32 = 4007;
/// The node knows the block's number, but has not the block, or not the body any more.
pub const BLOCK_NOT_KEPT: i32 = 4008;
/// The runtime API does not exist or failed on its arguments.
pub const RUNTIME_CALL: i32 = 4004;

// Refusals of access: `billchain_access::code` has the same, which a test holds.

/// The method wants an identity, and the caller has shown none.
pub const NO_IDENTITY: i32 = 4100;
/// The token is none, or is longer than a token may be.
pub const TOKEN_MALFORMED: i32 = 4101;
/// The token's time is over.
pub const TOKEN_EXPIRED: i32 = 4102;
/// The token's time has not come.
pub const TOKEN_TOO_EARLY: i32 = 4103;
/// The token is for somebody else.
pub const TOKEN_AUDIENCE: i32 = 4104;
/// Nobody of this name issues tokens for this node.
pub const TOKEN_ISSUER: i32 = 4105;
/// The token's signature is not its issuer's.
pub const TOKEN_SIGNATURE: i32 = 4106;
/// The issuer's keys are not to be had now.
pub const TOKEN_KEYS_MISSING: i32 = 4107;
/// The API key is no one's.
pub const KEY_UNKNOWN: i32 = 4108;
/// The API key or signing key was revoked.
pub const KEY_REVOKED: i32 = 4109;
/// The time of the API key or signing key is over.
pub const KEY_EXPIRED: i32 = 4110;
/// The request's signature is not its signer's, or is malformed.
pub const SIGNATURE_INVALID: i32 = 4111;
/// The signed request is too old or from the future.
pub const SIGNATURE_TIME: i32 = 4112;
/// The signed request was used before.
pub const REPLAYED: i32 = 4113;
/// The certificate, or the token's subject, is bound to no participant.
pub const NOT_BOUND: i32 = 4114;
/// The participant is frozen, cancelled or not on the chain.
pub const PARTICIPANT_INACTIVE: i32 = 4115;
/// The listener, or the caller, may not call methods of this class.
pub const CLASS_REFUSED: i32 = 4120;
/// Pages of this origin may not call the node.
pub const ORIGIN_REFUSED: i32 = 4121;
/// The listener is no more: the configuration was changed.
pub const LISTENER_CLOSED: i32 = 4122;
/// The caller is no party to it, holds no grant for it and no scene allows it; or it does
/// not exist. Both are told in the same words.
pub const NOT_VISIBLE: i32 = 4130;
/// The caller asks more than its limit: `data.retry_after_ms` says when to come back.
pub const TOO_MANY: i32 = 4290;
/// Too many wrong codes were tried: `data.retry_after_ms` says when to come back.
pub const GUESSING: i32 = 4291;
/// The access log cannot be written now: nothing is answered that is not logged.
pub const LOG_UNAVAILABLE: i32 = 4292;
