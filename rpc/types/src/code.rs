//! Error codes of the RPC, stable: a code never changes its kind.
//!
//! JSON-RPC's own codes apply where they fit: −32602 for parameters, −32603
//! for a failure inside the node. The codes of `author_*` are Substrate's
//! (1000–1099); their `data` holds the pool's finer code and its words.

/// A parameter is missing, malformed or out of range.
pub const INVALID_PARAMS: i32 = -32602;
/// The node failed; nothing is wrong with the request.
pub const INTERNAL: i32 = -32603;
/// There is no block with this hash or number.
pub const UNKNOWN_BLOCK: i32 = 3001;
/// The state after this block is no longer kept: ask a newer block.
pub const STATE_NOT_KEPT: i32 = 4003;
/// The runtime API does not exist or failed on its arguments.
pub const RUNTIME_CALL: i32 = 4004;
