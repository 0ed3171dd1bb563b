//! The protobuf form. `docs/policy.proto` is the schema; tags are part of the
//! chain's interface.

use super::Written;
use crate::types::Effect;
use billchain_primitives::{
    SceneId,
    condition::{Comparison, Form, FormOperand, FormValue, Guarded, Membership},
    seams::PolicyId,
};
use prost::{Enumeration, Message, Oneof};

#[derive(Clone, PartialEq, Message)]
struct PolicyMessage {
    #[prost(uint32, tag = "1")]
    id: u32,
    #[prost(uint32, tag = "2")]
    version: u32,
    #[prost(string, tag = "3")]
    name: String,
    #[prost(string, repeated, tag = "4")]
    keywords: Vec<String>,
    #[prost(uint32, repeated, tag = "5")]
    scenes: Vec<u32>,
    #[prost(enumeration = "OperationTag", repeated, tag = "6")]
    operations: Vec<i32>,
    #[prost(enumeration = "EffectTag", tag = "7")]
    effect: i32,
    #[prost(uint32, tag = "8")]
    priority: u32,
    #[prost(uint32, repeated, tag = "9")]
    references: Vec<u32>,
    #[prost(string, tag = "10")]
    description: String,
    #[prost(message, optional, tag = "11")]
    conditions: Option<ConditionMessage>,
}

#[derive(Clone, PartialEq, Message)]
struct ConditionMessage {
    #[prost(oneof = "ConditionKind", tags = "1, 2, 3, 4, 5")]
    kind: Option<ConditionKind>,
}

#[derive(Clone, PartialEq, Oneof)]
enum ConditionKind {
    #[prost(message, tag = "1")]
    And(OperandsMessage),
    #[prost(message, tag = "2")]
    Or(OperandsMessage),
    #[prost(message, tag = "3")]
    Not(Box<ConditionMessage>),
    #[prost(message, tag = "4")]
    Compare(CompareMessage),
    #[prost(message, tag = "5")]
    Member(MemberMessage),
}

#[derive(Clone, PartialEq, Message)]
struct OperandsMessage {
    #[prost(message, repeated, tag = "1")]
    conditions: Vec<ConditionMessage>,
}

#[derive(Clone, PartialEq, Message)]
struct CompareMessage {
    #[prost(string, tag = "1")]
    field: String,
    #[prost(enumeration = "ComparisonTag", tag = "2")]
    comparison: i32,
    #[prost(oneof = "OperandKind", tags = "3, 4, 5")]
    operand: Option<OperandKind>,
}

#[derive(Clone, PartialEq, Oneof)]
enum OperandKind {
    #[prost(sint64, tag = "3")]
    Number(i64),
    #[prost(string, tag = "4")]
    Text(String),
    #[prost(string, tag = "5")]
    OtherField(String),
}

#[derive(Clone, PartialEq, Message)]
struct MemberMessage {
    #[prost(string, tag = "1")]
    field: String,
    #[prost(enumeration = "MembershipTag", tag = "2")]
    membership: i32,
    #[prost(message, repeated, tag = "3")]
    values: Vec<ValueMessage>,
}

#[derive(Clone, PartialEq, Message)]
struct ValueMessage {
    #[prost(oneof = "ValueKind", tags = "1, 2")]
    kind: Option<ValueKind>,
}

#[derive(Clone, PartialEq, Oneof)]
enum ValueKind {
    #[prost(sint64, tag = "1")]
    Number(i64),
    #[prost(string, tag = "2")]
    Text(String),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Enumeration)]
#[repr(i32)]
enum OperationTag {
    Unspecified = 0,
    Register = 1,
    PreIssue = 2,
    Lock = 3,
    Reimburse = 4,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Enumeration)]
#[repr(i32)]
enum EffectTag {
    Unspecified = 0,
    Deny = 1,
    Require = 2,
    Permit = 3,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Enumeration)]
#[repr(i32)]
enum ComparisonTag {
    Unspecified = 0,
    Equal = 1,
    Less = 2,
    AtMost = 3,
    Greater = 4,
    AtLeast = 5,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Enumeration)]
#[repr(i32)]
enum MembershipTag {
    Unspecified = 0,
    In = 1,
    NotIn = 2,
}

const OPERATIONS: [(OperationTag, Guarded); 4] = [
    (OperationTag::Register, Guarded::Register),
    (OperationTag::PreIssue, Guarded::PreIssue),
    (OperationTag::Lock, Guarded::Lock),
    (OperationTag::Reimburse, Guarded::Reimburse),
];
const EFFECTS: [(EffectTag, Effect); 3] = [
    (EffectTag::Deny, Effect::Deny),
    (EffectTag::Require, Effect::Require),
    (EffectTag::Permit, Effect::Permit),
];
const COMPARISONS: [(ComparisonTag, Comparison); 5] = [
    (ComparisonTag::Equal, Comparison::Equal),
    (ComparisonTag::Less, Comparison::Less),
    (ComparisonTag::AtMost, Comparison::AtMost),
    (ComparisonTag::Greater, Comparison::Greater),
    (ComparisonTag::AtLeast, Comparison::AtLeast),
];
const MEMBERSHIPS: [(MembershipTag, Membership); 2] =
    [(MembershipTag::In, Membership::In), (MembershipTag::NotIn, Membership::NotIn)];

/// What the tag stands for.
fn meaning<G: Copy + Into<i32>, T: Copy>(
    table: &[(G, T)],
    tag: i32,
    name: &str,
) -> Result<T, String> {
    table
        .iter()
        .find(|(one, _)| (*one).into() == tag)
        .map(|(_, meaning)| *meaning)
        .ok_or_else(|| format!("{name}: expected a value of its enum, found {tag}"))
}

