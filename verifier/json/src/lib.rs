//! What a certificate proves, as JSON: of `billchain verify --json`, of the C library and of the
//! one in WebAssembly.
//!
//! ```
//! let shown = billchain_verifier_json::verify(b"no certificate", &[7; 32]);
//! assert!(shown.starts_with(r#"{"refused":"the certificate cannot be read"#));
//! ```
//!
//! `docs/certificates.md` lists the fields. Like the verifier, the crate needs `alloc` alone.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod parts;
mod writer;

use alloc::{
    format,
    string::{String, ToString as _},
};
use billchain_verifier::{Digest, Proved, Refusal, Statement, Tally};
use core::fmt::Display;
use parts::{Hash, Yuan, bill, status};
use writer::{Object, object};

/// What the certificate proves to whoever trusts this genesis, as [`proved`] shows it; or why it
/// proves nothing, as [`refused`] does.
pub fn verify(certificate: &[u8], genesis: &Digest) -> String {
    answer(billchain_verifier::verify(certificate, genesis))
}

/// The same to whoever trusts this checkpoint: the hash of the genesis, or of a change of the
/// validators in the certificate. `genesis` says which genesis the chain has.
pub fn verify_from(certificate: &[u8], checkpoint: &Digest) -> String {
    answer(billchain_verifier::verify_from(certificate, checkpoint))
}

fn answer(found: Result<Proved<'_>, Refusal>) -> String {
    match found {
        Ok(found) => proved(&found),
        Err(refusal) => refused(&refusal),
    }
}

/// An object that says why nothing is proved, in `refused`.
pub fn refused(why: &dyn Display) -> String {
    let mut out = String::new();
    object(&mut out, |shown| shown.field("refused", &*why.to_string()));
    out
}

/// An object with what is proved; `proved` is true in it.
pub fn proved(proved: &Proved<'_>) -> String {
    let mut out = String::new();
    object(&mut out, |shown| {
        shown.field("proved", true);
        shown.field("block", proved.block.number);
        shown.field("block_hash", Hash(&proved.block.hash));
        shown.field("genesis", Hash(&proved.genesis));
        shown.field("from_block", proved.from.number);
        statement(shown, &proved.statement);
    });
    out
}

fn statement(shown: &mut Object<'_>, statement: &Statement<'_>) {
    match statement {
        Statement::Absent { code, number } => {
            shown.field("bill", &*format!("{code}-{number}"));
            shown.field("exists", false);
        }
        Statement::Present { bill: present, transaction } => {
            bill(shown, present);
            shown.field("transaction", transaction.as_ref());
        }
        Statement::Numbers { code, first, last, tally, missing } => {
            shown.field("code", *code);
            shown.field("first", *first);
            shown.field("last", *last);
            shown.field("missing", *missing);
            shown.field("complete", *missing == 0);
            counted(shown, tally);
        }
        Statement::Month { issuer, month, tally } => {
            shown.field("issuer", *issuer);
            shown.field("month", *month);
            counted(shown, tally);
        }
        Statement::Version { bill: version, change, transaction, present } => {
            bill(shown, version);
            shown.field("made", **change);
            shown.field("transaction", transaction.as_ref());
            shown.field("present_version", present.version);
            shown.field("present_status", status(present.status));
        }
    }
}

/// Bills and money, in all and by kind and status.
fn counted(shown: &mut Object<'_>, tally: &Tally) {
    shown.field("lines", tally.lines());
    shown.field("bills", tally.bills());
    shown.field("total", Yuan(tally.fen()));
}

#[cfg(test)]
mod tests;
