//! Checks that nodes form a valid condition, and names the faulty one.

use super::{
    Comparison, MAX_CONDITION_BYTES, MAX_DEPTH, MAX_LIST, MAX_NODES, Node, Operand, Type, Value,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::{cmp::Ordering, fmt};
use scale_info::TypeInfo;

/// What is wrong with a node.
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
    frame_support::PalletError,
)]
pub enum Fault {
    /// The list of nodes is no single whole tree.
    NoTree,
    /// There are more than 64 nodes.
    TooManyNodes,
    /// It is nested deeper than 8.
    TooDeep,
    /// `and` or `or` without an operand.
    NoOperand,
    /// A list without a value.
    EmptyList,
    /// A list of more than 32 values.
    ListTooLong,
    /// The rule's encoding is longer than 4,096 bytes.
    TooLong,
    /// There is no field of this name.
    UnknownField,
    /// The two sides are of different types.
    TypeMismatch,
    /// The value is none of the field's type.
    InvalidValue,
    /// `<`, `<=`, `>` or `>=` for a type that has no order.
    NotOrdered,
    /// An operation that the policy is for does not have the field.
    NotAvailable,
    /// It and another operand of the same `and` cannot both hold.
    Contradiction,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTree => f.write_str("the nodes are no single whole tree"),
            Self::TooManyNodes => write!(f, "expected at most {MAX_NODES} nodes"),
            Self::TooDeep => write!(f, "expected a nesting of at most {MAX_DEPTH}"),
            Self::NoOperand => f.write_str("expected at least one operand"),
            Self::EmptyList => f.write_str("expected at least one value"),
            Self::ListTooLong => write!(f, "expected at most {MAX_LIST} values"),
            Self::TooLong => write!(f, "expected a rule of at most {MAX_CONDITION_BYTES} bytes"),
            Self::UnknownField => f.write_str("there is no such field"),
            Self::TypeMismatch => f.write_str("expected two sides of one type"),
            Self::InvalidValue => f.write_str("expected a value of the field's type"),
            Self::NotOrdered => f.write_str("expected = or a list: the field has no order"),
            Self::NotAvailable => {
                f.write_str("an operation the policy is for does not have the field")
            }
            Self::Contradiction => {
                f.write_str("this and another operand of the same \"and\" cannot both hold")
            }
        }
    }
}

/// Why something is no rule, and where.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("conditions{path}: {fault}{}", .found.as_ref().map(|f| format!(", found {f}")).unwrap_or_default())]
pub struct ConditionError {
    /// Index of the offending node, in prefix order from 0.
    pub node: u8,
    /// Its place in the nested form, as a JSON pointer (RFC 6901); the root's
    /// is empty.
    pub path: String,
    /// What is wrong.
    pub fault: Fault,
    /// What stands there, where the fault does not say it.
    pub found: Option<String>,
}

impl ConditionError {
    pub(super) fn at(nodes: &[Node], node: usize, fault: Fault) -> Self {
        let path = path_of(nodes, node);
        Self { node: index(node), path, fault, found: None }
    }
}

/// The index of a node as a byte; whatever is beyond is beyond the bound.
pub(super) fn index(node: usize) -> u8 {
    u8::try_from(node).unwrap_or(u8::MAX)
}

/// Index of the first node that is wrong, and what is.
pub(super) fn check(nodes: &[Node]) -> Result<(), (usize, Fault)> {
    if nodes.len() > MAX_NODES as usize {
        return Err((MAX_NODES as usize, Fault::TooManyNodes));
    }
    shape(nodes)?;
    for (at, node) in nodes.iter().enumerate() {
        leaf(node).map_err(|fault| (at, fault))?;
    }
    if nodes.encoded_size() > MAX_CONDITION_BYTES {
        return Err((0, Fault::TooLong));
    }
    contradiction(nodes).map_or(Ok(()), |at| Err((at, Fault::Contradiction)))
}

/// One whole tree, not too deep, every inner node with operands.
fn shape(nodes: &[Node]) -> Result<(), (usize, Fault)> {
    // Operands that each open inner node still waits for.
    let mut open: Vec<u8> = Vec::with_capacity(MAX_DEPTH);
    for (at, node) in nodes.iter().enumerate() {
        if at > 0 && open.is_empty() {
            return Err((at, Fault::NoTree));
        }
        if open.len() >= MAX_DEPTH {
            return Err((at, Fault::TooDeep));
        }
        match node.arity() {
            Some(0) => return Err((at, Fault::NoOperand)),
            Some(operands) => open.push(operands),
            None => close(&mut open),
        }
    }
    if nodes.is_empty() || !open.is_empty() {
        return Err((nodes.len().saturating_sub(1), Fault::NoTree));
    }
    Ok(())
}

/// Notes that a subtree ended, and with it perhaps those it is the last of.
fn close(open: &mut Vec<u8>) {
    while let Some(left) = open.last_mut() {
        *left -= 1;
        if *left > 0 {
            break;
        }
        open.pop();
    }
}

