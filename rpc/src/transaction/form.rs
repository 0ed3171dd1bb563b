//! A call written in JSON, read by the runtime's metadata.
//!
//! | type in the metadata | JSON |
//! |---|---|
//! | a call | `{"pallet": …, "call": …, "args": {…}}`, also within a call |
//! | structure | an object of its fields; one without names an array; of one field without a name, that field's form |
//! | enum | the variant's name, or an object of the name and the fields' form |
//! | `Option` | null, or the value's form |
//! | texts ([`TEXTS`]: DIDs, codes, names, reasons) | text, even if it begins with `0x` |
//! | other bytes, fixed or not | `0x` hex |
//! | other lists, tuples | arrays |
//! | whole numbers | a number, or its decimal digits as a string |
//! | account | SS58 or `0x` hex |
//!
//! Names of variants may be written as the metadata has them or in snake case,
//! as the answers of other methods are. The bytes that come out are decoded by
//! the runtime's own types, which check what metadata does not tell: character
//! sets, real dates, longest lengths. A field that is missing, unknown or stands
//! twice in another spelling is refused, with its place.
//!
//! scale-value, which does the like for Substrate's own values, has no form for
//! hex, text and accounts, and its errors name no place; the walk over the
//! types is short.

use billchain_primitives::AccountId;
use billchain_runtime::{
    Runtime, RuntimeCall,
    limits::{MAX_TRANSACTION_BYTES, MAX_TRANSACTION_DEPTH},
};
use codec::{Compact, DecodeLimit, Encode};
use core::str::FromStr;
use frame_metadata::{RuntimeMetadata, v14::RuntimeMetadataV14};
use scale_info::{Field, PortableRegistry, TypeDef, TypeDefPrimitive, Variant, form::PortableForm};
use serde_json::{Map, Value};
use std::sync::LazyLock;

/// Deepest nesting of JSON that is followed: the encoding's limit, and as much
/// again for structures that add nothing to it.
const MAX_DEPTH: u32 = 4 * MAX_TRANSACTION_DEPTH;

/// The types that are text, by their names: what people write and read. All
/// other bytes are hex, so that no text is taken for bytes, or bytes for text.
pub const TEXTS: &[&str] = &[
    "BillCode",
    "BillNumber",
    "CheckCode",
    "ClaimNo",
    "CodePart",
    "Did",
    "Keyword",
    "Name",
    "Reason",
    "Uscc",
];

/// How bytes are written.
#[derive(Clone, Copy)]
enum Bytes {
    Text,
    Hex,
}

/// Why JSON is no call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct FormError {
    /// Where, as `call.args.summary.key`.
    pub(crate) at: String,
    /// What should be there.
    pub(crate) expected: String,
    /// What is there.
    pub(crate) found: String,
}

struct Types {
    registry: PortableRegistry,
    /// The enum of all calls.
    call: u32,
    account: u32,
}

static TYPES: LazyLock<Option<Types>> = LazyLock::new(|| {
    let RuntimeMetadata::V14(metadata) = Runtime::metadata().1 else { return None };
    types(metadata)
});

fn types(metadata: RuntimeMetadataV14) -> Option<Types> {
    let extrinsic = metadata.types.resolve(metadata.extrinsic.ty.id)?;
    let call = extrinsic.type_params.iter().find(|one| one.name == "Call")?.ty?.id;
    let is_account = |path: &[String]| path.last().is_some_and(|name| name == "AccountId32");
    let account = metadata.types.types.iter().find(|ty| is_account(&ty.ty.path.segments))?.id;
    Some(Types { registry: metadata.types, call, account })
}

/// The call that `value` is the form of.
pub(crate) fn call_from_json(value: &Value) -> Result<RuntimeCall, FormError> {
    let no_types = || FormError {
        at: "call".into(),
        expected: "metadata of version 14, which this node has not".into(),
        found: String::new(),
    };
    let types = TYPES.as_ref().ok_or_else(no_types)?;
    let mut writer = Writer { types, path: vec!["call".into()], bytes: Vec::new() };
    writer.value(types.call, value)?;
    if writer.bytes.len() > MAX_TRANSACTION_BYTES as usize {
        return writer.refuse(format!("at most {MAX_TRANSACTION_BYTES} bytes in all"), value);
    }
    let bytes = writer.bytes;
    RuntimeCall::decode_all_with_depth_limit(MAX_TRANSACTION_DEPTH, &mut &bytes[..]).map_err(
        |error| FormError {
            at: "call".into(),
            expected: format!("values that the chain's types take ({error})"),
            found: value.to_string(),
        },
    )
}

struct Writer<'a> {
    types: &'a Types,
    path: Vec<String>,
    bytes: Vec<u8>,
}

