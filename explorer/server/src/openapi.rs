//! The OpenAPI 3.1 document, made from the routes.

use crate::{
    Param, Refused,
    auth::Who,
    route::{Gives, Method, Route},
};
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

/// What a refusal of each status means.
const REFUSALS: [(u16, &str); 13] = [
    (400, "A parameter or the body is not what it must be"),
    (401, "Nobody is signed in, or what was given signs nobody in"),
    (403, "The role may not, or the token against forgery is missing"),
    (404, "There is no such thing, or none that the asker may see"),
    (409, "It contradicts what there is"),
    (413, "The body is too large"),
    (415, "The body is no application/json"),
    (423, "Too many failed attempts"),
    (429, "More requests than the rate allows"),
    (500, "The server failed"),
    (502, "No node answers, or what it said was refuted"),
    (503, "As much is under way as may be, or the index holds nothing yet"),
    (504, "The answer took too long"),
];

/// The document of these routes.
pub fn document(routes: &[Route]) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator = settings.for_serialize().into_generator();
    let refused = generator.subschema_for::<Refused>().to_value();
    let mut paths = Map::new();
    for route in routes {
        let answer = match route.gives {
            Gives::Json(_, schema) => schema(&mut generator).to_value(),
            _ => Value::Null,
        };
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method.name()] = operation(route, answer);
    }
    let mut schemas: Map<String, Value> = generator.take_definitions(true).into_iter().collect();
    schemas.entry("Refused").or_insert(refused);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "BillChain explorer (财票链浏览器)",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "What the chain holds, indexed from verified blocks. Money is in fen (分), moments are \
                milliseconds since 1970 UTC, days are yyyymmdd, hashes are 0x and 64 digits (SM3).",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/api/v1"}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": "billchain_session"},
                "csrf": {"type": "apiKey", "in": "header", "name": "x-csrf-token"},
            },
        },
    })
}

fn operation(route: &Route, answer: Value) -> Value {
    let mut responses = Map::new();
    let (status, said) = match route.gives {
        Gives::Json(status, _) => (
            status,
            json!({"description": "The answer", "content": {"application/json": {"schema": answer}}}),
        ),
        Gives::Bytes(kind) => (
            200,
            json!({"description": "The file", "content": {kind: {"schema": {"type": "string", "format": "binary"}}}}),
        ),
        Gives::Nothing => (204, json!({"description": "Done"})),
        Gives::Place => (303, json!({"description": "Another place"})),
    };
    responses.insert(status.to_string(), said);
    for (status, description) in REFUSALS {
        let schema = json!({"$ref": "#/components/schemas/Refused"});
        let refusal = json!({"description": description, "content": {"application/json": {"schema": schema}}});
        responses.insert(status.to_string(), refusal);
    }
    let in_path = route.places.iter().map(|param| parameter(param, "path"));
    let in_query = route.query.iter().map(|param| parameter(param, "query"));
    let mut operation = json!({
        "operationId": name(route),
        "summary": route.about,
        "description": format!("Who may: {}.", route.who.told()),
        "parameters": in_path.chain(in_query).collect::<Vec<_>>(),
        "responses": responses,
        "security": security(route),
    });
    if route.method != Method::Get && route.method != Method::Delete {
        operation["requestBody"] = json!({"required": true, "content": {"application/json": {"schema": body(route.body)}}});
    }
    operation
}

fn parameter(param: &Param, place: &str) -> Value {
    json!({
        "name": param.name,
        "in": place,
        "required": param.needed || place == "path",
        "description": param.about,
        "schema": param.schema(),
    })
}

fn body(fields: &[Param]) -> Value {
    let of = |field: &Param| {
        let mut schema = field.schema();
        schema["description"] = field.about.into();
        // Null is as if it were left out.
        let schema =
            if field.needed { schema } else { json!({"anyOf": [schema, {"type": "null"}]}) };
        (field.name.to_owned(), schema)
    };
    let properties: Map<String, Value> = fields.iter().map(of).collect();
    let required: Vec<_> =
        fields.iter().filter(|field| field.needed).map(|field| field.name).collect();
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

fn security(route: &Route) -> Value {
    match (route.who, route.method) {
        (Who::Public, Method::Get) => json!([]),
        (_, Method::Get) => json!([{"session": []}]),
        _ => json!([{"session": [], "csrf": []}]),
    }
}

/// A name by method and path: `get_bills_bill_certificate`.
fn name(route: &Route) -> String {
    let path: Vec<_> =
        route.path.split(['/', '{', '}', '.', '-']).filter(|part| !part.is_empty()).collect();
    format!("{}_{}", route.method.name(), path.join("_"))
}
