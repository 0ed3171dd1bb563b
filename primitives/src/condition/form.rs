//! The nested form of conditions, which people and services write.
//!
//! # JSON
//! A condition is an object with exactly one key, the operator:
//!
//! | condition | holds when |
//! |---|---|
//! | `{"and": [c, …]}` | all operands hold |
//! | `{"or": [c, …]}` | at least one operand holds |
//! | `{"not": c}` | the operand does not hold |
//! | `{"=": [field, x]}`, also `<`, `<=`, `>`, `>=` | the field compares so with `x` |
//! | `{"in": [field, [x, …]]}`, also `not in` | the field is on the list, or is not |
//!
//! `field` is a [`Field`]'s name; `x` is a value of its type as
//! [`Type::expected`] says, or `{"field": name}` for another field of that
//! type (not in a list). Amounts are whole fen, dates and times of day the
//! printed digits as a number, moments milliseconds. Anything else, an unknown
//! key above all, is refused.
//!
//! ```
//! use billchain_primitives::condition::Conditions;
//! let json = r#"{"and": [{"in": ["region", ["31", "32"]]}, {"<=": ["amount", 500000]}]}"#;
//! let rule: Conditions = serde_json::from_str(json).unwrap();
//! assert_eq!(rule.nodes().len(), 3);
//! let wrong = json.replace("amount", "issue_date");
//! let error = serde_json::from_str::<Conditions>(&wrong).unwrap_err().to_string();
//! assert!(error.contains("conditions/and/1: expected a value of the field's type"), "{error}");
//! ```

use super::{
    Comparison, ConditionError, Conditions, Fault, Field, MAX_DEPTH, MAX_LIST, MAX_NODES,
    Membership, Node, Operand, Region, Type, Value, Values, check::index,
};
use crate::{BillKind, ConditionText, Did, Fen, IssueDate, IssueTime, PayerType, SceneId};
use core::fmt;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, IgnoredAny, MapAccess, Visitor},
    ser::SerializeMap,
};
use std::collections::BTreeMap;

/// Conditions as they were written: nested, with names, not yet checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Form {
    /// All operands hold.
    And(Vec<Form>),
    /// At least one operand holds.
    Or(Vec<Form>),
    /// The operand does not hold.
    Not(Box<Form>),
    /// A field compares so.
    Compare {
        /// Name of the field.
        field: String,
        /// The operator.
        comparison: Comparison,
        /// The other side.
        operand: FormOperand,
    },
    /// A field is on a list, or is not.
    Member {
        /// Name of the field.
        field: String,
        /// The operator.
        membership: Membership,
        /// The list.
        values: Vec<FormValue>,
    },
}

/// A value as it was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FormValue {
    /// A whole number.
    Number(i64),
    /// A text.
    Text(String),
}

/// The right side of a comparison as it was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FormOperand {
    /// A value.
    Value(FormValue),
    /// Name of a field.
    Field(String),
}

const COMPARISONS: [(&str, Comparison); 5] = [
    ("=", Comparison::Equal),
    ("<", Comparison::Less),
    ("<=", Comparison::AtMost),
    (">", Comparison::Greater),
    (">=", Comparison::AtLeast),
];
const MEMBERSHIPS: [(&str, Membership); 2] =
    [("in", Membership::In), ("not in", Membership::NotIn)];
const OPERATORS: &[&str] = &["and", "or", "not", "=", "<", "<=", ">", ">=", "in", "not in"];

impl Value {
    /// The value of type `kind` that was written so.
    pub fn read(kind: Type, written: &FormValue) -> Option<Self> {
        match written {
            FormValue::Number(number) => Self::of_number(kind, *number),
            FormValue::Text(text) => Self::of_text(kind, text),
        }
    }

