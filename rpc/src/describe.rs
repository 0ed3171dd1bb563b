//! What code generators need of the interface: the methods, and which types are text.

pub use crate::transaction::TEXTS;

use serde_json::Value;

/// The methods of a node as an OpenRPC document, as `rpc.discover` answers.
pub fn interface() -> Value {
    crate::openrpc::document(crate::methods::all())
}
