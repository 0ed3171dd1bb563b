//! Bills, their versions, and tallies of bills.

use crate::form::{Count, Form};

const DIGEST: Form = Form::Hex(32);
const U16: Form = Form::Little(2);
const U32: Form = Form::Little(4);
const U64: Form = Form::Little(8);
const DID: Form = Form::Text(64);

/// The head of a version.
pub(crate) static VERSION_HEAD: Form = Form::Fields(&[
    ("code", Form::Ascii(8)),
    ("number", Form::Ascii(10)),
    ("version", U32),
    ("block", U32),
    ("transaction", Form::Optional(&U32)),
    ("time", U64),
    ("content", DIGEST),
    ("difference", Form::Optional(&DIGEST)),
]);

const SUMMARY: Form = Form::Fields(&[
    ("code", Form::Ascii(8)),
    ("number", Form::Ascii(10)),
    ("check_code", Form::Ascii(6)),
    ("kind", BILL_KIND),
    ("issue_date", U32),
    ("issue_time", U32),
    ("total", Form::Signed(8)),
    ("issuer", DID),
    ("issuer_uscc", Form::Ascii(18)),
    ("payer", Form::Name(&["person", "organisation"])),
    ("payer_ref", DIGEST),
    ("scene", U16),
    ("biz_no_hash", DIGEST),
    ("xml_hash", DIGEST),
    ("pdf_hash", DIGEST),
    ("location_hash", DIGEST),
    ("related", Form::Optional(&Form::Ascii(18))),
]);

const BILL_KIND: Form = Form::Name(&["blue", "red", "payment_notice"]);

const STATUS: Form = Form::Name(&[
    "pre_issued",
    "normal",
    "locked",
    "partly_reimbursed",
    "reimbursed",
    "red_reversed",
    "voided",
]);

/// A bill.
pub(crate) static BILL: Form = Form::Fields(&[
    ("summary", SUMMARY),
    ("status", STATUS),
    ("version", U32),
    ("version_hash", DIGEST),
    ("lock", Form::Optional(&LOCK)),
    ("reimbursements", REIMBURSEMENTS),
    ("updated", U64),
    ("brought_by", Form::Big(1)),
    ("registered_block", Form::Compact(0xffff_ffff)),
    ("registered_transaction", Form::Compact(0xffff_ffff)),
    ("filled_in", Form::Big(1)),
]);

static LOCK: Form = Form::Fields(&[
    ("holder", DID),
    ("purpose", PURPOSE),
    ("version", U32),
    ("block", U32),
    ("transaction", Form::Optional(&U32)),
    ("time", U64),
    ("expires", Form::Optional(&U64)),
    ("status_before", STATUS),
]);

const PURPOSE: Form = Form::Choice(&[
    (
        &[0],
        "claim",
        &[("scene", U16), ("claim_no", Form::Text(64)), ("grant", Form::Optional(&DIGEST))],
    ),
    (&[1], "administrative", &[("evidence", DIGEST)]),
]);

const REIMBURSEMENTS: Form = Form::List(Count::Compact, 8, &REIMBURSEMENT);

static REIMBURSEMENT: Form = Form::Fields(&[
    ("payer", DID),
    ("scene", U16),
    ("amount", Form::Signed(8)),
    ("status_before", STATUS),
]);

/// A tally.
pub(crate) static TALLY: Form =
    Form::Fields(&[("lines", Form::List(Count::Compact, 21, &LINE)), ("mark", DIGEST)]);

static LINE: Form = Form::Fields(&[
    ("kind", BILL_KIND),
    ("status", STATUS),
    ("bills", Form::Compact(u64::MAX)),
    ("fen", Form::Signed(16)),
]);

/// What a version says.
pub(crate) static CONTENT: Form = Form::Fields(&[
    ("version", U32),
    ("cause", CAUSE),
    ("operator", DID),
    ("reason", Form::Optional(&Form::Text(256))),
    ("evidence", Form::Optional(&DIGEST)),
    ("proposer", Form::Optional(&DID)),
    ("block", U32),
    ("transaction", Form::Optional(&U32)),
    ("time", U64),
    ("summary", SUMMARY),
    ("status", STATUS),
    ("lock", Form::Optional(&LOCK)),
    ("reimbursements", REIMBURSEMENTS),
]);

const CAUSE: Form = Form::Choice(&[
    (
        &[0],
        "operation",
        &[(
            "operation",
            Form::Name(&[
                "register",
                "pre_issue",
                "confirm",
                "void",
                "lock",
                "unlock",
                "expire_lock",
                "admin_lock",
                "admin_unlock",
                "reimburse",
                "reverse_use",
                "red_reverse",
                "adjust",
            ]),
        )],
    ),
    (&[1], "filled_in", &[]),
]);
