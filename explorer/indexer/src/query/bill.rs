//! A bill, and its versions with what each changed.

use super::{BillRow, Key, Queries, QueryError, stamp_of};
use crate::{
    insert::values,
    names,
    shape::bill_id,
    stored::{COLUMNS, StoredError, bill_of},
};
use billchain_primitives::{
    Bill as ChainBill, BillKey, LockPurpose,
    history::{Content, FieldChange as Change, VersionRecord, changes},
};
use codec::DecodeAll;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value as Json, json};
use sqlx::{Row, any::AnyRow};

/// A lock that stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Lock {
    /// DID of the holder.
    pub holder: String,
    /// Scene of the claim; none for an administrator's.
    pub scene: Option<u16>,
    /// Number of the claim.
    pub claim_no: Option<String>,
    /// The grant that was used.
    pub grant: Option<String>,
    /// SM3 of the evidence of an administrator's.
    pub evidence: Option<String>,
    /// Since when.
    pub since: u64,
    /// Until when; none: until it is unlocked.
    pub expires: Option<u64>,
}

/// A reimbursement that counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Reimbursement {
    /// DID of who paid.
    pub payer: String,
    /// In which scene.
    pub scene: u16,
    /// How much.
    pub amount_fen: i64,
}

/// A bill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Bill {
    /// What lists show.
    #[serde(flatten)]
    pub row: BillRow,
    /// 校验码.
    pub check_code: Option<String>,
    /// 开票时间, hhmmss.
    pub issue_time: u32,
    /// 统一社会信用代码 of the issuer.
    pub issuer_uscc: String,
    /// `person` or `organisation`.
    pub payer_type: String,
    /// Payer reference.
    pub payer_ref: Option<String>,
    /// SM3 of the business number.
    pub biz_no_hash: String,
    /// SM3 of the XML original.
    pub xml_hash: String,
    /// SM3 of the PDF; none until it is known.
    pub pdf_hash: Option<String>,
    /// SM3 of where the originals are stored.
    pub location_hash: Option<String>,
    /// The blue bill of a red or balance bill.
    pub related: Option<Key>,
    /// Hash of the present version.
    pub version_hash: String,
    /// Its lock.
    pub lock: Option<Lock>,
    /// Its reimbursements.
    pub reimbursements: Vec<Reimbursement>,
}

/// A field with its values before and after.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct FieldChange {
    /// Path of the field.
    pub field: String,
    /// Before; null: it had none.
    pub before: Json,
    /// After.
    pub after: Json,
}

/// A version of a bill.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct BillVersion {
    /// Its number, from 1.
    pub version: i64,
    /// Its hash.
    pub hash: String,
    /// What was done.
    pub cause: String,
    /// DID of who did it.
    pub operator: String,
    /// Its name.
    pub operator_name: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// SM3 of the evidence.
    pub evidence: Option<String>,
    /// Who proposed it, where two are needed.
    pub proposer: Option<String>,
    /// Block.
    pub block: u32,
    /// Place of the transaction in it.
    pub index: Option<u32>,
    /// Hash of the transaction.
    pub transaction: Option<String>,
    /// Time of the block.
    pub time: i64,
    /// Status after it.
    pub status: String,
    /// What it changed; empty for the first.
    pub changes: Vec<FieldChange>,
}

fn hex32(bytes: &[u8; 32]) -> String {
    format!("0x{}", hex::encode(bytes))
}

fn if_any(bytes: &[u8; 32]) -> Option<String> {
    (*bytes != [0; 32]).then(|| hex32(bytes))
}

fn changes_json(changes: Vec<Change>) -> Vec<FieldChange> {
    let value = |value: &Option<_>| json!(value);
    changes
        .iter()
        .map(|change| FieldChange {
            field: change.field.to_string(),
            before: value(&change.old),
            after: value(&change.new),
        })
        .collect()
}

impl Queries {
    async fn stored(&self, id: i64) -> Result<Option<ChainBill>, QueryError> {
        let sql =
            format!("SELECT {COLUMNS} FROM bills b JOIN dids d ON d.id = b.issuer WHERE b.id = $1");
        let row = self.row(sql, values![id]).await?;
        Ok(row.map(|row| bill_of(&row)).transpose()?)
    }

    /// A bill, or none.
    ///
    /// # Errors
    /// The database fails.
    pub async fn bill(&self, key: &BillKey) -> Result<Option<Bill>, QueryError> {
        let id = bill_id(key);
        let Some(bill) = self.stored(id).await? else { return Ok(None) };
        let Some(row) = self.bills_of(&[id]).await?.pop() else { return Ok(None) };
        let ChainBill { summary, state, .. } = bill;
        let lock = state.lock.map(|lock| {
            let (scene, claim_no, grant, evidence) = match &lock.purpose {
                LockPurpose::Claim { scene, claim_no, grant } => (
                    Some(scene.0),
                    Some(claim_no.to_string()),
                    grant.map(|grant| format!("{:?}", grant.0)),
                    None,
                ),
                LockPurpose::Administrative { evidence } => {
                    (None, None, None, Some(hex32(evidence)))
                }
            };
            let (holder, since, expires) = (lock.holder.to_string(), lock.at.moment, lock.expires);
            Lock { holder, scene, claim_no, grant, evidence, since, expires }
        });
        let reimbursements = state
            .reimbursements
            .iter()
            .map(|part| Reimbursement {
                payer: part.payer.to_string(),
                scene: part.scene.0,
                amount_fen: part.amount.get(),
            })
            .collect();
        Ok(Some(Bill {
            row,
            check_code: Some(summary.check_code.to_string()),
            issue_time: summary.issue_time.get(),
            issuer_uscc: summary.issuer_uscc.to_string(),
            payer_type: names::payer_type(names::number(&summary.payer_type)),
            payer_ref: Some(hex32(&summary.payer_ref)),
            biz_no_hash: hex32(&summary.biz_no_hash),
            xml_hash: hex32(&summary.xml_hash),
            pdf_hash: if_any(&summary.pdf_hash),
            location_hash: if_any(&summary.location_hash),
            related: summary.related.map(|key| Key::of(bill_id(&key))),
            version_hash: hex32(&state.version_hash),
            lock,
            reimbursements,
        }))
    }

