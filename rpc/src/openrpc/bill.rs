//! `bill_*`.

use super::describe::{
    CHECK_CODE, CODE, CURSOR, LIMIT, Method, NUMBER, Param, TRANSACTION, maybe, method, of,
    optional, page, required,
};
use billchain_rpc_types::{
    BillHashVerificationView, BillVersionView, BillView, ElementsVerificationView,
    HashVerificationView, MismatchView, schema,
};

const KIND: Param = required("kind", "`xml` or `pdf`", of::<String>);
const HASH: Param = required("hash", "SM3 of the original", of::<schema::Hash>);
const FROM: Param = optional("from", "First issue date (开票日期)", maybe::<schema::IssueDate>);
const TO: Param = optional("to", "Last issue date (开票日期)", maybe::<schema::IssueDate>);

pub(super) const METHODS: &[Method] = &[
    method("bill_get", "A bill by code and number (票据)", &[CODE, NUMBER], maybe::<BillView>),
    method(
        "bill_byCodes",
        "A bill by its three codes (票据三码); null if one of them is wrong",
        &[CODE, NUMBER, CHECK_CODE],
        maybe::<BillView>,
    ),
    method(
        "bill_byTransaction",
        "The bills that a transaction touched (基于交易ID), as they are now",
        &[TRANSACTION],
        maybe::<Vec<BillView>>,
    ),
    method(
        "bill_history",
        "Every version of a bill (历史版本), oldest first",
        &[CODE, NUMBER],
        maybe::<Vec<BillVersionView>>,
    ),
    method(
        "bill_byIssuer",
        "The bills of an issuer (开票方), by issue date",
        &[required("issuer", "DID of the issuer", of::<schema::Did>), FROM, TO, CURSOR, LIMIT],
        page::<BillView>,
    ),
    method(
        "bill_byHolder",
        "The bills that a participant has locked or reimbursed (用票方), by issue date",
        &[required("holder", "DID of the participant", of::<schema::Did>), FROM, TO, CURSOR, LIMIT],
        page::<BillView>,
    ),
    method(
        "bill_byPayer",
        "The bills of a payer (交款人), by issue date",
        &[
            required("payer_ref", "HMAC-SM3 of the payer's identity", of::<schema::Hash>),
            FROM,
            TO,
            CURSOR,
            LIMIT,
        ],
        page::<BillView>,
    ),
    method(
        "bill_byStatus",
        "The bills of a status (票据状态), by issue date",
        &[required("status", "The status", of::<schema::BillStatusWord>), FROM, TO, CURSOR, LIMIT],
        page::<BillView>,
    ),
    method(
        "bill_byDate",
        "All bills of a span of issue dates (开票日期)",
        &[FROM, TO, CURSOR, LIMIT],
        page::<BillView>,
    ),
    method(
        "bill_verifyHash",
        "Compares the hash of an original with the chain's (核验比对)",
        &[CODE, NUMBER, CHECK_CODE, KIND, HASH],
        of::<HashVerificationView>,
    ),
    method(
        "bill_verifyHashByTransaction",
        "Compares the hash of an original with each bill that a transaction touched",
        &[
            required("transaction", "Hash of the transaction (交易ID)", of::<schema::Hash>),
            KIND,
            HASH,
        ],
        maybe::<Vec<BillHashVerificationView>>,
    ),
    method(
        "bill_verifyElements",
        "Compares the five elements of a bill with the chain's (五要素)",
        &[
            CODE,
            NUMBER,
            CHECK_CODE,
            required("issue_date", "开票日期", of::<schema::IssueDate>),
            required("total_fen", "总金额, in fen", of::<schema::Fen>),
        ],
        of::<ElementsVerificationView>,
    ),
    method(
        "bill_mismatches",
        "The reported mismatches of a bill (审计事件)",
        &[CODE, NUMBER, CURSOR, LIMIT],
        page::<MismatchView>,
    ),
];
