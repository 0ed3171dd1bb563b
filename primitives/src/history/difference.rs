//! The digest of what a version changed: a binary Merkle tree over the changed
//! fields, after RFC 6962 with SM3.
//!
//! Every hash begins with a byte that says what it is of, so that none can pass
//! for another. The leaves are salted: statuses and amounts are easily guessed,
//! and a sibling in a proof must not tell them. The salts come from the whole
//! body of the version, which holds hashes that only readers of the ledger know.

use super::{BillField, FieldChange, VersionBody, field::values};
use crate::{Bill, BillState, BillStatus, BillSummary, Lock, Reimbursement, sm3};
use codec::{Decode, Encode};

/// Most steps from a leaf to the root: the tree has at most 64 leaves.
pub const MAX_DEPTH: u32 = 6;

/// Root of a difference in which nothing changed.
const NOTHING: [u8; 32] = [0; 32];

/// What a hash is of; the first byte that is hashed.
#[derive(Clone, Copy)]
#[repr(u8)]
enum Tag {
    Leaf = 0,
    Node = 1,
    Value = 2,
    Salt = 3,
    Secret = 4,
    Content = 5,
}

fn tagged(tag: Tag, parts: &[&[u8]]) -> [u8; 32] {
    let mut bytes = vec![tag as u8];
    parts.iter().for_each(|part| bytes.extend_from_slice(part));
    sm3(&bytes)
}

/// The part of a bill that has versions.
#[derive(Clone, Copy)]
pub struct Content<'a> {
    pub(super) summary: &'a BillSummary,
    pub(super) status: BillStatus,
    pub(super) lock: Option<&'a Lock>,
    pub(super) reimbursements: &'a [Reimbursement],
}

impl<'a> From<&'a Bill> for Content<'a> {
    fn from(bill: &'a Bill) -> Self {
        // Every field is named, so that a new one is not forgotten.
        let Bill { summary, state, .. } = bill;
        let BillState { status, version: _, version_hash: _, lock, reimbursements, updated: _ } =
            state;
        Self { summary, status: *status, lock: lock.as_ref(), reimbursements }
    }
}

impl<'a> From<&'a VersionBody> for Content<'a> {
    fn from(body: &'a VersionBody) -> Self {
        let VersionBody { version: _, entry: _, at: _, summary, status, lock, reimbursements } =
            body;
        Self { summary, status: *status, lock: lock.as_ref(), reimbursements }
    }
}

/// The fields in which the two differ, in the order of their numbers.
pub fn changes(before: Content<'_>, after: Content<'_>) -> Vec<FieldChange> {
    let mut before = values(before).into_iter().peekable();
    let mut after = values(after).into_iter().peekable();
    let mut changes = Vec::new();
    loop {
        let next = [before.peek(), after.peek()];
        let Some(field) = next.into_iter().flatten().map(|(field, _)| *field).min() else {
            return changes;
        };
        let old = before.next_if(|(of, _)| *of == field).map(|(_, value)| value);
        let new = after.next_if(|(of, _)| *of == field).map(|(_, value)| value);
        if old != new {
            changes.push(FieldChange { field, old, new });
        }
    }
}

/// What only those know who have the whole version.
pub(super) fn secret(body: &VersionBody) -> [u8; 32] {
    tagged(Tag::Secret, &[&body.encode()])
}

/// Digest of the whole version; it does not tell the secret.
pub(super) fn content_digest(body: &VersionBody) -> [u8; 32] {
    tagged(Tag::Content, &[&secret(body)])
}

/// What hides the values of `field` in the version with this secret.
pub(super) fn salt(secret: &[u8; 32], field: BillField) -> [u8; 32] {
    tagged(Tag::Salt, &[secret, field.to_string().as_bytes()])
}

/// The leaf of a change.
pub(super) fn leaf(change: &FieldChange, salt: &[u8; 32]) -> [u8; 32] {
    let hash = |value: &Option<super::FieldValue>| tagged(Tag::Value, &[salt, &value.encode()]);
    let path = change.field.to_string();
    // The path's length, so that path and hashes cannot run into each other.
    let length = [path.len() as u8];
    tagged(Tag::Leaf, &[&length, path.as_bytes(), &hash(&change.old), &hash(&change.new)])
}

/// The leaves of what the version with this secret changed.
pub(super) fn leaves(changes: &[FieldChange], secret: &[u8; 32]) -> Vec<[u8; 32]> {
    changes.iter().map(|change| leaf(change, &salt(secret, change.field))).collect()
}

/// Root of what `body` changed.
pub(super) fn root_between(before: Content<'_>, body: &VersionBody) -> [u8; 32] {
    root(&leaves(&changes(before, body.into()), &secret(body)))
}

pub(super) fn root(leaves: &[[u8; 32]]) -> [u8; 32] {
    match leaves {
        [] => NOTHING,
        [leaf] => *leaf,
        several => {
            let (left, right) = several.split_at(split(several.len()));
            node(&root(left), &root(right))
        }
    }
}

fn node(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    tagged(Tag::Node, &[left, right])
}

/// How many of `count` leaves, at least two, stand on the left: the largest
/// power of two that leaves some for the right.
fn split(count: usize) -> usize {
    count.next_power_of_two() / 2
}

/// The hash beside a step from a leaf to the root.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub enum Sibling {
    /// It stands on the left.
    #[codec(index = 0)]
    Left([u8; 32]),
    /// It stands on the right.
    #[codec(index = 1)]
    Right([u8; 32]),
}

/// The siblings from the leaf at `index` to the root, that of the leaf first.
pub(super) fn siblings(leaves: &[[u8; 32]], index: usize) -> Vec<Sibling> {
    if leaves.len() < 2 {
        return Vec::new();
    }
    let middle = split(leaves.len());
    let (left, right) = leaves.split_at(middle);
    let (mut path, sibling) = if index < middle {
        (siblings(left, index), Sibling::Right(root(right)))
    } else {
        (siblings(right, index - middle), Sibling::Left(root(left)))
    };
    path.push(sibling);
    path
}

/// The root over a leaf with these siblings.
pub(super) fn climb(leaf: [u8; 32], siblings: &[Sibling]) -> [u8; 32] {
    siblings.iter().fold(leaf, |hash, sibling| match sibling {
        Sibling::Left(left) => node(left, &hash),
        Sibling::Right(right) => node(&hash, right),
    })
}
