//! Motions of the council, and validators.

use super::{
    Page, PageRequest, Queries, QueryError, Where, hex_of, json_of, name_of, page_of, refuse,
};
use crate::{
    insert::{Value, values},
    shape::short,
    words::Failure,
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;
use sqlx::{Row, any::AnyRow};

/// Newest blocks of which is shown who signed.
const RECENT: u32 = 50;

/// A motion in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MotionRow {
    /// Hash of its call.
    pub motion: String,
    /// Its number.
    pub index: i64,
    /// Account of who proposed it.
    pub proposer: String,
    /// The contract.
    pub pallet: String,
    /// The call.
    pub call: String,
    /// Votes that it needs.
    pub threshold: i64,
    /// Votes for it.
    pub ayes: i64,
    /// Votes against it.
    pub nays: i64,
    /// `open`, `executed`, `failed` or `disapproved`.
    pub status: String,
    /// When it was proposed.
    pub proposed: i64,
    /// When it ended.
    pub ended: Option<i64>,
}

/// A vote on a motion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MotionVote {
    /// Account of the member.
    pub member: String,
    /// Its validator's name.
    pub name: Option<String>,
    /// For it, or against it.
    pub approve: bool,
    /// When.
    pub time: i64,
    /// Hash of the transaction.
    pub transaction: Option<String>,
}

/// A motion.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Motion {
    /// What lists show.
    #[serde(flatten)]
    pub row: MotionRow,
    /// The call's arguments.
    pub args: Json,
    /// Its votes, the first first.
    pub votes: Vec<MotionVote>,
    /// Why its call failed.
    pub error: Option<Failure>,
    /// Hash of the transaction that proposed it.
    pub transaction: Option<String>,
}

/// A validator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ValidatorRow {
    /// Account of its consensus key.
    pub validator: String,
    /// Name.
    pub name: String,
    /// Account of its operator.
    pub operator: String,
    /// Its consensus key.
    pub key: String,
    /// Its voting power.
    pub power: i64,
    /// Blocks that it signed.
    pub signed: i64,
    /// Blocks that it did not sign.
    pub missed: i64,
    /// The newest of them in a row, counted up to 50.
    pub missed_in_row: i64,
    /// The last block that it signed.
    pub last_signed: Option<i64>,
    /// Blocks that it proposed.
    pub proposed: i64,
}

/// An observer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ObserverRow {
    /// Name.
    pub name: String,
    /// libp2p identity.
    pub peer_id: String,
}

/// Who did not sign a block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RecentBlock {
    /// The block.
    pub block: i64,
    /// Round in which it was decided.
    pub round: i64,
    /// Accounts of those whose pre-commit is missing.
    pub missing: Vec<String>,
}

/// An equivocation on record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EquivocationRow {
    /// Account of the operator.
    pub offender: String,
    /// Height of the statements.
    pub height: i64,
    /// Their kind.
    pub kind: String,
    /// Block that recorded it.
    pub block: u32,
}

/// Validators, observers, and how they took part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Validators {
    /// Those who vote.
    pub validators: Vec<ValidatorRow>,
    /// Those who follow.
    pub observers: Vec<ObserverRow>,
    /// Newest blocks, the oldest first.
    pub recent: Vec<RecentBlock>,
    /// Equivocations, the newest first, at most 100.
    pub equivocations: Vec<EquivocationRow>,
}

const MOTION: &str = "m.id, m.hash, m.proposer, m.pallet, m.call, m.threshold, m.ayes, m.nays, \
     m.status, m.proposed, m.closed";

fn motion_row(row: &AnyRow) -> Result<MotionRow, QueryError> {
    Ok(MotionRow {
        motion: hex_of(row, 1)?,
        index: row.try_get(0)?,
        proposer: hex_of(row, 2)?,
        pallet: row.try_get(3)?,
        call: row.try_get(4)?,
        threshold: row.try_get(5)?,
        ayes: row.try_get(6)?,
        nays: row.try_get(7)?,
        status: row.try_get(8)?,
        proposed: row.try_get(9)?,
        ended: row.try_get(10)?,
    })
}

