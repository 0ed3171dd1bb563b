//! A method: one row of a table, from which it is registered, checked,
//! bounded, described by `rpc.discover` and compared with `docs/rpc.md`.
//!
//! Each family's rows stand beside its handlers; `methods.rs` holds the
//! families together. A row promises a [`Bound`]: the server refuses longer
//! parameters before it reads them, and a longer answer while it is written.

mod args;
mod bound;
mod failure;
mod page;
mod subscription;

pub(crate) use args::{Args, bytes, hash, number, parse, to_hex};
pub(crate) use bound::Bound;
pub(crate) use failure::Failure;
pub(crate) use page::{cut, decode, decoded_page, index_page, show};
pub(crate) use subscription::{Answered, Dropped, Ended, Notifications, Pending, Sent, Subscriber};

use crate::{
    budget::Share,
    connection::Connection,
    context::Context,
    error::{self, Answer},
};
use billchain_rpc_types::schema;
use bytes::Bytes;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use std::{io, pin::Pin, sync::Arc};

/// Makes a schema.
pub(crate) type Of = fn(&mut SchemaGenerator) -> Schema;

/// An answer, written.
pub(crate) type Written = Answer<String>;

/// What a handler gives that does not answer at once.
pub(crate) type Later<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A method.
pub(crate) struct Method {
    pub(crate) name: &'static str,
    /// What it does, with the Chinese term where there is one.
    pub(crate) summary: &'static str,
    pub(crate) params: &'static [Param],
    pub(crate) result: Of,
    pub(crate) failures: &'static [Failure],
    pub(crate) aliases: &'static [&'static str],
    pub(crate) handler: Handler,
    pub(crate) bound: Bound,
}

/// Who answers.
#[derive(Clone, Copy)]
pub(crate) enum Handler {
    /// Reads memory only, and answers at once.
    Memory(fn(&Context, &Args) -> Written),
    /// Reads storage, on a blocking thread.
    Read(fn(&Context, &Args) -> Written),
    /// Waits for another part of the node.
    Wait(Waiting),
    /// Sends notifications until the subscriber ends it.
    Subscribe(Subscription),
    /// Ends a subscription of the connection, and tells whether it had it.
    Unsubscribe,
    /// Ends a subscription of the connection, and tells nothing.
    Stop,
    /// Ends a subscription of the connection; an error if it had it not.
    End,
    /// Works on what the connection itself has in the node, in a light turn.
    Own(fn(&Caller, &Args) -> Answer<Made>),
}

/// Who asks, over a WebSocket.
pub(crate) struct Caller {
    pub(crate) context: Arc<Context>,
    pub(crate) connection: Arc<Connection>,
    pub(crate) share: Share,
}

/// An answer, and what begins when it is on its way.
pub(crate) struct Made {
    pub(crate) text: String,
    pub(crate) begins: Option<Answered>,
}

impl Made {
    /// An answer that begins nothing.
    pub(crate) fn of(value: &impl Serialize, args: &Args) -> Answer<Self> {
        Ok(Self { text: written(value, args.answer_bytes())?, begins: None })
    }
}

/// What waits for another part of the node.
#[derive(Clone, Copy)]
pub(crate) struct Waiting {
    /// What it hands over, of its parameters. Long ones are read on a blocking
    /// thread.
    pub(crate) read: fn(&Args) -> Answer<Bytes>,
    /// Waits for the answer, of at most so many bytes.
    pub(crate) answer: fn(Arc<Context>, Bytes, usize) -> Later<Written>,
}

/// A subscription.
#[derive(Clone, Copy)]
pub(crate) struct Subscription {
    /// Follows what is subscribed to.
    pub(crate) start: fn(Arc<Context>, Args, Pending) -> Later<Ended>,
    /// Name of the notifications.
    pub(crate) notification: &'static str,
    /// What a notification carries.
    pub(crate) content: Of,
    /// Name of the method that ends it.
    pub(crate) unsubscribe: &'static str,
}

/// Writes an answer, of at most `most` bytes: a longer one is given up at that
/// length.
pub(crate) fn written(value: &impl Serialize, most: usize) -> Written {
    let mut bytes = Bounded { bytes: Vec::new(), most };
    match serde_json::to_writer(&mut bytes, value) {
        Ok(()) => String::from_utf8(bytes.bytes).map_err(error::internal),
        Err(error) if error.is_io() => Err(error::answer_too_long(most)),
        Err(error) => Err(error::internal(error)),
    }
}

/// Bytes up to a length.
struct Bounded {
    bytes: Vec<u8>,
    most: usize,
}