/// The tag of a meaning; each table has every variant.
fn tag<G: Copy + Into<i32>, T: PartialEq>(table: &[(G, T)], wanted: &T) -> i32 {
    table.iter().find(|(_, one)| one == wanted).map_or(0, |(tag, _)| (*tag).into())
}

fn small(number: u32, name: &str) -> Result<u16, String> {
    u16::try_from(number).map_err(|_| format!("{name}: expected at most 65535, found {number}"))
}

/// Reads the message.
pub(super) fn read(bytes: &[u8]) -> Result<Written, String> {
    let message = PolicyMessage::decode(bytes).map_err(|error| error.to_string())?;
    if message.encode_to_vec() != bytes {
        return Err("expected the canonical encoding of the schema's fields and no others".into());
    }
    let conditions = message.conditions.as_ref().ok_or("conditions: missing")?;
    Ok(Written {
        id: PolicyId(small(message.id, "id")?),
        version: message.version,
        name: message.name.clone(),
        keywords: message.keywords.clone(),
        scenes: message
            .scenes
            .iter()
            .map(|scene| small(*scene, "scenes").map(SceneId))
            .collect::<Result<_, _>>()?,
        operations: message
            .operations
            .iter()
            .map(|tag| meaning(&OPERATIONS, *tag, "operations"))
            .collect::<Result<_, _>>()?,
        effect: meaning(&EFFECTS, message.effect, "effect")?,
        priority: small(message.priority, "priority")?,
        references: message
            .references
            .iter()
            .map(|policy| small(*policy, "references").map(PolicyId))
            .collect::<Result<_, _>>()?,
        description: message.description.clone(),
        conditions: form(conditions)?,
    })
}

fn form(message: &ConditionMessage) -> Result<Form, String> {
    let all = |operands: &OperandsMessage| {
        operands.conditions.iter().map(form).collect::<Result<Vec<_>, _>>()
    };
    match message.kind.as_ref().ok_or("a condition: expected one of its kinds")? {
        ConditionKind::And(operands) => all(operands).map(Form::And),
        ConditionKind::Or(operands) => all(operands).map(Form::Or),
        ConditionKind::Not(operand) => form(operand).map(Box::new).map(Form::Not),
        ConditionKind::Compare(compare) => Ok(Form::Compare {
            field: compare.field.clone(),
            comparison: meaning(&COMPARISONS, compare.comparison, "comparison")?,
            operand: match compare.operand.as_ref().ok_or("a comparison: expected an operand")? {
                OperandKind::Number(number) => FormOperand::Value(FormValue::Number(*number)),
                OperandKind::Text(text) => FormOperand::Value(FormValue::Text(text.clone())),
                OperandKind::OtherField(name) => FormOperand::Field(name.clone()),
            },
        }),
        ConditionKind::Member(member) => Ok(Form::Member {
            field: member.field.clone(),
            membership: meaning(&MEMBERSHIPS, member.membership, "membership")?,
            values: member.values.iter().map(value).collect::<Result<_, _>>()?,
        }),
    }
}

fn value(message: &ValueMessage) -> Result<FormValue, String> {
    match message.kind.as_ref().ok_or("a value: expected a number or a text")? {
        ValueKind::Number(number) => Ok(FormValue::Number(*number)),
        ValueKind::Text(text) => Ok(FormValue::Text(text.clone())),
    }
}

/// Writes the message.
pub(super) fn write(written: &Written) -> Vec<u8> {
    PolicyMessage {
        id: written.id.0.into(),
        version: written.version,
        name: written.name.clone(),
        keywords: written.keywords.clone(),
        scenes: written.scenes.iter().map(|scene| scene.0.into()).collect(),
        operations: written.operations.iter().map(|one| tag(&OPERATIONS, one)).collect(),
        effect: tag(&EFFECTS, &written.effect),
        priority: written.priority.into(),
        references: written.references.iter().map(|policy| policy.0.into()).collect(),
        description: written.description.clone(),
        conditions: Some(message(&written.conditions)),
    }
    .encode_to_vec()
}

fn message(form: &Form) -> ConditionMessage {
    let operands =
        |forms: &[Form]| OperandsMessage { conditions: forms.iter().map(message).collect() };
    let kind = match form {
        Form::And(forms) => ConditionKind::And(operands(forms)),
        Form::Or(forms) => ConditionKind::Or(operands(forms)),
        Form::Not(inner) => ConditionKind::Not(Box::new(message(inner))),
        Form::Compare { field, comparison, operand } => ConditionKind::Compare(CompareMessage {
            field: field.clone(),
            comparison: tag(&COMPARISONS, comparison),
            operand: Some(match operand {
                FormOperand::Value(FormValue::Number(number)) => OperandKind::Number(*number),
                FormOperand::Value(FormValue::Text(text)) => OperandKind::Text(text.clone()),
                FormOperand::Field(name) => OperandKind::OtherField(name.clone()),
            }),
        }),
        Form::Member { field, membership, values } => ConditionKind::Member(MemberMessage {
            field: field.clone(),
            membership: tag(&MEMBERSHIPS, membership),
            values: values
                .iter()
                .map(|value| ValueMessage {
                    kind: Some(match value {
                        FormValue::Number(number) => ValueKind::Number(*number),
                        FormValue::Text(text) => ValueKind::Text(text.clone()),
                    }),
                })
                .collect(),
        }),
    };
    ConditionMessage { kind: Some(kind) }
}
