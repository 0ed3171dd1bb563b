//! Bills and their versions.

use crate::{StampView, schema};
use billchain_primitives::{
    Bill, BillCode, BillKey, BillKind, BillNumber, BillStatus, CheckCode, Did, Fen, GrantId,
    IssueDate, IssueTime, Lock, LockPurpose, Operation, PayerType, Receipt, SceneId, Uscc,
    history::{Cause, VersionRecord},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sp_core::H256;

/// Code and number of a bill.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct BillKeyView {
    /// 票据代码.
    #[schemars(with = "schema::BillCode")]
    pub code: BillCode,
    /// 票据号码.
    #[schemars(with = "schema::BillNumber")]
    pub number: BillNumber,
}

impl From<BillKey> for BillKeyView {
    fn from(key: BillKey) -> Self {
        Self { code: key.code, number: key.number }
    }
}

/// A bill as the chain holds it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct BillView {
    /// 票据代码.
    #[schemars(with = "schema::BillCode")]
    pub code: BillCode,
    /// 票据号码.
    #[schemars(with = "schema::BillNumber")]
    pub number: BillNumber,
    /// 校验码.
    #[schemars(with = "schema::CheckCode")]
    pub check_code: CheckCode,
    /// `blue`, `red` or `payment_notice`.
    #[schemars(with = "schema::BillKind")]
    pub kind: BillKind,
    /// `yyyymmdd`.
    #[schemars(with = "schema::IssueDate")]
    pub issue_date: IssueDate,
    /// `hhmmss`.
    #[schemars(with = "schema::IssueTime")]
    pub issue_time: IssueTime,
    /// Total in fen, negative on a red bill.
    #[schemars(with = "schema::Fen")]
    pub total_fen: Fen,
    /// DID of the issuer.
    #[schemars(with = "schema::Did")]
    pub issuer: Did,
    /// 统一社会信用代码 of the issuer.
    #[schemars(with = "schema::Uscc")]
    pub issuer_uscc: Uscc,
    /// `person` or `organisation`.
    #[schemars(with = "schema::PayerType")]
    pub payer_type: PayerType,
    /// The payer's reference, from the bureau's service.
    #[schemars(with = "schema::Hash")]
    pub payer_ref: H256,
    /// Business scene.
    #[schemars(with = "schema::SceneId")]
    pub scene: SceneId,
    /// SM3 of the issuer's business number.
    #[schemars(with = "schema::Hash")]
    pub biz_no_hash: H256,
    /// SM3 of the XML original.
    #[schemars(with = "schema::Hash")]
    pub xml_hash: H256,
    /// SM3 of the PDF, once it is known.
    #[schemars(with = "Option<schema::Hash>")]
    pub pdf_hash: Option<H256>,
    /// SM3 of the storage location, once it is known.
    #[schemars(with = "Option<schema::Hash>")]
    pub location_hash: Option<H256>,
    /// The blue bill of a red or balance bill.
    pub related: Option<BillKeyView>,
    /// Status: `pre_issued`, `normal`, `locked`, `partly_reimbursed`,
    /// `reimbursed`, `red_reversed` or `voided`.
    #[schemars(with = "schema::BillStatusWord")]
    pub status: BillStatus,
    /// Version, from 1.
    pub version: u32,
    /// Hash of the version, which covers all before it.
    #[schemars(with = "schema::Hash")]
    pub version_hash: H256,
    /// The lock, exactly when the status is `locked`.
    pub lock: Option<LockView>,
    /// Reimbursements that count.
    pub reimbursements: Vec<ReimbursementView>,
    /// Their sum in fen.
    #[schemars(with = "schema::Fen")]
    pub reimbursed_fen: Fen,
    /// Time of the block that made this version.
    pub updated: u64,
    /// How the bill came onto the chain.
    pub registration: RegistrationView,
}

/// How a bill came onto the chain; it never changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RegistrationView {
    /// Number of the block.
    pub block: u32,
    /// Index of the transaction in it.
    pub extrinsic: u32,
    /// What was done: `register`, `pre_issue` or `red_reverse`.
    #[schemars(with = "schema::Operation")]
    pub operation: Operation,
    /// SM3 of the SCALE-encoded summary as it came; what was filled in later is
    /// not in it.
    #[schemars(with = "schema::Hash")]
    pub content_hash: H256,
}

