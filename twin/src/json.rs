//! JSON as twins have it: without fractions, truth values, and fields that stand there twice.

use crate::wrong::Wrong;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, MapAccess, SeqAccess, Visitor},
    ser::SerializeMap as _,
};
use serde_json::{Error, value::RawValue};
use std::fmt;

/// Most values of a twin.
const MAX_VALUES: u32 = 1 << 20;

/// Most fields of an object.
const MAX_FIELDS: usize = 40;

/// Most levels of lists and objects.
const MAX_LEVELS: u32 = 16;

/// Most values of a list.
const MAX_LIST: usize = 0xffff;

/// Numbers up to here stand as numbers, from -`EXACT` on: each program has them exactly.
const EXACT: i64 = 1 << 53;

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Json {
    Null,
    Number(i64),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads a text, which is one value.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, Error> {
        let whole: &RawValue = serde_json::from_slice(text)?;
        Texts { left: MAX_VALUES }.read(whole, MAX_LEVELS)
    }

    /// A number, as text if not each program has it exactly.
    pub(crate) fn of_number(number: i128) -> Self {
        match i64::try_from(number) {
            Ok(small) if (-EXACT..=EXACT).contains(&small) => Self::Number(small),
            _ => Self::Text(number.to_string()),
        }
    }

    pub(crate) fn of_bytes(bytes: &[u8]) -> Self {
        Self::Text(format!("0x{}", hex::encode(bytes)))
    }

    pub(crate) fn number(&self) -> Result<i128, Wrong> {
        match self {
            Self::Number(number) => Ok((*number).into()),
            Self::Text(text) => text.parse().map_err(|_| self.other("a number")),
            _ => Err(self.other("a number")),
        }
    }

    pub(crate) fn text(&self) -> Result<&str, Wrong> {
        match self {
            Self::Text(text) => Ok(text),
            _ => Err(self.other("a text")),
        }
    }

    pub(crate) fn bytes(&self) -> Result<Vec<u8>, Wrong> {
        let digits = self.text()?.strip_prefix("0x");
        let bytes = digits.and_then(|digits| hex::decode(digits).ok());
        bytes.ok_or_else(|| self.other("0x and pairs of hexadecimal digits"))
    }

    pub(crate) fn list(&self) -> Result<&[Self], Wrong> {
        match self {
            Self::List(values) => Ok(values),
            _ => Err(self.other("a list")),
        }
    }

    pub(crate) fn fields(&self) -> Result<&[(String, Self)], Wrong> {
        match self {
            Self::Object(fields) => Ok(fields),
            _ => Err(self.other("an object")),
        }
    }

    /// The field of this name of an object.
    pub(crate) fn field(&self, name: &str) -> Result<&Self, Wrong> {
        let field = self.fields()?.iter().find(|(known, _)| known == name);
        let missing = || Wrong::new("it is missing").within(name);
        field.map(|(_, value)| value).ok_or_else(missing)
    }

    /// That an object has no other fields than these.
    pub(crate) fn only<'n>(
        &self,
        names: impl Iterator<Item = &'n str> + Clone,
    ) -> Result<(), Wrong> {
        match self.fields()?.iter().find(|(name, _)| !names.clone().any(|known| known == name)) {
            None => Ok(()),
            Some((name, _)) => {
                // Whoever wrote it may have put there what moves a cursor.
                let name = short(name).escape_debug().to_string();
                Err(Wrong::new("no field of this name is expected").within(&name))
            }
        }
    }

    /// That it is not this, which is expected.
    pub(crate) fn other(&self, expected: &str) -> Wrong {
        Wrong::new(format!("found {}, expected {expected}", self.shown()))
    }

    /// That it says the same in the same form; fields may be in another order.
    pub(crate) fn same_as(&self, expected: &Self) -> Result<(), Wrong> {
        match (self, expected) {
            (Self::Object(fields), Self::Object(others)) if fields.len() == others.len() => {
                fields.iter().try_for_each(|(name, value)| {
                    let other = expected.field(name)?;
                    value.same_as(other).map_err(|wrong| wrong.within(name))
                })
            }
            (Self::List(values), Self::List(others)) if values.len() == others.len() => {
                (0..).zip(values.iter().zip(others)).try_for_each(|(place, (value, other))| {
                    value.same_as(other).map_err(|wrong| wrong.at_place(place))
                })
            }
            _ if self == expected => Ok(()),
            _ => Err(self.other(&format!("{}, as its bytes say it", expected.shown()))),
        }
    }

    /// What it is, in a few words.
    fn shown(&self) -> String {
        match self {
            Self::Null => "null".into(),
            Self::Number(number) => number.to_string(),
            Self::Text(text) => format!("{:?}", short(text)),
            Self::List(values) => format!("a list of {}", values.len()),
            Self::Object(fields) => format!("an object of {} fields", fields.len()),
        }
    }
}