impl Queries {
    /// Motions by their numbers.
    ///
    /// # Errors
    /// A filter is not in its form, or the database fails.
    pub async fn motions(
        &self,
        status: Option<&str>,
        page: &PageRequest,
    ) -> Result<Page<MotionRow>, QueryError> {
        let limit = page.limit()?;
        let (order, beyond) = page.order();
        let mut conditions = Where::default();
        if let Some([id]) = page.after::<1>()? {
            conditions.and(&format!("m.id {beyond} ?"), [Value::from(id)]);
        }
        if let Some(status) = status {
            if !["open", "executed", "failed", "disapproved"].contains(&status) {
                return refuse("status", "`open`, `executed`, `failed` or `disapproved`");
            }
            conditions.equal("m.status", Some(status));
        }
        let sql = format!(
            "SELECT {MOTION} FROM motions m WHERE {} ORDER BY m.id {order} LIMIT {}",
            conditions.text(),
            limit + 1
        );
        let rows = self.rows(sql, conditions.values).await?;
        let shown: Result<Vec<_>, QueryError> = rows
            .iter()
            .map(|row| {
                let motion = motion_row(row)?;
                let cursor = motion.index.to_string();
                Ok((motion, cursor))
            })
            .collect();
        Ok(page_of(shown?, limit))
    }

    /// A motion by its number or the hash of its call; of several with one hash the newest.
    ///
    /// # Errors
    /// The name is neither, or the database fails.
    pub async fn motion(&self, name: &str) -> Result<Option<Motion>, QueryError> {
        let mut conditions = Where::default();
        match name.parse::<i64>() {
            Ok(id) => conditions.equal("m.id", Some(id)),
            Err(_) => {
                let hash = super::hash_of("motion", name)?;
                conditions.equal("m.hash_short", Some(short(&hash)));
                conditions.equal("m.hash", Some(hash));
            }
        }
        let sql = format!(
            "SELECT {MOTION}, m.arguments, m.error, m.proposed_tx FROM motions m WHERE {} \
             ORDER BY m.id DESC LIMIT 1",
            conditions.text()
        );
        let Some(row) = self.row(sql, conditions.values).await? else { return Ok(None) };
        let shown = motion_row(&row)?;
        let arguments: String = row.try_get(11)?;
        let error: Option<String> = row.try_get(12)?;
        let error = error.map(|text| {
            let (name, docs) = text.split_once(": ").unwrap_or((&text, ""));
            let (pallet, name) = name.split_once('.').unwrap_or(("", name));
            let (pallet, name, docs) = (pallet.to_owned(), name.to_owned(), docs.to_owned());
            Failure { pallet, name, docs, details: None }
        });
        let tx: i64 = row.try_get(13)?;
        Ok(Some(Motion {
            votes: self.motion_votes(shown.index).await?,
            row: shown,
            args: json_of(&arguments),
            error,
            transaction: self.tx_hashes(vec![tx]).await?.remove(&tx),
        }))
    }

    async fn motion_votes(&self, motion: i64) -> Result<Vec<MotionVote>, QueryError> {
        let sql = "SELECT v.account, v.aye, v.time, v.tx, \
                   (SELECT MAX(name) FROM validators o WHERE o.operator = v.account) \
                   FROM motion_votes v WHERE v.motion = $1 ORDER BY v.tx LIMIT 500";
        let rows = self.rows(sql.into(), values![motion]).await?;
        let hashes =
            self.tx_hashes(rows.iter().filter_map(|row| row.try_get(3).ok()).collect()).await?;
        rows.iter()
            .map(|row| {
                let aye: i64 = row.try_get(1)?;
                Ok(MotionVote {
                    member: hex_of(row, 0)?,
                    name: row.try_get(4)?,
                    approve: aye == 1,
                    time: row.try_get(2)?,
                    transaction: hashes.get(&row.try_get(3)?).cloned(),
                })
            })
            .collect()
    }

