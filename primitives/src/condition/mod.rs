//! Conditions of policies (策略条件): a small typed expression tree that the
//! contracts evaluate for every bill.
//!
//! Tender rows 41 (条件元语: 时间范围、开票方、用票方、票据数据、开票地域), 42 (逻辑运算符
//! AND/OR/NOT、关系运算符、集合运算符 in/not in), 43 (值类型、取值范围), 45 (矛盾规则), 46 and 48
//! (嵌套条件), 50 (元语引用有效性).
//!
//! # Two forms
//! People and services write the nested [`Form`], in JSON or protobuf; see
//! [`form`] for the JSON. The chain keeps the flat [`Conditions`]: the same nodes in
//! prefix order, each a SCALE value. A flat list decodes without recursion and
//! an explorer can show it.
//!
//! # What it promises
//! - A [`Conditions`] is proof that its tree is whole, within the bounds below, and
//!   type-checked: it cannot be built or decoded otherwise.
//! - Evaluation is total and deterministic: no errors, no arithmetic that could
//!   overflow, no floating point, and exactly [`Conditions::steps`] steps, whatever
//!   the bill.
//!
//! # What it does not do
//! It neither computes (there is no `+`) nor matches patterns; a policy that
//! needs a new quantity needs a new [`Field`], which is code.

mod check;
mod facts;
mod field;
pub mod form;

#[cfg(test)]
mod tests;

pub use check::{ConditionError, Fault};
pub use facts::{BillFacts, ClaimFacts, Facts};
pub use field::{Field, Guarded, Region, Type, Value};
pub use form::{Form, FormOperand, FormValue, read_facts};

use codec::{Decode, DecodeWithMemTracking, Encode, Input, MaxEncodedLen};
use core::cmp::Ordering;
use scale_info::TypeInfo;
use sp_core::{ConstU32, bounded::BoundedVec};

/// Most nodes of a rule.
pub const MAX_NODES: u32 = 64;
/// Deepest nesting: nodes on the way from the root to a leaf, both included.
pub const MAX_DEPTH: usize = 8;
/// Most values of one list.
pub const MAX_LIST: u32 = 32;
/// Longest encoding of a rule, in bytes.
pub const MAX_CONDITION_BYTES: usize = 4_096;
/// Most steps of an evaluation: one a node and one a list value.
pub const MAX_STEPS: u32 = MAX_NODES + MAX_NODES * MAX_LIST;

/// How two values are compared.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum Comparison {
    /// `=`.
    Equal,
    /// `<`.
    Less,
    /// `<=`.
    AtMost,
    /// `>`.
    Greater,
    /// `>=`.
    AtLeast,
}

/// Whether a value is to be on a list or not.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum Membership {
    /// `in`.
    In,
    /// `not in`.
    NotIn,
}

/// What a field is compared with.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Operand {
    /// With this value.
    Value(Value),
    /// With another field of the same bill and operation.
    Field(Field),
}

/// The values of a list.
pub type Values = BoundedVec<Value, ConstU32<MAX_LIST>>;

/// One node of a rule. The operands of an inner node are the subtrees that
/// follow it.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Node {
    /// All of so many operands hold.
    And(u8),
    /// At least one of so many operands holds.
    Or(u8),
    /// Its one operand does not hold.
    Not,
    /// A field compares so with a value or another field.
    Compare {
        /// Left of the operator.
        field: Field,
        /// The operator.
        comparison: Comparison,
        /// Right of the operator; of the field's type.
        operand: Operand,
    },
    /// A field is on a list, or is not.
    Member {
        /// Left of the operator.
        field: Field,
        /// The operator.
        membership: Membership,
        /// The list; not empty, all of the field's type.
        values: Values,
    },
}

impl Node {
    /// Number of operands; none for a leaf.
    pub const fn arity(&self) -> Option<u8> {
        match self {
            Self::And(count) | Self::Or(count) => Some(*count),
            Self::Not => Some(1),
            Self::Compare { .. } | Self::Member { .. } => None,
        }
    }

    /// Whether the leaf holds for `value` as its field's; false for inner nodes
    /// and for a comparison of two fields.
    fn accepts(&self, value: &Value) -> bool {
        match self {
            Self::Compare { comparison, operand: Operand::Value(wanted), .. } => {
                compare(value, *comparison, wanted)
            }
            Self::Member { membership, values, .. } => {
                values.contains(value) == (*membership == Membership::In)
            }
            _ => false,
        }
    }
}

fn fields_of(node: &Node) -> impl Iterator<Item = Field> + use<> {
    let fields = match node {
        Node::Compare { field, operand: Operand::Field(other), .. } => [Some(*field), Some(*other)],
        Node::Compare { field, .. } | Node::Member { field, .. } => [Some(*field), None],
        Node::And(_) | Node::Or(_) | Node::Not => [None, None],
    };
    fields.into_iter().flatten()
}

