//! `rpc.discover`: the methods as an OpenRPC document.
//!
//! The tables beside this file describe every method; a test compares them with
//! the methods that are registered, both ways, and with `docs/rpc.md`. A new
//! method needs one line in the table of its family, and its answer's type the
//! derivation of `JsonSchema` in `rpc/types`.

mod bill;
mod chain;
mod describe;
mod governance;
mod parties;
mod substrate;

use crate::server::Module;
use billchain_rpc_types::code;
use describe::{Failure, Method, Param};
use jsonrpsee::core::RegisterMethodError;
use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Value, json};
use std::sync::LazyLock;

/// Version of the OpenRPC specification.
const OPENRPC: &str = "1.3.2";

/// Every family's table.
const FAMILIES: &[&[Method]] =
    &[bill::METHODS, parties::METHODS, governance::METHODS, chain::METHODS, substrate::METHODS];

static DOCUMENT: LazyLock<Value> = LazyLock::new(document);

/// Registers the method.
pub(crate) fn register(module: &mut Module) -> Result<(), RegisterMethodError> {
    module.register_method("rpc.discover", |_, _, _| DOCUMENT.clone())?;
    Ok(())
}

fn document() -> Value {
    // OpenRPC's schemas are of this draft.
    let mut generator = SchemaSettings::draft07()
        .with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        })
        .into_generator();
    let methods: Vec<_> = FAMILIES
        .iter()
        .copied()
        .flatten()
        .flat_map(|one| one.names().map(move |name| (name, one)))
        .map(|(name, one)| method(name, one, &mut generator))
        .collect();
    let schemas = generator.take_definitions(true);
    let errors: serde_json::Map<_, _> = Failure::ALL
        .iter()
        .map(|failure| {
            let (name, code, message) = failure.description();
            (name.to_owned(), json!({ "code": code, "message": message }))
        })
        .collect();
    json!({
        "openrpc": OPENRPC,
        "info": {
            "title": "BillChain (财票链)",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "JSON-RPC of a node of the consortium chain for fiscal electronic \
                            bills (财政电子票据). Amounts are whole fen (分), times milliseconds \
                            since 1970 in UTC, hashes 0x hex.",
        },
        "methods": methods,
        "components": { "schemas": schemas, "errors": errors },
    })
}

fn method(name: &str, method: &Method, generator: &mut SchemaGenerator) -> Value {
    let params: Vec<_> = method.params.iter().map(|one| param(one, generator)).collect();
    let errors: Vec<_> = method
        .failures
        .iter()
        .map(
            |failure| json!({ "$ref": format!("#/components/errors/{}", failure.description().0) }),
        )
        .collect();
    let mut described = json!({
        "name": name,
        "summary": method.summary,
        "paramStructure": "by-position",
        "params": params,
        "result": { "name": "result", "schema": (method.result)(generator) },
        "errors": errors,
    });
    if name != method.name {
        described["description"] = json!(format!("Another name of {}.", method.name));
    }
    if let Some((notification, schema)) = method.notification {
        described["x-notification"] = json!({ "name": notification, "schema": schema(generator) });
    }
    described
}

fn param(param: &Param, generator: &mut SchemaGenerator) -> Value {
    json!({
        "name": param.name,
        "summary": param.summary,
        "required": param.is_required,
        "schema": (param.schema)(generator),
    })
}

impl Failure {
    /// Name, code and meaning.
    fn description(self) -> (&'static str, i32, &'static str) {
        match self {
            Self::InvalidParams => (
                "InvalidParams",
                code::INVALID_PARAMS,
                "A parameter is missing, malformed or out of range",
            ),
            Self::Internal => {
                ("Internal", code::INTERNAL, "The node failed; nothing is wrong with the request")
            }
            Self::UnknownBlock => {
                ("UnknownBlock", code::UNKNOWN_BLOCK, "There is no block with this hash or number")
            }
            Self::StateNotKept => (
                "StateNotKept",
                code::STATE_NOT_KEPT,
                "The state after this block is no longer kept: ask a newer block",
            ),
            Self::RuntimeCall => (
                "RuntimeCall",
                code::RUNTIME_CALL,
                "The runtime API does not exist or failed on its arguments",
            ),
            Self::InvalidTransaction => {
                ("InvalidTransaction", 1010, "The transaction is not valid; `data` says why")
            }
            Self::Malformed => ("Malformed", 1001, "These bytes are not a transaction"),
            Self::NotChecked => {
                ("NotChecked", 1011, "The transaction could not be checked or watched now")
            }
            Self::NonceTaken => {
                ("NonceTaken", 1014, "Another transaction with this nonce is in the pool")
            }
            Self::AlreadyKnown => ("AlreadyKnown", 1013, "The transaction is in the pool already"),
            Self::PoolRefuses => (
                "PoolRefuses",
                1016,
                "The pool has no room for the transaction now; `data` says why and whether it helps to wait",
            ),
        }
    }
}
