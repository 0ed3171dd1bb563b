//! `bill_*`: bills in plain JSON.

mod certificate;
mod history;
mod lists;
mod parties;
mod read;
mod verify;

pub(crate) use read::{bill, key, read_batches};

use crate::method::{
    Bound, CERTIFY, CHECK_CODE, CODE, CURSOR, LIMIT, Method, NUMBER, Param, TRANSACTION, list,
    maybe, method, of, optional, page, read, required,
};
use billchain_certificate::MAX_ITEMS;
use billchain_primitives::{BillStatus, history::MAX_LATER};
use billchain_rpc_types::{
    AdjustmentView, BillCertificateView, BillHashVerificationView, BillVersionView, BillView,
    DifferenceView, ElementsVerificationView, FieldProofView, FieldRulesView, HashVerificationView,
    HistoryCheckView, LinkRecordView, MismatchView, Page, PartyBillView, PartyView, schema,
};
use pallet_bill_query::MAX_QUERIES;

const KIND: Param = required("kind", "`xml` or `pdf`", of::<String>);
const HASH: Param = required("hash", "SM3 of the original", of::<schema::Hash>);
const FROM: Param = optional("from", "First issue date (开票日期)", maybe::<schema::IssueDate>);
const START: Param = optional(
    "from",
    "Hash of the genesis, or of a later block that named validators, at which the certificate \
     starts; the genesis by default",
    maybe::<schema::Hash>,
);
const TO: Param = optional("to", "Last issue date (开票日期)", maybe::<schema::IssueDate>);

/// Many bills in one request.
const BATCH: Bound =
    Bound::ONE.of(MAX_QUERIES as u32, "bills").params_kib(64).answer_kib(8 << 10).heavy();

/// A certificate: at most 1 MiB, and twice that in hex.
const CERTIFICATE: Bound = Bound::ONE.answer_kib((2 << 10) + 1).heavy();