fn leaf(node: &Node) -> Result<(), Fault> {
    match node {
        Node::Compare { field, comparison, operand } => {
            let right: Type = match operand {
                Operand::Value(value) => value.kind(),
                Operand::Field(other) => other.kind(),
            };
            if right != field.kind() {
                return Err(Fault::TypeMismatch);
            }
            if matches!(operand, Operand::Value(value) if !is_writable(value)) {
                return Err(Fault::InvalidValue);
            }
            if *comparison != Comparison::Equal && !right.is_ordered() {
                return Err(Fault::NotOrdered);
            }
        }
        Node::Member { field, values, .. } => {
            if values.is_empty() {
                return Err(Fault::EmptyList);
            }
            if values.iter().any(|value| value.kind() != field.kind()) {
                return Err(Fault::TypeMismatch);
            }
            if !values.iter().all(is_writable) {
                return Err(Fault::InvalidValue);
            }
        }
        Node::And(_) | Node::Or(_) | Node::Not => {}
    }
    Ok(())
}

/// Whether the nested form can show the value: its numbers are signed.
fn is_writable(value: &Value) -> bool {
    !matches!(value, Value::Moment(moment) if i64::try_from(*moment).is_err())
}

/// Index after the subtree that begins at `at`. The tree is whole.
fn end_of(nodes: &[Node], at: usize) -> usize {
    let (mut end, mut wanted) = (at, 1_u32);
    while wanted > 0 && end < nodes.len() {
        wanted = wanted - 1 + u32::from(nodes[end].arity().unwrap_or(0));
        end += 1;
    }
    end
}

/// The second of two direct operands of one `and` that cannot both hold.
/// Only pairs that compare the same field with values are looked at.
fn contradiction(nodes: &[Node]) -> Option<usize> {
    for (at, node) in nodes.iter().enumerate() {
        let Node::And(count) = node else { continue };
        let mut operands = Vec::with_capacity(usize::from(*count));
        let mut next = at + 1;
        for _ in 0..*count {
            operands.push(next);
            next = end_of(nodes, next);
        }
        for (position, &later) in operands.iter().enumerate() {
            let excluded =
                operands[..position].iter().any(|&earlier| exclude(&nodes[earlier], &nodes[later]));
            if excluded {
                return Some(later);
            }
        }
    }
    None
}

/// Whether no value of one field satisfies both leaves.
fn exclude(one: &Node, other: &Node) -> bool {
    match (field_of(one), field_of(other)) {
        (Some(a), Some(b)) if a == b => {}
        _ => return false,
    }
    if let Some(values) = candidates(one) {
        return !values.iter().any(|value| other.accepts(value));
    }
    if let Some(values) = candidates(other) {
        return !values.iter().any(|value| one.accepts(value));
    }
    match (bound(one), bound(other)) {
        (Some((Side::Lower, low, a)), Some((Side::Upper, high, b)))
        | (Some((Side::Upper, high, b)), Some((Side::Lower, low, a))) => match low.order(high) {
            Some(Ordering::Greater) => true,
            Some(Ordering::Equal) => a == Edge::Open || b == Edge::Open,
            _ => false,
        },
        _ => false,
    }
}

/// The field of a leaf that compares with values.
fn field_of(node: &Node) -> Option<super::Field> {
    match node {
        Node::Compare { field, operand: Operand::Value(_), .. } | Node::Member { field, .. } => {
            Some(*field)
        }
        _ => None,
    }
}

/// The only values that satisfy the leaf, if they can be listed.
fn candidates(node: &Node) -> Option<&[Value]> {
    match node {
        Node::Compare { comparison: Comparison::Equal, operand: Operand::Value(value), .. } => {
            Some(core::slice::from_ref(value))
        }
        Node::Member { membership: super::Membership::In, values, .. } => Some(values),
        _ => None,
    }
}

enum Side {
    Lower,
    Upper,
}

/// Whether the bound itself is excluded.
#[derive(PartialEq)]
enum Edge {
    Open,
    Closed,
}

fn bound(node: &Node) -> Option<(Side, &Value, Edge)> {
    let Node::Compare { comparison, operand: Operand::Value(value), .. } = node else {
        return None;
    };
    let (side, edge) = match comparison {
        Comparison::Less => (Side::Upper, Edge::Open),
        Comparison::AtMost => (Side::Upper, Edge::Closed),
        Comparison::Greater => (Side::Lower, Edge::Open),
        Comparison::AtLeast => (Side::Lower, Edge::Closed),
        Comparison::Equal => return None,
    };
    Some((side, value, edge))
}

/// JSON pointer of the node at `target`, as far as the nodes are a tree.
fn path_of(nodes: &[Node], target: usize) -> String {
    // Name, operands given so far and operands in all of each open inner node.
    let mut open: Vec<(&str, u8, u8)> = Vec::new();
    for node in nodes.iter().take(target) {
        match node.arity() {
            Some(operands) if operands > 0 => {
                let name = match node {
                    Node::And(_) => "and",
                    Node::Or(_) => "or",
                    _ => "not",
                };
                open.push((name, 0, operands));
            }
            _ => {
                while let Some((_, given, operands)) = open.last_mut() {
                    *given += 1;
                    if given < operands {
                        break;
                    }
                    open.pop();
                }
            }
        }
    }
    open.iter().fold(String::new(), |path, (name, given, _)| match *name {
        "not" => path + "/not",
        name => format!("{path}/{name}/{given}"),
    })
}