impl From<&Bill> for RegistrationView {
    fn from(bill: &Bill) -> Self {
        let receipt = bill.receipt;
        Self {
            block: receipt.block,
            extrinsic: receipt.extrinsic,
            operation: receipt.operation,
            content_hash: H256(bill.registered().content_hash()),
        }
    }
}

/// A party (参与方) of a bill, or another bill that belongs to it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PartyView {
    /// `issuer`, `payer_agent`, `claimant`, `insurer` or `other` of a party;
    /// `original`, `red` or `balance` of a bill: the one that this bill reverses
    /// or replaces, or that reverses or replaces this one.
    pub relation: String,
    /// DID of the party.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<schema::Did>")]
    pub party: Option<Did>,
    /// Code and number of the bill.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bill: Option<BillKeyView>,
    /// Since when a linked party stands in the relation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<StampView>,
    /// DID of who linked it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<schema::Did>")]
    pub operator: Option<Did>,
}

/// A bill that a party is linked to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PartyBillView {
    /// 票据代码.
    #[schemars(with = "schema::BillCode")]
    pub code: BillCode,
    /// 票据号码.
    #[schemars(with = "schema::BillNumber")]
    pub number: BillNumber,
    /// `payer_agent`, `claimant`, `insurer` or `other`.
    pub relation: String,
    /// Since when.
    pub since: StampView,
}

/// A change of a bill's links.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct LinkRecordView {
    /// Number among the records of its bill, from 1.
    pub number: u32,
    /// When, and in which transaction.
    pub at: StampView,
    /// DID of who sent it.
    #[schemars(with = "schema::Did")]
    pub operator: Did,
    /// DID of the party.
    #[schemars(with = "schema::Did")]
    pub party: Did,
    /// `linked`, `changed` or `ended`.
    pub act: String,
    /// The relation before; none when it was linked.
    pub from: Option<String>,
    /// The relation after; none when it ended.
    pub to: Option<String>,
    /// Why; none when it was linked.
    pub reason: Option<String>,
}

/// Field rules (字段校验规则) of a scene or of all scenes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct FieldRulesView {
    /// The scene; none: all.
    #[schemars(with = "Option<schema::SceneId>")]
    pub scene: Option<SceneId>,
    /// Version, from 1.
    pub version: u32,
    /// Account that set them, 32 bytes; none for the genesis and the council.
    #[schemars(with = "Option<schema::Hash>")]
    pub operator: Option<H256>,
    /// When they were set.
    pub at: StampView,
    /// The rules, each `{"kind": null, "check": {"required": "pdf_hash"}}` and
    /// the like; see `docs/rpc.md`.
    pub rules: Vec<serde_json::Value>,
}

/// Reservation of a bill.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct LockView {
    /// DID of the holder.
    #[schemars(with = "schema::Did")]
    pub holder: Did,
    /// Scene of the claim; none for an administrator's lock.
    #[schemars(with = "Option<schema::SceneId>")]
    pub scene: Option<SceneId>,
    /// Number of the claim; none for an administrator's lock.
    pub claim_no: Option<String>,
    /// The grant that allowed the lock; none if the scene's whitelist did.
    #[serde(default)]
    #[schemars(with = "Option<schema::Hash>")]
    pub grant: Option<GrantId>,
    /// SM3 of the evidence of an administrator's lock.
    #[schemars(with = "Option<schema::Hash>")]
    pub evidence: Option<H256>,
    /// The version of the bill that the lock made.
    pub version: u32,
    /// When, and in which transaction.
    pub at: StampView,
    /// Since when; the time of `at`.
    pub since: u64,
    /// Until when, inclusive; none: until it is unlocked.
    pub expires: Option<u64>,
    /// Status before the lock.
    #[schemars(with = "schema::BillStatusWord")]
    pub before: BillStatus,
}

/// One reimbursement that counts.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ReimbursementView {
    /// DID of who paid.
    #[schemars(with = "schema::Did")]
    pub payer: Did,
    /// Scene of the claim.
    #[schemars(with = "schema::SceneId")]
    pub scene: SceneId,
    /// Amount in fen.
    #[schemars(with = "schema::Fen")]
    pub amount_fen: Fen,
    /// Status before it.
    #[schemars(with = "schema::BillStatusWord")]
    pub before: BillStatus,
}