/// Whether the comparison holds; false for values of two types.
fn compare(left: &Value, comparison: Comparison, right: &Value) -> bool {
    match comparison {
        Comparison::Equal => left == right,
        Comparison::Less => left.order(right) == Some(Ordering::Less),
        Comparison::AtMost => left.order(right).is_some_and(Ordering::is_le),
        Comparison::Greater => left.order(right) == Some(Ordering::Greater),
        Comparison::AtLeast => left.order(right).is_some_and(Ordering::is_ge),
    }
}

/// Nodes in prefix order, checked. Encodes as the list of its nodes.
#[derive(Clone, PartialEq, Eq, Debug, Encode, TypeInfo)]
pub struct Conditions(BoundedVec<Node, ConstU32<MAX_NODES>>);

/// What an evaluation found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Evaluation {
    /// Whether the conditions hold.
    pub holds: bool,
    /// Steps it took.
    pub steps: u32,
}

impl Conditions {
    /// The rule, if the nodes are one.
    pub fn new(nodes: Vec<Node>) -> Result<Self, ConditionError> {
        if let Err((node, fault)) = check::check(&nodes) {
            return Err(ConditionError::at(&nodes, node, fault));
        }
        let last = nodes.len();
        BoundedVec::try_from(nodes)
            .map(Self)
            .map_err(|nodes| ConditionError::at(&nodes, last, Fault::TooManyNodes))
    }

    /// The nodes.
    pub fn nodes(&self) -> &[Node] {
        &self.0
    }

    /// Steps that every evaluation takes; at most [`MAX_STEPS`].
    pub fn steps(&self) -> u32 {
        self.0
            .iter()
            .map(|node| match node {
                Node::Member { values, .. } => 1 + values.len() as u32,
                _ => 1,
            })
            .sum()
    }

    /// The first node that asks about a field which `operation` does not have.
    pub fn unavailable(&self, operation: Guarded) -> Option<ConditionError> {
        let missing = |field: &Field| !field.is_known_of(operation);
        let node = self.0.iter().position(|node| fields_of(node).any(|field| missing(&field)))?;
        Some(ConditionError::at(&self.0, node, Fault::NotAvailable))
    }

    /// Every field that the rule asks about.
    pub fn fields(&self) -> impl Iterator<Item = Field> {
        self.0.iter().flat_map(fields_of)
    }

    /// Every value that stands in the rule, with the index of its node.
    pub fn values(&self) -> impl Iterator<Item = (u8, &Value)> {
        (0_u8..).zip(&self.0).flat_map(|(index, node)| {
            let values: &[Value] = match node {
                Node::Compare { operand: Operand::Value(value), .. } => {
                    core::slice::from_ref(value)
                }
                Node::Member { values, .. } => values,
                _ => &[],
            };
            values.iter().map(move |value| (index, value))
        })
    }

    /// Whether the conditions hold.
    ///
    /// Every node is evaluated: what a rule costs does not depend on the bill.
    /// A leaf whose field `facts` does not know does not hold; see
    /// [`Self::unavailable`].
    pub fn evaluate(&self, facts: &impl Facts) -> Evaluation {
        let (mut at, mut steps) = (0, 0);
        let holds = self.evaluate_at(&mut at, facts, &mut steps);
        Evaluation { holds, steps }
    }

    fn evaluate_at(&self, at: &mut usize, facts: &impl Facts, steps: &mut u32) -> bool {
        // A rule is whole: the index stays below its length.
        let Some(node) = self.0.get(*at) else { return false };
        *at += 1;
        *steps += 1;
        match node {
            Node::And(count) => {
                (0..*count).fold(true, |all, _| self.evaluate_at(at, facts, steps) & all)
            }
            Node::Or(count) => {
                (0..*count).fold(false, |any, _| self.evaluate_at(at, facts, steps) | any)
            }
            Node::Not => !self.evaluate_at(at, facts, steps),
            Node::Compare { field, comparison, operand: Operand::Field(other) } => {
                match (facts.get(*field), facts.get(*other)) {
                    (Some(left), Some(right)) => compare(&left, *comparison, &right),
                    _ => false,
                }
            }
            Node::Compare { field, .. } => facts.get(*field).is_some_and(|v| node.accepts(&v)),
            Node::Member { field, values, .. } => {
                *steps += values.len() as u32;
                facts.get(*field).is_some_and(|value| node.accepts(&value))
            }
        }
    }
}

impl Decode for Conditions {
    fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
        let nodes = BoundedVec::<Node, ConstU32<MAX_NODES>>::decode(input)?;
        Self::new(nodes.into_inner())
            .map_err(|_| "Conditions: expected a whole, type-checked tree within the bounds".into())
    }
}
impl DecodeWithMemTracking for Conditions {}

impl MaxEncodedLen for Conditions {
    fn max_encoded_len() -> usize {
        MAX_CONDITION_BYTES
    }
}