pub(crate) const METHODS: &[Method] = &[
    method(
        "bill_get",
        "A bill by code and number (票据)",
        &[CODE, NUMBER],
        maybe::<BillView>,
        read!(read::get),
    ),
    method(
        "bill_byCodes",
        "A bill by its three codes (票据三码); null if one of them is wrong",
        &[CODE, NUMBER, CHECK_CODE],
        maybe::<BillView>,
        read!(read::by_codes),
    ),
    method(
        "bill_byTransaction",
        "The bills that a transaction touched (基于交易ID), as they are now",
        &[TRANSACTION],
        maybe::<Vec<BillView>>,
        read!(read::by_transaction),
    ).within(Bound::ONE.of(read::MAX_TOUCHED as u32, "bills").answer_kib(16 << 10).heavy()),
    method(
        "bill_getBatch",
        "Bills by code and number (批量查询), in the order asked; null for what there is not",
        &[required("bills", "At most 500", list::<schema::BillKeyPair>)],
        list::<Option<BillView>>,
        read!(read::get_batch),
    ).within(BATCH),
    method(
        "bill_byCodesBatch",
        "Bills by their three codes (票据三码), in the order asked",
        &[required("bills", "At most 500", list::<schema::ThreeCodes>)],
        list::<Option<BillView>>,
        read!(read::by_codes_batch),
    ).within(BATCH),
    method(
        "bill_history",
        "The versions of a bill (历史版本), oldest first",
        &[
            CODE,
            NUMBER,
            optional("from", "First version, 1 by default", maybe::<u32>),
            optional("limit", "Most versions, 1,024 at most", maybe::<u32>),
        ],
        maybe::<Vec<BillVersionView>>,
        read!(history::history),
    ).within(Bound::ONE.of(history::MAX_VERSIONS, "versions").answer_kib(16 << 10)),
    method(
        "bill_difference",
        "The fields in which two versions differ (差异记录); null if there is no bill",
        &[
            CODE,
            NUMBER,
            optional("from", "The older; by default the one before the newer", maybe::<u32>),
            optional("to", "The newer; by default the present one", maybe::<u32>),
        ],
        maybe::<DifferenceView>,
        read!(history::difference),
    ).within(Bound::ONE.of(2, "versions")),
    method(
        "bill_proveField",
        "The proof that a version changed a field (默克尔证明), without any other field",
        &[
            CODE,
            NUMBER,
            required("version", "The version; null: the present one", maybe::<u32>),
            required("field", "Path of the field, such as `lock.holder`", of::<String>),
        ],
        maybe::<FieldProofView>,
        read!(history::prove_field),
    ).within(Bound::ONE.of(MAX_LATER + 2, "versions").answer_kib(2 << 10).heavy()),
    method(
        "bill_certificate",
        "The certificate of a bill (链上凭证), or that there is no such bill, as of the head",
        &[CODE, NUMBER, START],
        of::<BillCertificateView>,
        read!(certificate::certificate),
    ).fails(CERTIFY).within(CERTIFICATE),
    method(
        "bill_versionCertificate",
        "The certificate of what a bill was at a version (历史版本), as of the head",
        &[CODE, NUMBER, required("version", "The version, from 1", of::<u32>), START],
        of::<BillCertificateView>,
        read!(certificate::version),
    ).fails(CERTIFY).within(CERTIFICATE.of(MAX_LATER + 1, "versions")),
    method(
        "bill_numbersCertificate",
        "The certificate of a range of numbers (号段): bills and money by kind and status, and \
         how many numbers no bill has, as of the head",
        &[
            CODE,
            required("first", "The first number (票据号码)", of::<schema::BillNumber>),
            required("last", "The last number", of::<schema::BillNumber>),
            START,
        ],
        of::<BillCertificateView>,
        read!(certificate::numbers),
    ).fails(CERTIFY).within(CERTIFICATE.of(MAX_ITEMS as u32, "bills and blocks of numbers")),
    method(
        "bill_monthCertificate",
        "The certificate of an issuer's month (开票月份): bills and money by kind and status, as \
         of the head",
        &[
            required("issuer", "DID of the issuer", of::<schema::Did>),
            required("month", "Month of the issue dates (开票日期)", of::<schema::Month>),
            START,
        ],
        of::<BillCertificateView>,
        read!(certificate::month),
    ).fails(CERTIFY).within(CERTIFICATE),
    method(
        "bill_verifyHistory",
        "Whether the node's versions are the bill's complete history (版本链校验), a part at a time",
        &[
            CODE,
            NUMBER,
            optional("cursor", "`next` of the part before", maybe::<schema::Bytes>),
            optional("limit", "Most versions, 1,024 at most", maybe::<u32>),
        ],
        maybe::<HistoryCheckView>,
        read!(history::verify_history),
    ).within(Bound::ONE.of(history::MAX_VERSIONS + 2, "versions").heavy()),
    method(
        "bill_adjustment",
        "The adjustment by hand that waits for a second administrator (状态调整)",
        &[CODE, NUMBER],
        maybe::<AdjustmentView>,
        read!(read::adjustment),
    ),
    method(
        "bill_parties",
        "The parties of a bill and the bills that belong to it (票据-参与方关联)",
        &[CODE, NUMBER, CURSOR, LIMIT],
        maybe::<Page<PartyView>>,
        read!(parties::parties),
    ).within(Bound::PAGE),
    method(
        "bill_byParty",
        "The bills that a participant is linked to, oldest first; for what it issued see bill_byIssuer",
        &[required("party", "DID of the participant", of::<schema::Did>), CURSOR, LIMIT],
        page::<PartyBillView>,
        read!(parties::by_party),
    ).within(Bound::PAGE),
    method(
        "bill_linkHistory",
        "What was done about a bill's links, oldest first",
        &[CODE, NUMBER, CURSOR, LIMIT],
        page::<LinkRecordView>,
        read!(parties::link_history),
    ).within(Bound::PAGE),
    method(
        "bill_fieldRules",
        "The field rules of a scene, or of all scenes (字段校验规则)",
        &[
            optional("scene", "Number of the scene; null: all scenes", maybe::<schema::SceneId>),
            optional("version", "Their version; null: the one in force", maybe::<u32>),
        ],
        maybe::<FieldRulesView>,
        read!(parties::field_rules),
    ),
    method(
        "bill_byIssuer",
        "The bills of an issuer (开票方), by issue date",
        &[required("issuer", "DID of the issuer", of::<schema::Did>), FROM, TO, CURSOR, LIMIT],
        page::<BillView>,
        read!(lists::by_issuer),
    ).within(Bound::PAGE),
    method(
        "bill_byHolder",
        "The bills that a participant has locked or reimbursed (用票方), by issue date",
        &[required("holder", "DID of the participant", of::<schema::Did>), FROM, TO, CURSOR, LIMIT],
        page::<BillView>,
        read!(lists::by_holder),
    ).within(Bound::PAGE),
    method(
        "bill_byPayer",
        "The bills of a payer (交款人), by issue date",
        &[
            required("payer_ref", "The payer's reference", of::<schema::Hash>),
            FROM,
            TO,
            CURSOR,
            LIMIT,
        ],
        page::<BillView>,
        read!(lists::by_payer),
    ).within(Bound::PAGE),
    method(
        "bill_byStatus",
        "The bills of a status (票据状态), by issue date",
        &[required("status", "The status", of::<schema::BillStatusWord>), FROM, TO, CURSOR, LIMIT],
        page::<BillView>,
        read!(lists::by_status),
    ).within(Bound::PAGE),
    method(
        "bill_byDate",
        "All bills of a span of issue dates (开票日期)",
        &[FROM, TO, CURSOR, LIMIT],
        page::<BillView>,
        read!(lists::by_date),
    ).within(Bound::PAGE.of(101 * BillStatus::ALL.len() as u32, "entries")),
    method(
        "bill_verifyHash",
        "Compares the hash of an original with the chain's (核验比对)",
        &[CODE, NUMBER, CHECK_CODE, KIND, HASH],
        of::<HashVerificationView>,
        read!(verify::verify_hash),
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
        read!(verify::verify_hash_by_transaction),
    ).within(Bound::ONE.of(read::MAX_TOUCHED as u32, "bills").answer_kib(2 << 10).heavy()),
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
        read!(verify::verify_elements),
    ),
    method(
        "bill_mismatches",
        "The reported mismatches of a bill (审计事件)",
        &[CODE, NUMBER, CURSOR, LIMIT],
        page::<MismatchView>,
        read!(verify::mismatches),
    ).within(Bound::PAGE),
];
