//! `transaction_*` and `rpc*`: transactions in plain JSON, and the methods
//! about methods.

mod form;
mod items;
mod names;
mod prepare;
mod status;

pub use form::TEXTS;
pub(crate) use form::call_from_json;
pub(crate) use names::failure;
pub(crate) use status::event_view;

use crate::{
    context::Context,
    error::{Answer, answer_too_long},
    method::{
        Args, Bound, Handler, Method, NONE, SUBMIT, TRANSACTION, maybe, memory, method, of,
        optional, read, required, wait,
    },
    substrate::submit,
};
use billchain_rpc_types::{PreparedView, TransactionView, schema};
use billchain_runtime::limits::MAX_TRANSACTION_BYTES;
use serde_json::{Value, json};

pub(crate) const METHODS: &[Method] = &[
    method(
        "transaction_status",
        "What became of a transaction: where it is, and why its call failed, in words",
        &[TRANSACTION],
        of::<TransactionView>,
        read!(status::status),
    )
    .within(Bound::ONE.of(1, "transaction").answer_kib(16 << 10)),
    method(
        "transaction_prepare",
        "Builds a transaction from a call in JSON, and the bytes that its SM2 signature covers \
         (组装交易)",
        &[
            required("call", "`{\"pallet\", \"call\", \"args\"}`", of::<schema::Call>),
            required("public_key", "The signer's key", of::<schema::PublicKey>),
            optional("nonce", "The signer's next nonce by default", maybe::<u32>),
        ],
        of::<PreparedView>,
        read!(prepare::prepare),
    )
    .within(Bound::ONE.of(1, "call").params_kib(2 << 10).answer_kib(4 << 10)),
    method(
        "transaction_submitSigned",
        "Puts a signature into a prepared transaction and submits it",
        &[
            required("unsigned", "`unsigned` of the prepared transaction", of::<schema::Bytes>),
            required(
                "signature",
                "The signature: r‖s, 64 bytes, or DER, of an SM2 key",
                of::<schema::Bytes>,
            ),
        ],
        of::<schema::Hash>,
        wait!(prepare::signed, submit),
    )
    .within(
        Bound::ONE
            .of(1, "transaction")
            .params_kib(2 * MAX_TRANSACTION_BYTES / 1024 + 4)
            .answer_kib(4),
    )
    .fails(SUBMIT),
    method("rpc_methods", "Names of all methods", &[], of::<schema::Any>, memory!(methods))
        .within(Bound::MEMORY)
        .fails(NONE),
    method("rpc.discover", "This document", &[], of::<schema::Any>, Handler::Memory(discover))
        .within(Bound::MEMORY.answer_kib(1 << 10))
        .fails(NONE),
];

fn methods(context: &Context, _: &Args) -> Answer<Value> {
    Ok(json!({ "methods": context.about.names }))
}

fn discover(context: &Context, args: &Args) -> Answer<String> {
    let document = &context.about.document;
    match document.len() > args.answer_bytes() {
        true => Err(answer_too_long(args.answer_bytes())),
        false => Ok(document.clone()),
    }
}