/// One version of a bill: who changed it, how and why, and the bill after.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct BillVersionView {
    /// Version, from 1.
    pub version: u32,
    /// Hash of the version, which covers the one before it and all this one
    /// says.
    #[schemars(with = "schema::Hash")]
    pub hash: H256,
    /// Hash of the version before; zero for the first.
    #[schemars(with = "schema::Hash")]
    pub previous: H256,
    /// Digest of the whole version.
    #[schemars(with = "schema::Hash")]
    pub content: H256,
    /// Merkle root of what the version changed; none for the first.
    #[schemars(with = "Option<schema::Hash>")]
    pub difference: Option<H256>,
    /// What was done: `{"operation": "lock"}` and the like, or `summary`.
    #[schemars(with = "schema::Cause")]
    pub cause: Cause,
    /// DID of who sent the transaction.
    #[schemars(with = "schema::Did")]
    pub operator: Did,
    /// Why, where the operation asks for a reason.
    pub reason: Option<String>,
    /// SM3 of evidence or approval, where the operation asks for one.
    #[schemars(with = "Option<schema::Hash>")]
    pub evidence: Option<H256>,
    /// DID of who proposed it, where the operation takes two.
    #[schemars(with = "Option<schema::Did>")]
    pub proposer: Option<Did>,
    /// Number of the block.
    pub block: u32,
    /// Index of the transaction in it.
    pub extrinsic: Option<u32>,
    /// Time of the block.
    pub time: u64,
    /// The bill after the change.
    pub bill: BillView,
}

fn known(hash: [u8; 32]) -> Option<H256> {
    (hash != [0; 32]).then_some(H256(hash))
}

impl From<&Lock> for LockView {
    fn from(lock: &Lock) -> Self {
        let (scene, claim_no, evidence) = match &lock.purpose {
            LockPurpose::Claim { scene, claim_no, .. } => {
                (Some(*scene), Some(claim_no.as_str().to_owned()), None)
            }
            LockPurpose::Administrative { evidence } => (None, None, Some(H256(*evidence))),
        };
        let grant = match &lock.purpose {
            LockPurpose::Claim { grant, .. } => *grant,
            LockPurpose::Administrative { .. } => None,
        };
        Self {
            holder: lock.holder.clone(),
            scene,
            claim_no,
            grant,
            evidence,
            version: lock.version,
            at: lock.at.into(),
            since: lock.at.moment,
            expires: lock.expires,
            before: lock.before,
        }
    }
}

impl From<&Bill> for BillView {
    fn from(bill: &Bill) -> Self {
        let Bill { summary, state, .. } = bill;
        Self {
            code: summary.key.code,
            number: summary.key.number,
            check_code: summary.check_code,
            kind: summary.kind,
            issue_date: summary.issue_date,
            issue_time: summary.issue_time,
            total_fen: summary.total,
            issuer: summary.issuer.clone(),
            issuer_uscc: summary.issuer_uscc,
            payer_type: summary.payer_type,
            payer_ref: H256(summary.payer_ref),
            scene: summary.scene,
            biz_no_hash: H256(summary.biz_no_hash),
            xml_hash: H256(summary.xml_hash),
            pdf_hash: known(summary.pdf_hash),
            location_hash: known(summary.location_hash),
            related: summary.related.map(Into::into),
            status: state.status,
            version: state.version,
            version_hash: H256(state.version_hash),
            lock: state.lock.as_ref().map(Into::into),
            reimbursements: state
                .reimbursements
                .iter()
                .map(|r| ReimbursementView {
                    payer: r.payer.clone(),
                    scene: r.scene,
                    amount_fen: r.amount,
                    before: r.before,
                })
                .collect(),
            reimbursed_fen: bill.reimbursed(),
            updated: state.updated,
            registration: bill.into(),
        }
    }
}

impl BillVersionView {
    /// What `record` says; `receipt` is that of its bill, then or later.
    pub fn new(record: &VersionRecord, receipt: Receipt) -> Self {
        let body = &record.body;
        let head = record.head();
        Self {
            version: body.version,
            hash: H256(head.hash_after(&record.previous)),
            previous: H256(record.previous),
            content: H256(head.content),
            difference: head.difference.map(H256),
            cause: body.entry.cause,
            operator: body.entry.operator.clone(),
            reason: body.entry.reason.as_ref().map(|reason| reason.as_str().to_owned()),
            evidence: body.entry.evidence.map(H256),
            proposer: body.entry.proposer.clone(),
            block: body.at.block,
            extrinsic: body.at.extrinsic,
            time: body.at.moment,
            bill: BillView::from(&record.bill(receipt)),
        }
    }
}