    /// Validators and observers, and how they took part.
    ///
    /// # Errors
    /// The database fails.
    pub async fn validators(&self) -> Result<Validators, QueryError> {
        let recent = self.recent().await?;
        let sql = "SELECT v.account, v.name, v.operator, v.consensus_key, v.power, \
                   CAST(COALESCE(SUM(p.blocks), 0) AS BIGINT), \
                   CAST(COALESCE(SUM(p.signed), 0) AS BIGINT), \
                   CAST(COALESCE(SUM(p.proposed), 0) AS BIGINT), MAX(p.last_signed) \
                   FROM validators v LEFT JOIN participation p ON p.account = v.account \
                   WHERE v.until IS NULL GROUP BY v.operator, v.since_tx, v.account, v.name, \
                   v.consensus_key, v.power ORDER BY v.name LIMIT 64";
        let rows = self.rows(sql.into(), Vec::new()).await?;
        let validators: Result<Vec<ValidatorRow>, QueryError> = rows
            .iter()
            .map(|row| {
                let validator = hex_of(row, 0)?;
                let (blocks, signed): (i64, i64) = (row.try_get(5)?, row.try_get(6)?);
                let is_missing = |block: &&RecentBlock| block.missing.contains(&validator);
                let in_row = recent.iter().rev().take_while(is_missing).count();
                let last: Option<i64> = row.try_get(8)?;
                Ok(ValidatorRow {
                    name: row.try_get(1)?,
                    operator: hex_of(row, 2)?,
                    key: format!("sm2:{}", hex_of(row, 3)?.trim_start_matches("0x")),
                    power: row.try_get(4)?,
                    signed,
                    missed: blocks - signed,
                    missed_in_row: i64::try_from(in_row).unwrap_or_default(),
                    last_signed: last.filter(|last| *last > 0),
                    proposed: row.try_get(7)?,
                    validator,
                })
            })
            .collect();
        let sql = "SELECT name, peer_id FROM observers WHERE until IS NULL ORDER BY name LIMIT 256";
        let observers = self.rows(sql.into(), Vec::new()).await?;
        let observers: Result<Vec<ObserverRow>, QueryError> = observers
            .iter()
            .map(|row| Ok(ObserverRow { name: row.try_get(0)?, peer_id: row.try_get(1)? }))
            .collect();
        Ok(Validators {
            validators: validators?,
            observers: observers?,
            recent,
            equivocations: self.equivocations().await?,
        })
    }

    async fn recent(&self) -> Result<Vec<RecentBlock>, QueryError> {
        let sql = format!(
            "SELECT b.number, b.round, b.signers, s.seat, s.account FROM (SELECT number, round, \
             signers, validator_set FROM blocks WHERE signers IS NOT NULL ORDER BY number DESC \
             LIMIT {RECENT}) b JOIN validator_sets s ON s.id = b.validator_set \
             ORDER BY b.number, s.seat"
        );
        let mut blocks: Vec<RecentBlock> = Vec::new();
        for row in self.rows(sql, Vec::new()).await? {
            let number: i64 = row.try_get(0)?;
            if blocks.last().is_none_or(|last| last.block != number) {
                let (round, missing) = (row.try_get(1)?, Vec::new());
                blocks.push(RecentBlock { block: number, round, missing });
            }
            let (signers, seat): (i64, i64) = (row.try_get(2)?, row.try_get(3)?);
            let account = hex_of(&row, 4)?;
            if let Some(last) = blocks.last_mut().filter(|_| signers >> seat & 1 == 0) {
                last.missing.push(account);
            }
        }
        Ok(blocks)
    }

    async fn equivocations(&self) -> Result<Vec<EquivocationRow>, QueryError> {
        let filter = super::EventFilter {
            pallet: Some("Validators".into()),
            name: Some("EquivocationRecorded".into()),
            subject: None,
        };
        let page = PageRequest { limit: 100, ..PageRequest::default() };
        let events = self.events(&filter, &page).await?.items;
        let row = |event: super::EventRow| {
            let offence = &event.fields["offence"];
            EquivocationRow {
                offender: event.fields["operator"].as_str().unwrap_or_default().to_owned(),
                height: offence["height"].as_i64().unwrap_or_default(),
                kind: crate::words::plain(&offence["kind"]),
                block: event.block,
            }
        };
        Ok(events.into_iter().map(row).collect())
    }

    /// The name of a validator, or its account.
    ///
    /// # Errors
    /// The database fails.
    pub async fn validator_name(&self, account: &[u8; 32]) -> Result<String, QueryError> {
        Ok(name_of(&self.validator_names().await?, account))
    }
}
