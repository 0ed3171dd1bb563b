//! `transaction_*` and `rpc*`: transactions in plain JSON, and the methods
//! about methods.

use super::describe::{Method, NONE, SUBMIT, TRANSACTION, maybe, method, of, optional, required};
use billchain_rpc_types::{PreparedView, TransactionView, schema};

pub(super) const METHODS: &[Method] = &[
    method(
        "transaction_status",
        "What became of a transaction: where it is, and why its call failed, in words",
        &[TRANSACTION],
        of::<TransactionView>,
    ),
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
    ),
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
    )
    .fails(SUBMIT),
    method("rpc_methods", "Names of all methods", &[], of::<schema::Any>).fails(NONE),
    method("rpc.discover", "This document", &[], of::<schema::Any>).fails(NONE),
];