type Written = Result<(), FormError>;

impl Writer<'_> {
    fn refuse<T>(&self, expected: impl Into<String>, found: &Value) -> Result<T, FormError> {
        let found = found.to_string();
        Err(FormError { at: self.path.join("."), expected: expected.into(), found })
    }

    fn within(&mut self, name: &str, f: impl FnOnce(&mut Self) -> Written) -> Written {
        self.path.push(name.to_owned());
        f(self)?;
        self.path.pop();
        Ok(())
    }

    /// Writes `value` as type `id`.
    fn value(&mut self, id: u32, value: &Value) -> Written {
        if self.path.len() > MAX_DEPTH as usize {
            return self.refuse(format!("at most {MAX_DEPTH} levels"), value);
        }
        if self.bytes.len() > MAX_TRANSACTION_BYTES as usize {
            return self.refuse(format!("at most {MAX_TRANSACTION_BYTES} bytes in all"), value);
        }
        if id == self.types.call {
            return self.call(value);
        }
        let types = self.types;
        let Some(ty) = types.registry.resolve(id) else {
            return self.refuse("a type of the metadata", value);
        };
        if id == types.account && value.is_string() {
            return self.account(value);
        }
        if let Some(bytes) = text_of(types, id) {
            return match value.as_str() {
                Some(text) => self.bytes_of(text, Bytes::Text, bytes.length, value),
                None => self.refuse("text", value),
            };
        }
        match &ty.type_def {
            TypeDef::Composite(composite) => self.fields(&composite.fields, value),
            TypeDef::Variant(_) if ty.path.segments == ["Option"] => match value {
                Value::Null => {
                    self.bytes.push(0);
                    Ok(())
                }
                some => {
                    self.bytes.push(1);
                    let inner = ty.type_params.first().and_then(|parameter| parameter.ty);
                    match inner {
                        Some(inner) => self.value(inner.id, some),
                        None => self.refuse("a type of the metadata", value),
                    }
                }
            },
            TypeDef::Variant(definition) => self.variant(&definition.variants, value),
            TypeDef::Sequence(sequence) => self.list(sequence.type_param.id, None, value),
            TypeDef::Array(array) => self.list(array.type_param.id, Some(array.len), value),
            TypeDef::Tuple(tuple) => {
                let ids: Vec<_> = tuple.fields.iter().map(|field| field.id).collect();
                self.tuple(&ids, value)
            }
            TypeDef::Primitive(primitive) => self.primitive(primitive, value),
            TypeDef::Compact(compact) => self.compact(compact.type_param.id, value),
            TypeDef::BitSequence(_) => self.refuse("no bit sequence", value),
        }
    }

    /// `{"pallet": …, "call": …, "args": {…}}`.
    fn call(&mut self, value: &Value) -> Written {
        let types = self.types;
        let shape = "an object of pallet, call and args";
        let Some(object) = value.as_object() else { return self.refuse(shape, value) };
        if object.keys().any(|key| !["pallet", "call", "args"].contains(&key.as_str())) {
            return self.refuse(shape, value);
        }
        let name = object.get("pallet").unwrap_or(&Value::Null);
        let pallet = self.chosen(variants(&types.registry, types.call), name, "pallet")?;
        self.bytes.push(pallet.index);
        let Some(inner) = pallet.fields.first() else { return self.refuse(shape, value) };
        let name = object.get("call").unwrap_or(&Value::Null);
        let call = self.chosen(variants(&types.registry, inner.ty.id), name, "call")?;
        self.bytes.push(call.index);
        let none = Value::Object(Map::new());
        let arguments = object.get("args").unwrap_or(&none);
        self.within("args", |this| this.named(&call.fields, arguments))
    }

    /// The variant that `name` names.
    fn chosen<'v>(
        &mut self,
        variants: &'v [Variant<PortableForm>],
        name: &Value,
        what: &str,
    ) -> Result<&'v Variant<PortableForm>, FormError> {
        let found = name.as_str().and_then(|name| find(variants, name));
        match found {
            Some(variant) => Ok(variant),
            None => {
                self.path.push(what.to_owned());
                let known: Vec<_> = variants.iter().map(|variant| variant.name.as_str()).collect();
                self.refuse(format!("one of {}", known.join(", ")), name)
            }
        }
    }

    fn variant(&mut self, variants: &[Variant<PortableForm>], value: &Value) -> Written {
        let names = || {
            let names: Vec<_> = variants.iter().map(|variant| variant.name.as_str()).collect();
            format!("one of {}", names.join(", "))
        };
        let (name, content) = match value {
            Value::String(name) => (name, None),
            Value::Object(object) if object.len() == 1 => match object.iter().next() {
                Some((name, content)) => (name, Some(content)),
                None => return self.refuse(names(), value),
            },
            _ => return self.refuse(names(), value),
        };
        let Some(variant) = find(variants, name) else { return self.refuse(names(), value) };
        self.bytes.push(variant.index);
        match content {
            None if variant.fields.is_empty() => Ok(()),
            None => self.refuse(format!("an object of {name} and its fields"), value),
            Some(content) => self.within(name, |this| this.fields(&variant.fields, content)),
        }
    }

    /// Fields in the form that they have together.
    fn fields(&mut self, fields: &[Field<PortableForm>], value: &Value) -> Written {
        match fields {
            [only] if only.name.is_none() => self.value(only.ty.id, value),
            fields if fields.iter().all(|field| field.name.is_some()) && !fields.is_empty() => {
                self.named(fields, value)
            }
            fields => {
                let ids: Vec<_> = fields.iter().map(|field| field.ty.id).collect();
                self.tuple(&ids, value)
            }
        }
    }

    fn named(&mut self, fields: &[Field<PortableForm>], value: &Value) -> Written {
        let names: Vec<_> = fields.iter().filter_map(|field| field.name.as_deref()).collect();
        let shape = || format!("an object of {}", names.join(", "));
        let Some(object) = value.as_object() else { return self.refuse(shape(), value) };
        if let Some(unknown) = object.keys().find(|key| !names.contains(&key.as_str())) {
            return self.refuse(shape(), &Value::String(unknown.clone()));
        }
        for field in fields {
            let name = field.name.as_deref().unwrap_or_default();
            // What is left out is as null: right for an `Option`, and an error
            // that names the field for everything else.
            let value = object.get(name).unwrap_or(&Value::Null);
            self.within(name, |this| this.value(field.ty.id, value))?;
        }
        Ok(())
    }

    fn tuple(&mut self, ids: &[u32], value: &Value) -> Written {
        if ids.is_empty() && value.is_null() {
            return Ok(());
        }
        match value.as_array() {
            Some(values) if values.len() == ids.len() => {
                for (index, (id, value)) in ids.iter().zip(values).enumerate() {
                    self.within(&index.to_string(), |this| this.value(*id, value))?;
                }
                Ok(())
            }
            _ => self.refuse(format!("an array of {}", ids.len()), value),
        }
    }

    /// A list of `length`, or of any length, which then comes first.
    fn list(&mut self, id: u32, length: Option<u32>, value: &Value) -> Written {
        let is_bytes = matches!(
            self.types.registry.resolve(id).map(|ty| &ty.type_def),
            Some(TypeDef::Primitive(TypeDefPrimitive::U8))
        );
        let found = match value {
            Value::Array(values) => values.len(),
            Value::String(text) if is_bytes => {
                return self.bytes_of(text, Bytes::Hex, length, value);
            }
            _ if is_bytes => return self.refuse("bytes as 0x hex", value),
            _ => return self.refuse("an array", value),
        };
        match length {
            Some(length) if found != length as usize => {
                return self.refuse(format!("{length} entries"), value);
            }
            Some(_) => {}
            None => self.length(found, value)?,
        }
        let Value::Array(values) = value else { return Ok(()) };
        for (index, value) in values.iter().enumerate() {
            self.within(&index.to_string(), |this| this.value(id, value))?;
        }
        Ok(())
    }

    fn bytes_of(&mut self, text: &str, form: Bytes, length: Option<u32>, value: &Value) -> Written {
        let (bytes, kind) = match form {
            Bytes::Text => (text.as_bytes().to_vec(), "of text"),
            Bytes::Hex => match text.strip_prefix("0x").map(hex::decode) {
                Some(Ok(bytes)) => (bytes, "as 0x hex"),
                _ => return self.refuse("bytes as 0x hex", value),
            },
        };
        match length {
            Some(length) if bytes.len() != length as usize => {
                return self.refuse(format!("{length} bytes {kind}"), value);
            }
            Some(_) => {}
            None => self.length(bytes.len(), value)?,
        }
        self.bytes.extend(bytes);
        Ok(())
    }

    fn length(&mut self, length: usize, value: &Value) -> Written {
        match u32::try_from(length) {
            Ok(length) => Compact(length).encode_to(&mut self.bytes),
            Err(_) => return self.refuse("at most 4294967295 entries", value),
        }
        Ok(())
    }

    fn account(&mut self, value: &Value) -> Written {
        // Reading base 58 takes time with the square of its length.
        let text = value.as_str().filter(|text| text.len() <= 128).unwrap_or_default();
        match AccountId::from_str(text) {
            Ok(account) => {
                account.encode_to(&mut self.bytes);
                Ok(())
            }
            Err(reason) => {
                self.refuse(format!("an SS58 address or 32 bytes in hex ({reason})"), value)
            }
        }
    }

    fn compact(&mut self, id: u32, value: &Value) -> Written {
        let bytes = self.bytes.len();
        self.value(id, value)?;
        let mut number = [0; 16];
        let written = self.bytes.split_off(bytes);
        match number.get_mut(..written.len()) {
            // A compact structure of no field is nothing.
            Some([]) => {}
            Some(low) => {
                low.copy_from_slice(&written);
                Compact(u128::from_le_bytes(number)).encode_to(&mut self.bytes);
            }
            None => return self.refuse("a number of at most 128 bits", value),
        }
        Ok(())
    }

    fn primitive(&mut self, primitive: &TypeDefPrimitive, value: &Value) -> Written {
        macro_rules! number {
            ($ty:ty) => {{
                let text = match value {
                    Value::Number(number) => number.to_string(),
                    Value::String(text) => text.clone(),
                    _ => String::new(),
                };
                match text.parse::<$ty>() {
                    Ok(number) => number.encode_to(&mut self.bytes),
                    Err(_) => {
                        let (low, high) = (<$ty>::MIN, <$ty>::MAX);
                        return self.refuse(format!("a whole number from {low} to {high}"), value);
                    }
                }
            }};
        }
        match primitive {
            TypeDefPrimitive::Bool => match value.as_bool() {
                Some(flag) => flag.encode_to(&mut self.bytes),
                None => return self.refuse("true or false", value),
            },
            TypeDefPrimitive::Str => match value.as_str() {
                Some(text) => text.encode_to(&mut self.bytes),
                None => return self.refuse("text", value),
            },
            TypeDefPrimitive::U8 => number!(u8),
            TypeDefPrimitive::U16 => number!(u16),
            TypeDefPrimitive::U32 => number!(u32),
            TypeDefPrimitive::U64 => number!(u64),
            TypeDefPrimitive::U128 => number!(u128),
            TypeDefPrimitive::I8 => number!(i8),
            TypeDefPrimitive::I16 => number!(i16),
            TypeDefPrimitive::I32 => number!(i32),
            TypeDefPrimitive::I64 => number!(i64),
            TypeDefPrimitive::I128 => number!(i128),
            TypeDefPrimitive::Char | TypeDefPrimitive::U256 | TypeDefPrimitive::I256 => {
                return self.refuse("no character or number of 256 bits", value);
            }
        }
        Ok(())
    }
}

