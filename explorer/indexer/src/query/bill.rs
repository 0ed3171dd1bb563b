//! A bill and its life: versions with what each changed, who held it when, what belongs to it.

use super::{
    BillRow, CaseRow, Contention, Key, Queries, QueryError, TransactionRow, json_of, stamp_of,
};
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
use serde::Serialize;
use serde_json::{Value as Json, json};
use sqlx::{Row, any::AnyRow};

/// Most rows of each part of a bill's life.
pub const MAX_PARTS: u32 = 200;

/// A lock that stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reimbursement {
    /// DID of who paid.
    pub payer: String,
    /// In which scene.
    pub scene: u16,
    /// How much.
    pub amount_fen: i64,
}

/// A bill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FieldChange {
    /// Path of the field.
    pub field: String,
    /// Before; null: it had none.
    pub before: Json,
    /// After.
    pub after: Json,
}

/// A version of a bill.
#[derive(Clone, Debug, PartialEq, Serialize)]
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

/// Somebody's hold on a bill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hold {
    /// DID of the holder.
    pub holder: String,
    /// Its name.
    pub holder_name: Option<String>,
    /// Scene of the claim.
    pub scene: Option<i64>,
    /// Number of the claim.
    pub claim_no: Option<String>,
    /// Grant that was used.
    pub grant: Option<String>,
    /// Since when.
    pub from: i64,
    /// Until when; none while it lasts.
    pub until: Option<i64>,
    /// `reimbursed`, `unlocked`, `expired`, `adjusted` or `open`.
    pub end: String,
    /// What was reimbursed at its end.
    pub amount_fen: Option<i64>,
}

/// A bill that belongs to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Related {
    /// `original`, `red` or `balance`.
    pub relation: String,
    /// The bill.
    pub bill: BillRow,
}

/// A mismatch that was reported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mismatch {
    /// Hash of the transaction.
    pub transaction: String,
    /// Block.
    pub block: u32,
    /// Time.
    pub time: i64,
    /// DID of who reported it.
    pub reporter: String,
    /// The field.
    pub what: String,
    /// What was found and what stands on the chain.
    pub detail: String,
}

/// A use of a grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GrantUse {
    /// The grant.
    pub grant: String,
    /// DID of the holder.
    pub holder: String,
    /// DID of who was authorised.
    pub subject: String,
    /// When.
    pub time: i64,
    /// Hash of the transaction.
    pub transaction: Option<String>,
    /// What for.
    pub purpose: String,
}

/// A party of a bill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PartyRow {
    /// What it is to the bill.
    pub relation: String,
    /// DID.
    pub party: String,
    /// Since when.
    pub since: Option<i64>,
}