impl io::Write for Bounded {
    fn write(&mut self, more: &[u8]) -> io::Result<usize> {
        if more.len() > self.most - self.bytes.len() {
            return Err(io::ErrorKind::WriteZero.into());
        }
        self.bytes.extend_from_slice(more);
        Ok(more.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The handler of a function that answers from memory.
macro_rules! memory {
    ($f:expr) => {
        $crate::method::Handler::Memory(|context, args| {
            $crate::method::written(&$f(context, args)?, args.answer_bytes())
        })
    };
}

/// The handler of a function that reads storage.
macro_rules! read {
    ($f:expr) => {
        $crate::method::Handler::Read(|context, args| {
            $crate::method::written(&$f(context, args)?, args.answer_bytes())
        })
    };
}

/// The handler of an async function, and what reads its parameters.
macro_rules! wait {
    ($read:expr, $f:expr) => {
        $crate::method::Handler::Wait($crate::method::Waiting {
            read: $read,
            answer: |context, bytes, most| {
                ::std::boxed::Box::pin(async move {
                    $crate::method::written(&$f(&context, bytes).await?, most)
                })
            },
        })
    };
}

/// The start of a subscription by an async function.
macro_rules! follow {
    ($f:expr) => {
        |context, args, pending| ::std::boxed::Box::pin($f(context, args, pending))
    };
}

pub(crate) use {follow, memory, read, wait};

/// A parameter.
pub(crate) struct Param {
    pub(crate) name: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) is_required: bool,
    pub(crate) schema: Of,
}

/// Errors of what reads the head.
const READ: &[Failure] = &[Failure::InvalidParams, Failure::Internal, Failure::IndexIncomplete];
/// Errors of what reads by a hash, where an unknown one is no error.
pub(crate) const BY_HASH: &[Failure] = &[Failure::InvalidParams, Failure::Internal];
/// Errors of what reads a block by its number, or its body.
pub(crate) const OF_BLOCK: &[Failure] =
    &[Failure::InvalidParams, Failure::Internal, Failure::BlockNotKept];
/// Errors of what makes a certificate.
pub(crate) const CERTIFY: &[Failure] =
    &[Failure::InvalidParams, Failure::Internal, Failure::IndexIncomplete, Failure::NoCertificate];
/// Errors of what reads the state after a block.
pub(crate) const AT_BLOCK: &[Failure] =
    &[Failure::InvalidParams, Failure::Internal, Failure::UnknownBlock, Failure::StateNotKept];
/// Errors of a call into the runtime.
pub(crate) const CALL: &[Failure] = &[
    Failure::InvalidParams,
    Failure::Internal,
    Failure::UnknownBlock,
    Failure::StateNotKept,
    Failure::RuntimeCall,
];
/// Errors of what works on a pinned block.
pub(crate) const OF_PINNED: &[Failure] =
    &[Failure::InvalidParams, Failure::Internal, Failure::NotPinned];
/// Errors of what takes a transaction.
pub(crate) const SUBMIT: &[Failure] = &[
    Failure::InvalidParams,
    Failure::Malformed,
    Failure::InvalidTransaction,
    Failure::NotChecked,
    Failure::NonceTaken,
    Failure::PoolRefuses,
];
/// Errors of what has no parameters and cannot fail.
pub(crate) const NONE: &[Failure] = &[Failure::InvalidParams];

/// A method that reads the head, by a key.
pub(crate) const fn method(
    name: &'static str,
    summary: &'static str,
    params: &'static [Param],
    result: Of,
    handler: Handler,
) -> Method {
    let (failures, bound) = (READ, Bound::ONE);
    Method { name, summary, params, result, failures, aliases: &[], handler, bound }
}

impl Method {
    /// With these errors instead.
    pub(crate) const fn fails(self, failures: &'static [Failure]) -> Self {
        Self { failures, ..self }
    }

    /// With other names.
    pub(crate) const fn also(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    /// With this bound.
    pub(crate) const fn within(self, bound: Bound) -> Self {
        Self { bound, ..self }
    }

    /// Reads its parameters. Those longer than its bound are refused unread. An
    /// answer has at most `answer` bytes, were its bound longer.
    pub(crate) fn args(&self, params: Option<&[u8]>, answer: usize) -> Answer<Args> {
        let (found, most) = (params.map_or(0, <[u8]>::len), self.bound.params as usize);
        if found > most {
            let expected = format!("at most {most} bytes");
            return Err(error::invalid("params", &expected, &format!("{found} bytes")));
        }
        let names: Vec<_> = self.params.iter().map(|param| param.name).collect();
        // The message is text, of which they are a part.
        let text = params.map(std::str::from_utf8).transpose().map_err(error::internal)?;
        Args::read(text, &names, answer.min(self.bound.answer as usize))
    }

    /// Its name and its other names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }
}

/// A parameter that must be given.
pub(crate) const fn required(name: &'static str, summary: &'static str, schema: Of) -> Param {
    Param { name, summary, is_required: true, schema }
}

/// A parameter that may be null, or left out at the end.
pub(crate) const fn optional(name: &'static str, summary: &'static str, schema: Of) -> Param {
    Param { name, summary, is_required: false, schema }
}

/// Schema of a type.
pub(crate) fn of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

/// Schema of a type's values, or null.
pub(crate) fn maybe<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<Option<T>>()
}

/// Schema of a list.
pub(crate) fn list<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<Vec<T>>()
}

/// Schema of a page of a list.
pub(crate) fn page<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<billchain_rpc_types::Page<T>>()
}

pub(crate) const CODE: Param = required("code", "票据代码", of::<schema::BillCode>);
pub(crate) const NUMBER: Param = required("number", "票据号码", of::<schema::BillNumber>);
pub(crate) const CHECK_CODE: Param = required("check_code", "校验码", of::<schema::CheckCode>);
pub(crate) const TRANSACTION: Param =
    required("hash", "Hash of the transaction (交易ID)", of::<schema::Hash>);
pub(crate) const SCENE: Param =
    required("scene", "Number of the scene (场景)", of::<schema::SceneId>);
pub(crate) const CURSOR: Param =
    optional("cursor", "`next` of the page before", of::<schema::Cursor>);
pub(crate) const LIMIT: Param =
    optional("limit", "Most entries of the page, 100 at most", of::<schema::Limit>);
pub(crate) const AT: Param =
    optional("at", "Hash of the block after which; the head by default", maybe::<schema::Hash>);
