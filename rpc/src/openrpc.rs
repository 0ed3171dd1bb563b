//! `rpc.discover`: the methods as an OpenRPC document.
//!
//! It is made of the rows of the methods, of which a test compares it with
//! `docs/rpc.md`. A new method needs one row in its family, and its answer's
//! type the derivation of `JsonSchema` in `rpc/types`.

use crate::{
    access::rule,
    method::{Bound, Failure, Handler, Method, Param},
};
use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Value, json};

/// Version of the OpenRPC specification.
const OPENRPC: &str = "1.3.2";

/// The document of these methods.
pub(crate) fn document(methods: impl Iterator<Item = &'static Method>) -> Value {
    // OpenRPC's schemas are of this draft.
    let mut generator = SchemaSettings::draft07()
        .with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        })
        .into_generator();
    let methods: Vec<_> = methods
        .flat_map(|one| one.names().map(move |name| (name, one)))
        .map(|(name, one)| method(name, one, &mut generator))
        .collect();
    let schemas = generator.take_definitions(true);
    let errors: serde_json::Map<_, _> = Failure::all()
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
        "paramStructure": "either",
        "params": params,
        "result": { "name": "result", "schema": (method.result)(generator) },
        "errors": errors,
        "x-bound": bound(&method.bound),
        "x-class": rule(method.name).map_or("unsafe", |rule| rule.class.name()),
    });
    if name != method.name {
        described["description"] = json!(format!("Another name of {}.", method.name));
    }
    if let Handler::Subscribe(subscription) = method.handler {
        described["x-notification"] = json!({
            "name": subscription.notification,
            "unsubscribe": subscription.unsubscribe,
            "schema": (subscription.content)(generator),
        });
    }
    described
}

/// What one request may cost: lengths in bytes of JSON, work in words.
fn bound(bound: &Bound) -> Value {
    json!({
        "params_bytes": bound.params,
        "answer_bytes": bound.answer,
        "work": { "most": bound.work.most, "of": bound.work.of },
        "lane": bound.lane.name(),
    })
}

fn param(param: &Param, generator: &mut SchemaGenerator) -> Value {
    json!({
        "name": param.name,
        "summary": param.summary,
        "required": param.is_required,
        "schema": (param.schema)(generator),
    })
}