/// All that is told of a bill.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BillLife {
    /// The bill.
    pub bill: Bill,
    /// Its versions, the first first.
    pub versions: Vec<BillVersion>,
    /// Who held it when.
    pub holds: Vec<Hold>,
    /// Bills that belong to it.
    pub related: Vec<Related>,
    /// Grants that were used on it.
    pub grants: Vec<GrantUse>,
    /// Contentions for it.
    pub contentions: Vec<Contention>,
    /// Cases about it.
    pub cases: Vec<CaseRow>,
    /// Mismatches.
    pub mismatches: Vec<Mismatch>,
    /// Its parties.
    pub parties: Vec<PartyRow>,
    /// What was asked of it and refused, the newest first.
    pub refused: Vec<TransactionRow>,
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
        let sql = format!(
            "SELECT {COLUMNS} FROM bills b JOIN dids d ON d.id = b.issuer WHERE b.id = $1"
        );
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
            let (holder, since, expires) =
                (lock.holder.to_string(), lock.at.moment, lock.expires);
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

    /// All that is told of a bill; none: there is no such bill.
    ///
    /// # Errors
    /// The database fails, or a row is damaged.
    pub async fn bill_life(&self, key: &BillKey) -> Result<Option<BillLife>, QueryError> {
        let id = bill_id(key);
        let Some(bill) = self.bill(key).await? else { return Ok(None) };
        Ok(Some(BillLife {
            versions: self.bill_versions(key, 1, MAX_PARTS).await?,
            holds: self.holds(id).await?,
            related: self.related(id, &bill).await?,
            grants: self.uses_on(id).await?,
            contentions: self.contentions(id).await?,
            cases: self.cases_of(id).await?,
            mismatches: self.mismatches(id).await?,
            parties: self.parties(id, &bill).await?,
            refused: self.refused(id).await?,
            bill,
        }))
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

    async fn holds(&self, id: i64) -> Result<Vec<Hold>, QueryError> {
        let sql = format!(
            "SELECT h.holder, h.scene, h.claim, h.access_grant, h.since, h.until, h.until_cause, \
             r.amount FROM holdings h LEFT JOIN reimbursements r \
             ON r.bill = h.bill AND r.version = h.until_version \
             WHERE h.bill = $1 ORDER BY h.version LIMIT {MAX_PARTS}"
        );
        let rows = self.rows(sql, values![id]).await?;
        let people =
            self.people(rows.iter().filter_map(|row| row.try_get(0).ok()).collect()).await?;
        rows.iter()
            .map(|row| {
                let holder = row.try_get(0)?;
                let cause: Option<i64> = row.try_get(6)?;
                let end = match cause.map(names::cause).as_deref() {
                    None => "open",
                    Some("reimburse") => "reimbursed",
                    Some("expire_lock") => "expired",
                    Some("adjust") => "adjusted",
                    Some(_) => "unlocked",
                };
                Ok(Hold {
                    holder: people.did(holder),
                    holder_name: people.name(holder),
                    scene: row.try_get(1)?,
                    claim_no: row.try_get(2)?,
                    grant: row.try_get(3)?,
                    from: row.try_get(4)?,
                    until: row.try_get(5)?,
                    end: end.into(),
                    amount_fen: row.try_get(7)?,
                })
            })
            .collect()
    }

    async fn related(&self, id: i64, bill: &Bill) -> Result<Vec<Related>, QueryError> {
        let sql = format!("SELECT id FROM bills WHERE related = $1 ORDER BY id LIMIT {MAX_PARTS}");
        let rows = self.rows(sql, values![id]).await?;
        let ids: Result<Vec<i64>, sqlx::Error> = rows.iter().map(|row| row.try_get(0)).collect();
        let named = |bill: BillRow, relation: &str| Related { relation: relation.into(), bill };
        let mut all = Vec::new();
        if let Some(original) = &bill.related
            && let (Ok(code), Ok(number)) = (original.code.parse(), original.number.parse())
        {
            let original = bill_id(&BillKey { code, number });
            let found = self.bills_of(&[original]).await?;
            all.extend(found.into_iter().map(|bill| named(bill, "original")));
        }
        all.extend(self.bills_of(&ids?).await?.into_iter().map(|bill| {
            let relation = if bill.kind == "red" { "red" } else { "balance" };
            named(bill, relation)
        }));
        Ok(all)
    }

    async fn uses_on(&self, id: i64) -> Result<Vec<GrantUse>, QueryError> {
        let sql = format!(
            "SELECT u.access_grant, g.holder, g.subject, u.time, u.tx, u.kind FROM grant_uses u \
             JOIN grants g ON g.id = u.access_grant WHERE u.bill = $1 ORDER BY u.tx LIMIT {MAX_PARTS}"
        );
        let rows = self.rows(sql, values![id]).await?;
        let (mut ids, mut txs) = (Vec::new(), Vec::new());
        for row in &rows {
            ids.extend([row.try_get(1)?, row.try_get(2)?]);
            txs.push(row.try_get(4)?);
        }
        let (people, hashes) = (self.people(ids).await?, self.tx_hashes(txs).await?);
        rows.iter()
            .map(|row| {
                Ok(GrantUse {
                    grant: row.try_get(0)?,
                    holder: people.did(row.try_get(1)?),
                    subject: people.did(row.try_get(2)?),
                    time: row.try_get(3)?,
                    transaction: hashes.get(&row.try_get(4)?).cloned(),
                    purpose: row.try_get(5)?,
                })
            })
            .collect()
    }

    async fn mismatches(&self, id: i64) -> Result<Vec<Mismatch>, QueryError> {
        let sql = format!(
            "SELECT tx, reporter, expected, found, time FROM mismatches WHERE bill = $1 \
             ORDER BY report LIMIT {MAX_PARTS}"
        );
        let rows = self.rows(sql, values![id]).await?;
        let (mut ids, mut txs) = (Vec::new(), Vec::new());
        for row in &rows {
            ids.push(row.try_get(1)?);
            txs.push(row.try_get(0)?);
        }
        let (people, hashes) = (self.people(ids).await?, self.tx_hashes(txs).await?);
        rows.iter()
            .map(|row| {
                let tx: i64 = row.try_get(0)?;
                let (expected, found): (String, String) = (row.try_get(2)?, row.try_get(3)?);
                let (expected, found) = (json_of(&expected), json_of(&found));
                Ok(Mismatch {
                    transaction: hashes.get(&tx).cloned().unwrap_or_default(),
                    block: stamp_of(tx).0,
                    time: row.try_get(4)?,
                    reporter: people.did(row.try_get(1)?),
                    what: expected["field"].as_str().unwrap_or_default().to_owned(),
                    detail: format!("{} ≠ {}", found["value"], expected["value"]),
                })
            })
            .collect()
    }

    async fn parties(&self, id: i64, bill: &Bill) -> Result<Vec<PartyRow>, QueryError> {
        let issuer = PartyRow {
            relation: "issuer".into(),
            party: bill.row.issuer.clone(),
            since: None,
        };
        let sql = format!(
            "SELECT party, relation, since FROM links WHERE bill = $1 AND until IS NULL \
             ORDER BY since_tx, party LIMIT {MAX_PARTS}"
        );
        let rows = self.rows(sql, values![id]).await?;
        let people =
            self.people(rows.iter().filter_map(|row| row.try_get(0).ok()).collect()).await?;
        let mut parties = vec![issuer];
        for row in &rows {
            parties.push(PartyRow {
                relation: row.try_get(1)?,
                party: people.did(row.try_get(0)?),
                since: Some(row.try_get(2)?),
            });
        }
        Ok(parties)
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