/// The begin of a text, for an error.
fn short(text: &str) -> String {
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.into(),
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Number(number) => serializer.serialize_i64(*number),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(values) => serializer.collect_seq(values),
            Self::Object(fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for (name, value) in fields {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}

/// Reads the values of a text. Numbers are kept as they stand, so each value is looked at as
/// it stands first.
struct Texts {
    /// How many more values there may be.
    left: u32,
}

impl Texts {
    fn read(&mut self, raw: &RawValue, levels: u32) -> Result<Json, Error> {
        let left = self.left.checked_sub(1);
        self.left = left.ok_or_else(|| Error::custom("more than 1,048,576 values"))?;
        let text = raw.get();
        match text.as_bytes().first() {
            Some(b'n') => Ok(Json::Null),
            Some(b'"') => serde_json::from_str(text).map(Json::Text),
            Some(b'-' | b'0'..=b'9') => match text.parse::<i64>() {
                Ok(number) if text != "-0" => Ok(Json::Number(number)),
                _ => {
                    let text = short(text);
                    let expected = "expected a whole one, or text above 2^53";
                    Err(Error::custom(format_args!("number {text}: {expected}")))
                }
            },
            Some(b'[') => {
                let levels = deeper(levels)?;
                let List(values) = serde_json::from_str(text)?;
                let mut list = Vec::with_capacity(values.len());
                for value in values {
                    list.push(self.read(value, levels)?);
                }
                Ok(Json::List(list))
            }
            Some(b'{') => {
                let levels = deeper(levels)?;
                let Object(fields) = serde_json::from_str(text)?;
                let mut object = Vec::with_capacity(fields.len());
                for (name, value) in fields {
                    object.push((name, self.read(value, levels)?));
                }
                Ok(Json::Object(object))
            }
            _ => Err(Error::custom("true or false: no field is one")),
        }
    }
}

/// How many levels there may be within a list or object.
fn deeper(levels: u32) -> Result<u32, Error> {
    levels.checked_sub(1).ok_or_else(|| Error::custom("more than 16 levels of lists and objects"))
}

/// The values of a list, as they stand.
struct List<'a>(Vec<&'a RawValue>);

impl<'de> Deserialize<'de> for List<'de> {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        reader.deserialize_seq(Values)
    }
}

struct Values;

impl<'de> Visitor<'de> for Values {
    type Value = List<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<List<'de>, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = values.next_element()? {
            if list.len() == MAX_LIST {
                return Err(A::Error::custom("a list of more than 65,535 values"));
            }
            list.push(value);
        }
        Ok(List(list))
    }
}

/// The fields of an object, each once, with their values as they stand.
struct Object<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        reader.deserialize_map(Fields)
    }
}

struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Object<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Object<'de>, A::Error> {
        let mut object: Vec<(String, &RawValue)> = Vec::new();
        while let Some((name, value)) = fields.next_entry::<String, _>()? {
            if object.iter().any(|(known, _)| *known == name) {
                return Err(A::Error::custom(format_args!(
                    "field {:?} stands there twice",
                    short(&name)
                )));
            }
            if object.len() == MAX_FIELDS {
                return Err(A::Error::custom("an object with more than 40 fields"));
            }
            object.push((name, value));
        }
        Ok(Object(object))
    }
}