    fn of_number(kind: Type, number: i64) -> Option<Self> {
        let small = || u32::try_from(number).ok();
        match kind {
            Type::Fen => Fen::new(number).ok().map(Self::Fen),
            Type::Date => IssueDate::new(small()?).ok().map(Self::Date),
            Type::Time => IssueTime::new(small()?).ok().map(Self::Time),
            Type::Moment => u64::try_from(number).ok().map(Self::Moment),
            Type::Scene => u16::try_from(number).ok().map(|id| Self::Scene(SceneId(id))),
            Type::Number => Some(Self::Number(number)),
            Type::Text | Type::Did | Type::Region | Type::Kind | Type::Payer => None,
        }
    }

    fn of_text(kind: Type, text: &str) -> Option<Self> {
        match kind {
            Type::Text => ConditionText::new(text).ok().map(Self::Text),
            Type::Did => Did::new(text.as_bytes()).ok().map(Self::Did),
            Type::Region => text.parse::<Region>().ok().map(Self::Region),
            Type::Kind => match text {
                "blue" => Some(Self::Kind(BillKind::Blue)),
                "red" => Some(Self::Kind(BillKind::Red)),
                "payment_notice" => Some(Self::Kind(BillKind::PaymentNotice)),
                _ => None,
            },
            Type::Payer => match text {
                "person" => Some(Self::Payer(PayerType::Person)),
                "organisation" => Some(Self::Payer(PayerType::Organisation)),
                _ => None,
            },
            Type::Fen | Type::Date | Type::Time | Type::Moment | Type::Scene | Type::Number => None,
        }
    }

    /// As it is written. No rule has a moment beyond `i64::MAX`, the last that
    /// can be.
    pub fn written(&self) -> FormValue {
        let text = |text: &str| FormValue::Text(text.to_owned());
        match self {
            Self::Text(value) => text(value.as_str()),
            Self::Fen(value) => FormValue::Number(value.get()),
            Self::Date(value) => FormValue::Number(value.get().into()),
            Self::Time(value) => FormValue::Number(value.get().into()),
            Self::Moment(value) => FormValue::Number(i64::try_from(*value).unwrap_or(i64::MAX)),
            Self::Did(value) => text(value.as_str()),
            Self::Scene(value) => FormValue::Number(value.0.into()),
            Self::Region(value) => text(value.as_str()),
            Self::Kind(BillKind::Blue) => text("blue"),
            Self::Kind(BillKind::Red) => text("red"),
            Self::Kind(BillKind::PaymentNotice) => text("payment_notice"),
            Self::Payer(PayerType::Person) => text("person"),
            Self::Payer(PayerType::Organisation) => text("organisation"),
            Self::Number(value) => FormValue::Number(*value),
        }
    }
}

/// Reads facts that were written by hand, for a simulation: field names and
/// values. An error names the field.
pub fn read_facts(written: &BTreeMap<String, FormValue>) -> Result<BTreeMap<Field, Value>, String> {
    written
        .iter()
        .map(|(name, value)| {
            let field =
                Field::by_name(name).ok_or_else(|| format!("{name}: there is no such field"))?;
            let read = Value::read(field.kind(), value)
                .ok_or_else(|| format!("{name}: expected {}", field.kind().expected()))?;
            Ok((field, read))
        })
        .collect()
}

/// Flattens a form: nodes so far, and where in the form it is.
struct Flattening {
    nodes: Vec<Node>,
    path: String,
}

impl Flattening {
    fn fault(&self, fault: Fault, found: Option<String>) -> ConditionError {
        ConditionError { node: index(self.nodes.len()), path: self.path.clone(), fault, found }
    }

    fn field(&self, name: &str) -> Result<Field, ConditionError> {
        let shown: String = name.chars().take(40).collect();
        Field::by_name(name)
            .ok_or_else(|| self.fault(Fault::UnknownField, Some(format!("{shown:?}"))))
    }