/// The bytes of a type that is text.
struct TextType {
    /// How many; `None` if it varies.
    length: Option<u32>,
}

/// What the text of type `id` is written as; `None` if it is no text.
fn text_of(types: &Types, id: u32) -> Option<TextType> {
    let ty = types.registry.resolve(id)?;
    let [first, .., name] = &ty.path.segments[..] else { return None };
    if first != "billchain_primitives" || !TEXTS.contains(&name.as_str()) {
        return None;
    }
    let length = bytes_within(&types.registry, id)?;
    Some(TextType { length })
}

/// The length of the only bytes that type `id` wraps (`None` if it varies);
/// nothing if it wraps anything else.
fn bytes_within(registry: &PortableRegistry, id: u32) -> Option<Option<u32>> {
    let is_byte = |id| {
        let inner = registry.resolve(id).map(|ty| &ty.type_def);
        matches!(inner, Some(TypeDef::Primitive(TypeDefPrimitive::U8)))
    };
    match &registry.resolve(id)?.type_def {
        TypeDef::Composite(composite) => match &composite.fields[..] {
            [only] => bytes_within(registry, only.ty.id),
            _ => None,
        },
        TypeDef::Sequence(sequence) if is_byte(sequence.type_param.id) => Some(None),
        TypeDef::Array(array) if is_byte(array.type_param.id) => Some(Some(array.len)),
        _ => None,
    }
}

fn variants(registry: &PortableRegistry, id: u32) -> &[Variant<PortableForm>] {
    match registry.resolve(id).map(|ty| &ty.type_def) {
        Some(TypeDef::Variant(definition)) => &definition.variants,
        _ => &[],
    }
}

/// The variant with a name, in its own or in snake case.
fn find<'v>(
    variants: &'v [Variant<PortableForm>],
    name: &str,
) -> Option<&'v Variant<PortableForm>> {
    let exact = variants.iter().find(|variant| variant.name == name);
    exact.or_else(|| variants.iter().find(|variant| snake_case(&variant.name) == name))
}

fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for (index, letter) in name.char_indices() {
        if index > 0 && letter.is_uppercase() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests;
