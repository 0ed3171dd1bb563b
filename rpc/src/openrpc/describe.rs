//! How a method is described.

use billchain_rpc_types::schema;
use schemars::{JsonSchema, Schema, SchemaGenerator};

/// Makes a schema.
pub(super) type Of = fn(&mut SchemaGenerator) -> Schema;

/// A method.
pub(super) struct Method {
    pub(super) name: &'static str,
    /// What it does, with the Chinese term where there is one.
    pub(super) summary: &'static str,
    pub(super) params: &'static [Param],
    pub(super) result: Of,
    pub(super) failures: &'static [Failure],
    pub(super) aliases: &'static [&'static str],
    /// Name and content of what a subscription sends.
    pub(super) notification: Option<(&'static str, Of)>,
}

/// A positional parameter.
pub(super) struct Param {
    pub(super) name: &'static str,
    pub(super) summary: &'static str,
    pub(super) is_required: bool,
    pub(super) schema: Of,
}

/// What an error tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Failure {
    InvalidParams,
    Internal,
    UnknownBlock,
    StateNotKept,
    RuntimeCall,
    Malformed,
    InvalidTransaction,
    NotChecked,
    AlreadyKnown,
    NonceTaken,
    PoolRefuses,
}

impl Failure {
    pub(super) const ALL: [Self; 11] = [
        Self::InvalidParams,
        Self::Internal,
        Self::UnknownBlock,
        Self::StateNotKept,
        Self::RuntimeCall,
        Self::Malformed,
        Self::InvalidTransaction,
        Self::NotChecked,
        Self::AlreadyKnown,
        Self::NonceTaken,
        Self::PoolRefuses,
    ];
}

/// Errors of what reads the head.
const READ: &[Failure] = &[Failure::InvalidParams, Failure::Internal];
/// Errors of what reads the state after a block.
pub(super) const AT_BLOCK: &[Failure] =
    &[Failure::InvalidParams, Failure::Internal, Failure::UnknownBlock, Failure::StateNotKept];
/// Errors of a call into the runtime.
pub(super) const CALL: &[Failure] = &[
    Failure::InvalidParams,
    Failure::Internal,
    Failure::UnknownBlock,
    Failure::StateNotKept,
    Failure::RuntimeCall,
];
/// Errors of what takes a transaction.
pub(super) const SUBMIT: &[Failure] = &[
    Failure::InvalidParams,
    Failure::Malformed,
    Failure::InvalidTransaction,
    Failure::NotChecked,
    Failure::AlreadyKnown,
    Failure::NonceTaken,
    Failure::PoolRefuses,
];
/// Errors of what cannot fail.
pub(super) const NONE: &[Failure] = &[];

/// A method that reads the head.
pub(super) const fn method(
    name: &'static str,
    summary: &'static str,
    params: &'static [Param],
    result: Of,
) -> Method {
    Method { name, summary, params, result, failures: READ, aliases: &[], notification: None }
}

impl Method {
    /// With these errors instead.
    pub(super) const fn fails(self, failures: &'static [Failure]) -> Self {
        Self { failures, ..self }
    }

    /// With other names.
    pub(super) const fn also(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    /// A subscription that sends these notifications.
    pub(super) const fn notifies(self, name: &'static str, content: Of) -> Self {
        Self { notification: Some((name, content)), ..self }
    }

    /// Its name and its other names.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }
}

/// A parameter that must be given.
pub(super) const fn required(name: &'static str, summary: &'static str, schema: Of) -> Param {
    Param { name, summary, is_required: true, schema }
}

/// A parameter that may be null, or left out at the end.
pub(super) const fn optional(name: &'static str, summary: &'static str, schema: Of) -> Param {
    Param { name, summary, is_required: false, schema }
}

/// Schema of a type.
pub(super) fn of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

/// Schema of a type's values, or null.
pub(super) fn maybe<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<Option<T>>()
}

/// Schema of a list.
pub(super) fn list<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<Vec<T>>()
}

/// Schema of a page of a list.
pub(super) fn page<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<billchain_rpc_types::Page<T>>()
}

pub(super) const CODE: Param = required("code", "票据代码", of::<schema::BillCode>);
pub(super) const NUMBER: Param = required("number", "票据号码", of::<schema::BillNumber>);
pub(super) const CHECK_CODE: Param = required("check_code", "校验码", of::<schema::CheckCode>);
pub(super) const TRANSACTION: Param =
    required("hash", "Hash of the transaction (交易ID)", of::<schema::Hash>);
pub(super) const SCENE: Param =
    required("scene", "Number of the scene (场景)", of::<schema::SceneId>);
pub(super) const CURSOR: Param =
    optional("cursor", "`next` of the page before", of::<schema::Cursor>);
pub(super) const LIMIT: Param =
    optional("limit", "Most entries of the page, 100 at most", of::<schema::Limit>);
pub(super) const AT: Param =
    optional("at", "Hash of the block after which; the head by default", maybe::<schema::Hash>);
