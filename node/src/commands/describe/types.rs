//! The types, calls and errors of the runtime's metadata as JSON: what a code generator needs,
//! and nothing of what only the runtime itself does.

use frame_metadata::v14::RuntimeMetadataV14;
use scale_info::{Field, PortableRegistry, TypeDef, TypeDefPrimitive, Variant, form::PortableForm};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The pallets with their calls and errors, and every type that these reach, by its number.
/// `texts` are the names of this project's types that are text.
pub(super) fn describe(
    metadata: &RuntimeMetadataV14,
    texts: &[&str],
) -> (Vec<Value>, BTreeMap<u32, Value>) {
    let mut reader = Reader {
        registry: &metadata.types,
        texts,
        call: call_type(metadata),
        found: BTreeMap::new(),
    };
    let pallets = metadata
        .pallets
        .iter()
        .map(|pallet| {
            let mut of = |id: Option<u32>| reader.variants_of(id);
            let calls = of(pallet.calls.as_ref().map(|calls| calls.ty.id));
            let errors = of(pallet.error.as_ref().map(|error| error.ty.id));
            json!({ "name": pallet.name, "index": pallet.index, "calls": calls, "errors": errors })
        })
        .collect();
    (pallets, reader.found)
}

/// The enum of all calls.
fn call_type(metadata: &RuntimeMetadataV14) -> Option<u32> {
    let extrinsic = metadata.types.resolve(metadata.extrinsic.ty.id)?;
    Some(extrinsic.type_params.iter().find(|one| one.name == "Call")?.ty?.id)
}

struct Reader<'a> {
    registry: &'a PortableRegistry,
    texts: &'a [&'a str],
    call: Option<u32>,
    found: BTreeMap<u32, Value>,
}

impl Reader<'_> {
    fn variants_of(&mut self, id: Option<u32>) -> Vec<Value> {
        let ty = id.and_then(|id| self.registry.resolve(id));
        match ty.map(|ty| &ty.type_def) {
            Some(TypeDef::Variant(definition)) => self.variants(&definition.variants),
            _ => Vec::new(),
        }
    }

    fn variants(&mut self, variants: &[Variant<PortableForm>]) -> Vec<Value> {
        variants
            .iter()
            .map(|variant| {
                let fields = self.fields(&variant.fields);
                let docs = words(&variant.docs);
                json!({ "name": variant.name, "index": variant.index, "fields": fields, "docs": docs })
            })
            .collect()
    }

    fn fields(&mut self, fields: &[Field<PortableForm>]) -> Vec<Value> {
        fields
            .iter()
            .map(|field| {
                self.type_of(field.ty.id);
                let mut shown = json!({ "name": field.name, "type": field.ty.id });
                if !field.docs.is_empty() {
                    shown["docs"] = json!(words(&field.docs));
                }
                shown
            })
            .collect()
    }

    /// Describes a type, and those that it is made of.
    fn type_of(&mut self, id: u32) {
        if self.found.contains_key(&id) {
            return;
        }
        let Some(ty) = self.registry.resolve(id) else { return };
        // Types may hold themselves, as calls do.
        self.found.insert(id, Value::Null);
        let path = ty.path.segments.join("::");
        let mut described = self.special(id).unwrap_or_else(|| self.definition(&ty.type_def));
        if !path.is_empty() {
            described["path"] = json!(path);
        }
        if !ty.docs.is_empty() {
            described["docs"] = json!(words(&ty.docs));
        }
        self.found.insert(id, described);
    }

    /// A type whose form says more than its definition: calls, accounts, texts and options.
    fn special(&mut self, id: u32) -> Option<Value> {
        if Some(id) == self.call {
            return Some(json!({ "kind": "call" }));
        }
        let ty = self.registry.resolve(id)?;
        match &ty.path.segments[..] {
            [.., name] if name == "AccountId32" => Some(json!({ "kind": "account" })),
            [name] if name == "Option" => {
                let inner = ty.type_params.first()?.ty?.id;
                self.type_of(inner);
                Some(json!({ "kind": "option", "type": inner }))
            }
            [first, .., name]
                if first == "billchain_primitives" && self.texts.contains(&name.as_str()) =>
            {
                Some(json!({ "kind": "text", "length": self.bytes_within(id)? }))
            }
            _ => None,
        }
    }

    /// The length of the only bytes that a type wraps, `None` if it varies; nothing if it wraps
    /// anything else.
    fn bytes_within(&self, id: u32) -> Option<Option<u32>> {
        let is_byte = |id| {
            let inner = self.registry.resolve(id).map(|ty| &ty.type_def);
            matches!(inner, Some(TypeDef::Primitive(TypeDefPrimitive::U8)))
        };
        match &self.registry.resolve(id)?.type_def {
            TypeDef::Composite(composite) => match &composite.fields[..] {
                [only] => self.bytes_within(only.ty.id),
                _ => None,
            },
            TypeDef::Sequence(sequence) if is_byte(sequence.type_param.id) => Some(None),
            TypeDef::Array(array) if is_byte(array.type_param.id) => Some(Some(array.len)),
            _ => None,
        }
    }

    fn definition(&mut self, definition: &TypeDef<PortableForm>) -> Value {
        match definition {
            TypeDef::Composite(composite) => {
                json!({ "kind": "composite", "fields": self.fields(&composite.fields) })
            }
            TypeDef::Variant(definition) => {
                json!({ "kind": "variant", "variants": self.variants(&definition.variants) })
            }
            TypeDef::Sequence(sequence) => self.list(sequence.type_param.id, None),
            TypeDef::Array(array) => self.list(array.type_param.id, Some(array.len)),
            TypeDef::Tuple(tuple) => {
                let ids: Vec<_> = tuple.fields.iter().map(|field| field.id).collect();
                ids.iter().for_each(|id| self.type_of(*id));
                json!({ "kind": "tuple", "types": ids })
            }
            TypeDef::Primitive(primitive) => {
                json!({ "kind": "primitive", "name": named(primitive) })
            }
            TypeDef::Compact(compact) => {
                self.type_of(compact.type_param.id);
                json!({ "kind": "compact", "type": compact.type_param.id })
            }
            TypeDef::BitSequence(_) => json!({ "kind": "bits" }),
        }
    }

    fn list(&mut self, of: u32, length: Option<u32>) -> Value {
        self.type_of(of);
        json!({ "kind": "list", "type": of, "length": length })
    }
}

/// The name of a primitive type.
fn named(primitive: &TypeDefPrimitive) -> String {
    format!("{primitive:?}").to_lowercase()
}

/// Documentation in one line.
fn words(docs: &[String]) -> String {
    let lines: Vec<_> = docs.iter().map(|line| line.trim()).collect();
    lines.join(" ").trim().to_owned()
}