    fn value(&self, field: Field, written: &FormValue) -> Result<Value, ConditionError> {
        Value::read(field.kind(), written).ok_or_else(|| {
            let shown: String = match written {
                FormValue::Number(number) => number.to_string(),
                FormValue::Text(text) => format!("{:?}", text.chars().take(40).collect::<String>()),
            };
            let expected = field.kind().expected();
            let found = format!("{shown} where {} wants {expected}", field.name());
            self.fault(Fault::InvalidValue, Some(found))
        })
    }

    fn add(&mut self, form: &Form, depth: usize) -> Result<(), ConditionError> {
        if depth >= MAX_DEPTH {
            return Err(self.fault(Fault::TooDeep, None));
        }
        if self.nodes.len() >= MAX_NODES as usize {
            return Err(self.fault(Fault::TooManyNodes, None));
        }
        match form {
            Form::And(operands) => self.add_all("and", Node::And, operands, depth),
            Form::Or(operands) => self.add_all("or", Node::Or, operands, depth),
            Form::Not(operand) => {
                self.nodes.push(Node::Not);
                self.within("/not", |this| this.add(operand, depth + 1))
            }
            Form::Compare { field, comparison, operand } => {
                let field = self.field(field)?;
                let operand = match operand {
                    FormOperand::Value(value) => Operand::Value(self.value(field, value)?),
                    FormOperand::Field(name) => Operand::Field(self.field(name)?),
                };
                self.nodes.push(Node::Compare { field, comparison: *comparison, operand });
                Ok(())
            }
            Form::Member { field, membership, values } => {
                let field = self.field(field)?;
                if values.len() > MAX_LIST as usize {
                    return Err(self.fault(Fault::ListTooLong, Some(values.len().to_string())));
                }
                let values = values.iter().map(|value| self.value(field, value)).collect::<Result<
                    Vec<_>,
                    _,
                >>(
                )?;
                let values = Values::truncate_from(values);
                self.nodes.push(Node::Member { field, membership: *membership, values });
                Ok(())
            }
        }
    }

    fn add_all(
        &mut self,
        name: &str,
        node: fn(u8) -> Node,
        operands: &[Form],
        depth: usize,
    ) -> Result<(), ConditionError> {
        // More operands than a byte counts are more than there may be nodes.
        let count = u8::try_from(operands.len())
            .map_err(|_| self.fault(Fault::TooManyNodes, Some(operands.len().to_string())))?;
        self.nodes.push(node(count));
        for (at, operand) in operands.iter().enumerate() {
            self.within(&format!("/{name}/{at}"), |this| this.add(operand, depth + 1))?;
        }
        Ok(())
    }

    fn within<R>(&mut self, step: &str, f: impl FnOnce(&mut Self) -> R) -> R {
        let length = self.path.len();
        self.path.push_str(step);
        let result = f(self);
        self.path.truncate(length);
        result
    }
}

impl TryFrom<&Form> for Conditions {
    type Error = ConditionError;

    fn try_from(form: &Form) -> Result<Self, ConditionError> {
        let mut flattening = Flattening { nodes: Vec::new(), path: String::new() };
        flattening.add(form, 0)?;
        Conditions::new(flattening.nodes)
    }
}

impl From<&Conditions> for Form {
    fn from(rule: &Conditions) -> Self {
        let mut nodes = rule.nodes().iter();
        nest(&mut nodes)
    }
}

/// The subtree that `nodes` goes on with. A rule is whole, so its nodes do not
/// end early; were they to, an empty `or` would stand there.
fn nest<'a>(nodes: &mut impl Iterator<Item = &'a Node>) -> Form {
    let Some(node) = nodes.next() else { return Form::Or(Vec::new()) };
    match node {
        Node::And(count) => Form::And((0..*count).map(|_| nest(nodes)).collect()),
        Node::Or(count) => Form::Or((0..*count).map(|_| nest(nodes)).collect()),
        Node::Not => Form::Not(Box::new(nest(nodes))),
        Node::Compare { field, comparison, operand } => Form::Compare {
            field: field.name().to_owned(),
            comparison: *comparison,
            operand: match operand {
                Operand::Value(value) => FormOperand::Value(value.written()),
                Operand::Field(other) => FormOperand::Field(other.name().to_owned()),
            },
        },
        Node::Member { field, membership, values } => Form::Member {
            field: field.name().to_owned(),
            membership: *membership,
            values: values.iter().map(Value::written).collect(),
        },
    }
}

