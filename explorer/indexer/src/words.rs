//! Calls, events and errors in words: SCALE as JSON, by the runtime's own types.
//!
//! Names come from the types, so nothing here lists what the chain has. Work is bounded: by the
//! bytes that are read, by [`MAX_DEPTH`], and by [`MAX_ITEMS`] of a list that are shown.

use billchain_runtime::{RuntimeCall, RuntimeError, RuntimeEvent};
use codec::{Compact, Decode};
use scale_info::{
    Field, PortableRegistry, Type, TypeDef, TypeDefPrimitive, form::PortableForm, meta_type,
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};
use sp_runtime::DispatchError;
use std::sync::LazyLock;

/// Items of a list that are shown; how many there are is said beside them.
pub const MAX_ITEMS: usize = 20;
/// Deepest nesting.
const MAX_DEPTH: u8 = 48;

/// Something that was decoded.
#[derive(Clone, Debug, PartialEq)]
pub struct Words {
    /// The contract.
    pub pallet: String,
    /// Name of the call or event.
    pub name: String,
    /// Its arguments or fields by their names.
    pub fields: Value,
    /// Whom and what they name, as `subjects` has it, each once.
    pub subjects: Vec<String>,
}

/// Why something failed, in the chain's words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Failure {
    /// The contract, or `System`.
    pub pallet: String,
    /// Name of the error; one within another behind a point.
    pub name: String,
    /// What it means.
    pub docs: String,
    /// What it names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<String>,
}

struct Types {
    registry: PortableRegistry,
    call: u32,
    event: u32,
    error: u32,
}

static TYPES: LazyLock<Types> = LazyLock::new(|| {
    let mut registry = scale_info::Registry::new();
    let call = registry.register_type(&meta_type::<RuntimeCall>()).id;
    let event = registry.register_type(&meta_type::<RuntimeEvent>()).id;
    let error = registry.register_type(&meta_type::<RuntimeError>()).id;
    Types { registry: registry.into(), call, event, error }
});

/// An encoded call in words.
pub fn call(encoded: &[u8]) -> Option<Words> {
    words(encoded, TYPES.call)
}

/// An encoded event in words.
pub fn event(encoded: &[u8]) -> Option<Words> {
    words(encoded, TYPES.event)
}

/// A dispatch error in words.
pub fn failure(error: &DispatchError) -> Failure {
    let DispatchError::Module(module) = error else {
        let text = format!("{error:?}");
        let (name, details) = match text.split_once('(') {
            Some((name, rest)) => (name.to_owned(), Some(rest.trim_end_matches(')').to_owned())),
            None => (text, None),
        };
        let docs = "An error of the system".to_owned();
        return Failure { pallet: "System".into(), name, docs, details };
    };
    let mut encoded = vec![module.index];
    encoded.extend(module.error);
    module_failure(&encoded).unwrap_or_else(|| Failure {
        pallet: module.index.to_string(),
        name: hex::encode(module.error),
        docs: String::new(),
        details: None,
    })
}

fn words(encoded: &[u8], id: u32) -> Option<Words> {
    let mut reader = Reader { bytes: encoded, subjects: Vec::new(), pallet: String::new() };
    let (pallet, inner) = reader.variant_head(id)?;
    reader.pallet.clone_from(&pallet);
    let (variant, fields) = reader.inner_variant(inner)?;
    let fields = reader.fields(&fields, MAX_DEPTH, Shown::Yes)?;
    let Reader { bytes, mut subjects, .. } = reader;
    subjects.sort();
    subjects.dedup();
    bytes.is_empty().then_some(Words { pallet, name: variant, fields, subjects })
}

fn module_failure(encoded: &[u8]) -> Option<Failure> {
    let mut reader = Reader { bytes: encoded, subjects: Vec::new(), pallet: String::new() };
    let (pallet, mut id) = reader.variant_head(TYPES.error)?;
    let (mut names, mut docs, mut details) = (Vec::new(), String::new(), None);
    // An error carries another one at most twice: what is left of the bytes ends it.
    for _ in 0..4 {
        let TypeDef::Variant(definition) = &TYPES.registry.resolve(id)?.type_def else { break };
        let index = reader.byte()?;
        let variant = definition.variants.iter().find(|variant| variant.index == index)?;
        let docs_here = variant.docs.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
        // FRAME gives each error of a pallet its own; those within may have none.
        if !docs_here.trim().is_empty() || docs.is_empty() {
            docs_here.trim().clone_into(&mut docs);
        }
        names.push(variant.name.clone());
        match &variant.fields[..] {
            [only] if is_enum(only.ty.id) => id = only.ty.id,
            [] => break,
            fields => {
                let shown = reader.fields(fields, 8, Shown::Yes)?;
                details = Some(plain(&shown));
                break;
            }
        }
    }
    Some(Failure { pallet, name: names.join("."), docs, details })
}

