//! A bill's life: who held it when, what belongs to it, what was asked of it and refused.

use super::{
    Bill, BillRow, BillVersion, CaseRow, Contention, Queries, QueryError, TransactionRow, json_of,
    stamp_of,
};
use crate::{insert::values, names, shape::bill_id};
use billchain_primitives::BillKey;
use schemars::JsonSchema;
use serde::Serialize;
use sqlx::Row;

/// Most rows of each part of a bill's life.
pub const MAX_PARTS: u32 = 200;

/// Somebody's hold on a bill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Related {
    /// `original`, `red` or `balance`.
    pub relation: String,
    /// The bill.
    pub bill: BillRow,
}

/// A mismatch that was reported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PartyRow {
    /// What it is to the bill.
    pub relation: String,
    /// DID.
    pub party: String,
    /// Since when.
    pub since: Option<i64>,
}

/// All that is told of a bill.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
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

impl Queries {
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
            ids.extend([row.try_get::<i64, _>(1)?, row.try_get::<i64, _>(2)?]);
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
        let issuer =
            PartyRow { relation: "issuer".into(), party: bill.row.issuer.clone(), since: None };
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