impl Serialize for Conditions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Form::from(self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Conditions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Conditions::try_from(&Form::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl Serialize for FormValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(number) => serializer.serialize_i64(*number),
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for FormValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Not a visitor of our own: how a number arrives depends on features of
        // the JSON library.
        value(serde_json::Value::deserialize(deserializer)?)
    }
}

fn value<E: de::Error>(json: serde_json::Value) -> Result<FormValue, E> {
    match json {
        serde_json::Value::String(text) => Ok(FormValue::Text(text)),
        serde_json::Value::Number(number) => number
            .as_i64()
            .map(FormValue::Number)
            .ok_or_else(|| E::custom("a value: expected a whole number of 64 bits or a text")),
        _ => Err(E::custom("a value: expected a whole number or a text")),
    }
}

impl Serialize for FormOperand {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Value(value) => value.serialize(serializer),
            Self::Field(name) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("field", name)?;
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for FormOperand {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::Object(map) => match (map.len(), map.get("field")) {
                (1, Some(serde_json::Value::String(name))) => Ok(Self::Field(name.clone())),
                _ => Err(de::Error::custom("an operand: expected {\"field\": name}")),
            },
            other => value(other).map(Self::Value),
        }
    }
}

impl Serialize for Form {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        match self {
            Self::And(operands) => map.serialize_entry("and", operands)?,
            Self::Or(operands) => map.serialize_entry("or", operands)?,
            Self::Not(operand) => map.serialize_entry("not", operand)?,
            Self::Compare { field, comparison, operand } => {
                map.serialize_entry(name_of(&COMPARISONS, comparison), &(field, operand))?;
            }
            Self::Member { field, membership, values } => {
                map.serialize_entry(name_of(&MEMBERSHIPS, membership), &(field, values))?;
            }
        }
        map.end()
    }
}

fn name_of<T: PartialEq>(table: &[(&'static str, T)], wanted: &T) -> &'static str {
    // Each table has every variant.
    table.iter().find(|(_, one)| one == wanted).map_or("", |(name, _)| name)
}

impl<'de> Deserialize<'de> for Form {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Condition;

        impl<'de> Visitor<'de> for Condition {
            type Value = Form;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a condition: an object with one operator as its key")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Form, A::Error> {
                let key: String = map
                    .next_key()?
                    .ok_or_else(|| de::Error::custom("a condition: expected an operator"))?;
                let form = read(&key, &mut map)?;
                if map.next_key::<IgnoredAny>()?.is_some() {
                    return Err(de::Error::custom("a condition: expected one operator alone"));
                }
                Ok(form)
            }
        }

        deserializer.deserialize_map(Condition)
    }
}

fn read<'de, A: MapAccess<'de>>(key: &str, map: &mut A) -> Result<Form, A::Error> {
    match key {
        "and" => return map.next_value().map(Form::And),
        "or" => return map.next_value().map(Form::Or),
        "not" => return map.next_value().map(Form::Not),
        _ => {}
    }
    if let Some((_, comparison)) = COMPARISONS.iter().find(|(name, _)| *name == key) {
        let (field, operand) = map.next_value()?;
        return Ok(Form::Compare { field, comparison: *comparison, operand });
    }
    if let Some((_, membership)) = MEMBERSHIPS.iter().find(|(name, _)| *name == key) {
        let (field, values) = map.next_value()?;
        return Ok(Form::Member { field, membership: *membership, values });
    }
    Err(de::Error::unknown_variant(key, OPERATORS))
}