fn is_enum(id: u32) -> bool {
    let ty = TYPES.registry.resolve(id);
    ty.is_some_and(|ty| matches!(ty.type_def, TypeDef::Variant(_)))
}

/// JSON as text for people.
pub fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(map) => {
            let shown: Vec<String> =
                map.iter().map(|(name, value)| format!("{name}: {}", plain(value))).collect();
            shown.join(", ")
        }
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// Whether a value is shown, or only read over.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    Yes,
    No,
}

/// The rest of the bytes.
struct Reader<'a> {
    bytes: &'a [u8],
    subjects: Vec<String>,
    pallet: String,
}

impl Reader<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*first)
    }

    fn take(&mut self, length: usize) -> Option<&[u8]> {
        let (taken, rest) = self.bytes.split_at_checked(length)?;
        self.bytes = rest;
        Some(taken)
    }

    fn decode<T: Decode>(&mut self) -> Option<T> {
        T::decode(&mut self.bytes).ok()
    }

    /// Name of the variant of an outer enum, and the type of the only thing in it.
    fn variant_head(&mut self, id: u32) -> Option<(String, u32)> {
        let TypeDef::Variant(definition) = &TYPES.registry.resolve(id)?.type_def else {
            return None;
        };
        let index = self.byte()?;
        let variant = definition.variants.iter().find(|variant| variant.index == index)?;
        Some((variant.name.clone(), variant.fields.first()?.ty.id))
    }

    fn inner_variant(&mut self, id: u32) -> Option<(String, Vec<Field<PortableForm>>)> {
        let TypeDef::Variant(definition) = &TYPES.registry.resolve(id)?.type_def else {
            return None;
        };
        let index = self.byte()?;
        let variant = definition.variants.iter().find(|variant| variant.index == index)?;
        Some((variant.name.clone(), variant.fields.clone()))
    }

    fn fields(&mut self, fields: &[Field<PortableForm>], depth: u8, shown: Shown) -> Option<Value> {
        let named = fields.iter().all(|field| field.name.is_some());
        let mut map = Map::new();
        let mut list = Vec::new();
        for field in fields {
            let value = self.value(field.ty.id, depth, shown)?;
            if shown == Shown::No {
                continue;
            }
            match &field.name {
                Some(name) if named => {
                    self.name_subject(name, &value);
                    map.insert(name.clone(), value);
                }
                _ => list.push(value),
            }
        }
        Some(match (named, list.len()) {
            (true, _) => Value::Object(map),
            (false, 1) => list.remove(0),
            _ => Value::Array(list),
        })
    }

    /// Numbers that name something by the field they stand in.
    fn name_subject(&mut self, name: &str, value: &Value) {
        let subject = match (self.pallet.as_str(), name, value) {
            ("Dispute", "case", Value::Number(number)) => format!("case:{number}"),
            ("Council", "proposal_hash" | "proposal", Value::String(hash)) => {
                format!("motion:{hash}")
            }
            _ => return,
        };
        self.subjects.push(subject);
    }

    fn value(&mut self, id: u32, depth: u8, shown: Shown) -> Option<Value> {
        let depth = depth.checked_sub(1)?;
        let ty = TYPES.registry.resolve(id)?;
        if let Some(value) = self.known(ty, shown)? {
            return Some(value);
        }
        match &ty.type_def {
            TypeDef::Primitive(primitive) => self.primitive(primitive),
            TypeDef::Composite(composite) => self.fields(&composite.fields, depth, shown),
            TypeDef::Tuple(tuple) => {
                let mut list = Vec::new();
                for field in &tuple.fields {
                    list.push(self.value(field.id, depth, shown)?);
                }
                Some(if list.is_empty() { Value::Null } else { Value::Array(list) })
            }
            TypeDef::Variant(definition) => {
                let index = self.byte()?;
                let variant = definition.variants.iter().find(|variant| variant.index == index)?;
                let is_option = ty.path.segments.last().is_some_and(|name| name == "Option");
                if variant.fields.is_empty() {
                    return Some(if is_option { Value::Null } else { json!(variant.name) });
                }
                let inner = self.fields(&variant.fields, depth, shown)?;
                Some(if is_option { inner } else { json!({ &variant.name: inner }) })
            }
            TypeDef::Array(array) if is_byte(array.type_param.id) => {
                let bytes = self.take(usize::try_from(array.len).ok()?)?;
                Some(to_hex(bytes))
            }
            TypeDef::Array(array) => {
                self.items(usize::try_from(array.len).ok()?, array.type_param.id, depth, shown)
            }
            TypeDef::Sequence(sequence) => {
                let count = usize::try_from(self.decode::<Compact<u32>>()?.0).ok()?;
                if is_byte(sequence.type_param.id) {
                    return self.take(count).map(to_hex);
                }
                self.items(count, sequence.type_param.id, depth, shown)
            }
            TypeDef::Compact(_) => {
                let number = self.decode::<Compact<u128>>()?.0;
                Some(u64::try_from(number).map_or_else(|_| json!(number.to_string()), Value::from))
            }
            TypeDef::BitSequence(_) => None,
        }
    }

    fn items(&mut self, count: usize, id: u32, depth: u8, shown: Shown) -> Option<Value> {
        let mut list = Vec::new();
        for at in 0..count {
            // What takes no bytes may be announced without end.
            if self.bytes.is_empty() {
                return None;
            }
            let this = if at < MAX_ITEMS { shown } else { Shown::No };
            let value = self.value(id, depth, this)?;
            if this == Shown::Yes {
                list.push(value);
            }
        }
        if count > MAX_ITEMS && shown == Shown::Yes {
            return Some(json!({ "count": count, "first": list }));
        }
        Some(Value::Array(list))
    }

    fn primitive(&mut self, primitive: &TypeDefPrimitive) -> Option<Value> {
        use TypeDefPrimitive as P;
        Some(match primitive {
            P::Bool => json!(self.decode::<bool>()?),
            P::U8 => json!(self.decode::<u8>()?),
            P::U16 => json!(self.decode::<u16>()?),
            P::U32 => json!(self.decode::<u32>()?),
            P::U64 => json!(self.decode::<u64>()?),
            P::U128 => json!(self.decode::<u128>()?.to_string()),
            P::I8 => json!(self.decode::<i8>()?),
            P::I16 => json!(self.decode::<i16>()?),
            P::I32 => json!(self.decode::<i32>()?),
            P::I64 => json!(self.decode::<i64>()?),
            P::I128 => json!(self.decode::<i128>()?.to_string()),
            P::Str => json!(self.decode::<String>()?),
            P::Char | P::U256 | P::I256 => return None,
        })
    }

    /// Types that have words of their own: outer `None`, the bytes are not of the type.
    fn known(&mut self, ty: &Type<PortableForm>, shown: Shown) -> Option<Option<Value>> {
        let Some(name) = ty.path.segments.last() else { return Some(None) };
        let value = match name.as_str() {
            "Did" | "Name" | "Reason" | "Keyword" | "ClaimNo" | "ConditionText" => {
                let length = usize::try_from(self.decode::<Compact<u32>>()?.0).ok()?;
                let text = String::from_utf8_lossy(self.take(length)?).into_owned();
                if name == "Did" && shown == Shown::Yes {
                    self.subjects.push(text.clone());
                }
                json!(text)
            }
            "BillCode" | "BillNumber" | "CheckCode" | "Uscc" | "CodePart" => {
                let length = match name.as_str() {
                    "BillCode" => 8,
                    "BillNumber" => 10,
                    "CheckCode" => 6,
                    "Uscc" => 18,
                    _ => 2,
                };
                json!(String::from_utf8_lossy(self.take(length)?))
            }
            "BillKey" => {
                let code = String::from_utf8_lossy(self.take(8)?).into_owned();
                let key = format!("{code}-{}", String::from_utf8_lossy(self.take(10)?));
                if shown == Shown::Yes {
                    self.subjects.push(format!("bill:{key}"));
                }
                json!(key)
            }
            "AccountId32" | "GrantId" | "SceneId" | "PolicyId" => {
                let is_number = matches!(name.as_str(), "SceneId" | "PolicyId");
                let length = if is_number { 2 } else { 32 };
                let bytes = self.take(length)?;
                let (value, subject) = match name.as_str() {
                    "SceneId" | "PolicyId" => {
                        let number = u16::from_le_bytes(bytes.try_into().ok()?);
                        let sort = if name == "SceneId" { "scene" } else { "policy" };
                        (json!(number), format!("{sort}:{number}"))
                    }
                    "GrantId" => (to_hex(bytes), format!("grant:0x{}", hex::encode(bytes))),
                    _ => (to_hex(bytes), format!("account:0x{}", hex::encode(bytes))),
                };
                if shown == Shown::Yes {
                    self.subjects.push(subject);
                }
                value
            }
            "RoleSet" => {
                let bits = self.byte()?;
                json!(crate::names::roles(i64::from(bits)))
            }
            _ => return Some(None),
        };
        Some(Some(value))
    }
}

fn to_hex(bytes: &[u8]) -> Value {
    json!(format!("0x{}", hex::encode(bytes)))
}

fn is_byte(id: u32) -> bool {
    let ty = TYPES.registry.resolve(id);
    ty.is_some_and(|ty| matches!(ty.type_def, TypeDef::Primitive(TypeDefPrimitive::U8)))
}

#[cfg(test)]
mod tests;