    /// Versions of a bill from one on, the first first; empty if there is no such bill.
    ///
    /// # Errors
    /// The database fails, or a row is damaged.
    pub async fn bill_versions(
        &self,
        key: &BillKey,
        from: u32,
        limit: u32,
    ) -> Result<Vec<BillVersion>, QueryError> {
        let id = bill_id(key);
        let limit = limit.clamp(1, super::MAX_LIMIT);
        // The one before is needed to say what the first of them changed.
        let rows = self
            .rows(
                format!(
                    "SELECT version, hash, cause, operator, tx, time, status, record FROM versions \
                     WHERE bill = $1 AND version >= $2 ORDER BY version LIMIT {}",
                    limit + 1
                ),
                values![id, i64::from(from) - 1],
            )
            .await?;
        let Some(present) = self.stored(id).await? else { return Ok(Vec::new()) };
        let people =
            self.people(rows.iter().filter_map(|row| row.try_get(3).ok()).collect()).await?;
        let hashes =
            self.tx_hashes(rows.iter().filter_map(|row| row.try_get(4).ok()).collect()).await?;
        let (mut versions, mut before) = (Vec::new(), None::<VersionRecord>);
        for row in &rows {
            let record = record_of(row, id)?;
            let number: i64 = row.try_get(0)?;
            if number >= i64::from(from) {
                let mut version = version_of(row, record.as_ref())?;
                let (tx, operator): (i64, i64) = (row.try_get(4)?, row.try_get(3)?);
                version.operator = people.did(operator);
                version.operator_name = people.name(operator);
                version.transaction = hashes.get(&tx).cloned();
                if let Some(record) = &record {
                    version.changes = difference(before.as_ref(), record, &present);
                }
                versions.push(version);
            }
            before = record;
        }
        versions.truncate(usize::try_from(limit).unwrap_or(1));
        Ok(versions)
    }

    /// Whether a bill concerns somebody: its issuer, whoever held it or paid on it, its parties.
    ///
    /// # Errors
    /// The database fails.
    pub async fn concerns(&self, key: &BillKey, did: &str) -> Result<bool, QueryError> {
        let Some(who) = self.did_id(did).await? else { return Ok(false) };
        let sql = "SELECT 1 FROM bills WHERE id = $1 AND issuer = $2 \
                   UNION ALL SELECT 1 FROM holdings WHERE bill = $1 AND holder = $2 \
                   UNION ALL SELECT 1 FROM reimbursements WHERE bill = $1 AND payer = $2 \
                   UNION ALL SELECT 1 FROM links WHERE bill = $1 AND party = $2 LIMIT 1";
        Ok(self.row(sql.into(), values![bill_id(key), who]).await?.is_some())
    }
}

fn record_of(row: &AnyRow, id: i64) -> Result<Option<VersionRecord>, QueryError> {
    let bytes: Option<Vec<u8>> = row.try_get(7)?;
    let Some(bytes) = bytes else { return Ok(None) };
    let decoded = VersionRecord::decode_all(&mut &bytes[..]);
    let damaged = |error| StoredError::Damaged { id, what: format!("a version: {error}") };
    Ok(Some(decoded.map_err(damaged)?))
}

fn version_of(row: &AnyRow, record: Option<&VersionRecord>) -> Result<BillVersion, QueryError> {
    let tx: i64 = row.try_get(4)?;
    let (block, index) = stamp_of(tx);
    let entry = record.map(|record| &record.body.entry);
    Ok(BillVersion {
        version: row.try_get(0)?,
        hash: super::hex_of(row, 1)?,
        cause: names::cause(row.try_get(2)?),
        operator: String::new(),
        operator_name: None,
        reason: entry.and_then(|entry| entry.reason.as_ref()).map(ToString::to_string),
        evidence: entry.and_then(|entry| entry.evidence.as_ref()).map(hex32),
        proposer: entry.and_then(|entry| entry.proposer.as_ref()).map(ToString::to_string),
        block,
        index,
        transaction: None,
        time: row.try_get(5)?,
        status: names::status(row.try_get(6)?),
        changes: Vec::new(),
    })
}

/// What a version changed. The one before it is the first if it has no record: then it is what
/// was registered.
fn difference(
    before: Option<&VersionRecord>,
    record: &VersionRecord,
    present: &ChainBill,
) -> Vec<FieldChange> {
    let after = Content::from(&record.body);
    match before {
        Some(before) => changes_json(changes(Content::from(&before.body), after)),
        None => {
            let mut first = present.clone();
            first.summary = present.registered();
            first.state.lock = None;
            first.state.reimbursements.clear();
            first.state.status = opening(present);
            changes_json(changes(Content::from(&first), after))
        }
    }
}

/// The status that a bill began with.
fn opening(bill: &ChainBill) -> billchain_primitives::BillStatus {
    use billchain_primitives::{BillStatus, Operation};
    match bill.receipt.operation {
        Operation::PreIssue => BillStatus::PreIssued,
        _ => BillStatus::Normal,
    }
}
