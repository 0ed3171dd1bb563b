//! The parts of a statement: a bill, its lock, what made it so, and the lines of a tally.

use crate::writer::{Json, Object, object};
use alloc::{format, string::String};
use billchain_verifier::{
    Bill, Change, Digest, Kind, Line, Lock, Purpose, Reimbursement, Status, Transaction,
};
use core::fmt::Write as _;

/// A digest: `0x` and 64 hexadecimal digits.
pub(crate) struct Hash<'a>(pub(crate) &'a Digest);

impl Json for Hash<'_> {
    fn write(&self, out: &mut String) {
        out.push_str("\"0x");
        for byte in self.0 {
            let _ = write!(out, "{byte:02x}");
        }
        out.push('"');
    }
}

/// Fen, as a text of yuan with two decimals.
pub(crate) struct Yuan(pub(crate) i128);

impl Json for Yuan {
    fn write(&self, out: &mut String) {
        let (sign, fen) = (if self.0 < 0 { "-" } else { "" }, self.0.unsigned_abs());
        let _ = write!(out, "\"{sign}{}.{:02}\"", fen / 100, fen % 100);
    }
}

/// Writes the fields of a bill that there is.
pub(crate) fn bill(shown: &mut Object<'_>, bill: &Bill<'_>) {
    shown.field("bill", &*format!("{}-{}", bill.code, bill.number));
    shown.field("exists", true);
    shown.field("status", status(bill.status));
    shown.field("version", bill.version);
    shown.field("check_code", bill.check_code);
    shown.field("kind", kind(bill.kind));
    shown.field("issue_date", bill.issue_date);
    shown.field("issue_time", bill.issue_time);
    shown.field("total", Yuan(bill.total.into()));
    shown.field("issuer", bill.issuer);
    shown.field("issuer_uscc", bill.issuer_uscc);
    shown.field("scene", bill.scene);
    shown.field("xml_hash", Hash(&bill.xml_hash));
    shown.field("pdf_hash", Hash(&bill.pdf_hash));
    shown.field("payer_ref", Hash(&bill.payer_ref));
    shown.field("related", bill.related);
    shown.field("version_hash", Hash(&bill.version_hash));
    shown.field("updated", bill.updated);
    shown.field("lock", bill.lock.as_ref());
    shown.field("reimbursements", &*bill.reimbursements);
}

impl Json for Lock<'_> {
    fn write(&self, out: &mut String) {
        object(out, |shown| {
            shown.field("holder", self.holder);
            shown.field("purpose", &self.purpose);
            shown.field("expires", self.expires);
        });
    }
}

impl Json for Purpose<'_> {
    fn write(&self, out: &mut String) {
        object(out, |shown| match self {
            Self::Claim { scene, claim_no, .. } => {
                shown.field("scene", *scene);
                shown.field("claim_no", *claim_no);
            }
            Self::Administrative { evidence } => shown.field("evidence", Hash(evidence)),
        });
    }
}

impl Json for Reimbursement<'_> {
    fn write(&self, out: &mut String) {
        object(out, |shown| {
            shown.field("payer", self.payer);
            shown.field("scene", self.scene);
            shown.field("fen", self.amount);
        });
    }
}

impl Json for Transaction {
    fn write(&self, out: &mut String) {
        object(out, |shown| {
            shown.field("block", self.block.number);
            shown.field("index", self.index);
            shown.field("hash", Hash(&self.hash));
        });
    }
}

/// What made a version.
impl Json for Change<'_> {
    fn write(&self, out: &mut String) {
        object(out, |shown| {
            shown.field("cause", self.cause.name());
            shown.field("operator", self.operator);
            shown.field("reason", self.reason);
            shown.field("evidence", self.evidence.as_ref().map(Hash));
            shown.field("proposer", self.proposer);
            shown.field("block", self.block);
            shown.field("index", self.index);
        });
    }
}

/// Bills of one kind and status.
impl Json for Line {
    fn write(&self, out: &mut String) {
        object(out, |shown| {
            shown.field("kind", kind(self.kind));
            shown.field("status", status(self.status));
            shown.field("bills", self.bills);
            shown.field("total", Yuan(self.fen));
        });
    }
}

const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Blue => "blue",
        Kind::Red => "red",
        Kind::PaymentNotice => "payment_notice",
    }
}

pub(crate) const fn status(status: Status) -> &'static str {
    match status {
        Status::PreIssued => "pre_issued",
        Status::Normal => "normal",
        Status::Locked => "locked",
        Status::PartlyReimbursed => "partly_reimbursed",
        Status::Reimbursed => "reimbursed",
        Status::RedReversed => "red_reversed",
        Status::Voided => "voided",
    }
}
