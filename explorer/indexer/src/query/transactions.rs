//! Transactions, their events, and what was refused.

use super::{
    Key, Page, PageRequest, Queries, QueryError, Where, hash_of, hex_of, json_of, maybe_hex,
    page_of, stamp_of,
};
use crate::{
    insert::{Value, values},
    names,
    shape::{NO_PLACE, short, tx_id},
    words::Failure,
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;
use sqlx::{Row, any::AnyRow};

/// Most bills that a transaction shows.
const MAX_BILLS: u32 = 500;

/// Which transactions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TransactionFilter {
    /// Number of the block.
    pub block: Option<u32>,
    /// DID of the sender, or its account as `0x` hex.
    pub signer: Option<String>,
    /// The contract.
    pub pallet: Option<String>,
    /// The call.
    pub call: Option<String>,
    /// Whether it succeeded.
    pub success: Option<bool>,
    /// First time, in milliseconds.
    pub from: Option<i64>,
    /// Last time.
    pub to: Option<i64>,
}

/// A transaction in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TransactionRow {
    /// Its hash.
    pub hash: String,
    /// Its block.
    pub block: u32,
    /// Its place there.
    pub index: u32,
    /// Time of the block.
    pub time: i64,
    /// The contract.
    pub pallet: String,
    /// The call.
    pub call: String,
    /// DID of the sender, or its account; none for an inherent.
    pub signer: Option<String>,
    /// Its name.
    pub signer_name: Option<String>,
    /// Whether it succeeded.
    pub success: bool,
    /// Why not.
    pub error: Option<Failure>,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ChainEvent {
    /// The contract.
    pub pallet: String,
    /// Name of the event.
    pub name: String,
    /// Its fields as text.
    pub details: String,
    /// Its fields.
    pub fields: Json,
}

/// A transaction.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Transaction {
    /// What lists show.
    #[serde(flatten)]
    pub row: TransactionRow,
    /// Account of the signer.
    pub account: Option<String>,
    /// Roles of the sender then.
    pub signer_roles: Vec<String>,
    /// Nonce.
    pub nonce: Option<i64>,
    /// The call's arguments.
    pub args: Json,
    /// What happened, in order. Registrations are told by `bills`.
    pub events: Vec<ChainEvent>,
    /// Bills of which it made a version, at most 500.
    pub bills: Vec<Key>,
    /// Versions of bills that it made.
    pub versions: i64,
    /// Its bytes, `0x` hex; empty if they are longer than 4,096: the nodes have them.
    pub raw: String,
    /// How many bytes it has.
    pub bytes: i64,
}

const COLUMNS: &str = "t.id, t.hash, t.time, t.pallet, t.call, t.signer, t.sender, t.success, \
     t.error, t.error_words";

fn failure_of(row: &AnyRow) -> Result<Option<Failure>, QueryError> {
    let name: Option<String> = row.try_get(8)?;
    let docs: Option<String> = row.try_get(9)?;
    Ok(name.map(|name| {
        let (pallet, name) = name.split_once('.').unwrap_or(("", &name));
        let docs = docs.unwrap_or_default();
        Failure { pallet: pallet.to_owned(), name: name.to_owned(), docs, details: None }
    }))
}

impl Queries {
    pub(crate) async fn transaction_rows(
        &self,
        rows: &[AnyRow],
    ) -> Result<Vec<TransactionRow>, QueryError> {
        let mut ids = Vec::new();
        for row in rows {
            ids.extend(row.try_get::<Option<i64>, _>(6)?);
        }
        let people = self.people(ids).await?;
        rows.iter()
            .map(|row| {
                let (block, index) = stamp_of(row.try_get(0)?);
                let sender: Option<i64> = row.try_get(6)?;
                let signer = match sender {
                    Some(sender) => Some(people.did(sender)),
                    None => maybe_hex(row, 5)?,
                };
                let success: i64 = row.try_get(7)?;
                Ok(TransactionRow {
                    hash: hex_of(row, 1)?,
                    block,
                    index: index.unwrap_or_default(),
                    time: row.try_get(2)?,
                    pallet: row.try_get(3)?,
                    call: row.try_get(4)?,
                    signer,
                    signer_name: sender.and_then(|sender| people.name(sender)),
                    success: success == 1,
                    error: failure_of(row)?,
                })
            })
            .collect()
    }

    /// Transactions in the order of the chain.
    ///
    /// # Errors
    /// A filter is not in its form, or the database fails.
    pub async fn transactions(
        &self,
        filter: &TransactionFilter,
        page: &PageRequest,
    ) -> Result<Page<TransactionRow>, QueryError> {
        let limit = page.limit()?;
        let (order, beyond) = page.order();
        let mut conditions = Where::default();
        if let Some([id]) = page.after::<1>()? {
            conditions.and(&format!("t.id {beyond} ?"), [Value::from(id)]);
        }
        if let Some(block) = filter.block {
            let (first, last) = (tx_id(block, Some(0)), tx_id(block, Some(0)) + NO_PLACE);
            conditions.and("t.id BETWEEN ? AND ?", [Value::from(first), Value::from(last)]);
        }
        if let Some(signer) = &filter.signer {
            if signer.starts_with("0x") {
                conditions.equal("t.signer", Some(hash_of("signer", signer)?));
            } else {
                let Some(id) = self.did_id(signer).await? else {
                    return Ok(Page { items: Vec::new(), next: None });
                };
                conditions.equal("t.sender", Some(id));
            }
        }
        conditions.equal("t.pallet", filter.pallet.clone());
        conditions.equal("t.call", filter.call.clone());
        if let Some(success) = filter.success {
            // Written out, so that the index of those that failed is taken.
            conditions.and(&format!("t.success = {}", i64::from(success)), []);
        }
        self.within_time(filter.from, filter.to, &mut conditions).await?;
        let sql = format!(
            "SELECT {COLUMNS} FROM transactions t WHERE {} ORDER BY t.id {order} LIMIT {}",
            conditions.text(),
            limit + 1
        );
        let rows = self.rows(sql, conditions.values).await?;
        let cursors: Result<Vec<i64>, sqlx::Error> =
            rows.iter().map(|row| row.try_get(0)).collect();
        let shown = self.transaction_rows(&rows).await?;
        let rows = shown.into_iter().zip(cursors?).map(|(row, id)| (row, id.to_string()));
        Ok(page_of(rows.collect(), limit))
    }

    /// Times as blocks, whose numbers the indices have.
    pub(crate) async fn within_time(
        &self,
        from: Option<i64>,
        to: Option<i64>,
        conditions: &mut Where,
    ) -> Result<(), QueryError> {
        let find = "SELECT number FROM blocks WHERE time";
        if let Some(from) = from {
            let sql = format!("{find} >= $1 ORDER BY time LIMIT 1");
            let row = self.row(sql, values![from]).await?;
            let first =
                row.map(|row| row.try_get::<i64, _>(0)).transpose()?.unwrap_or(i64::MAX >> 20);
            conditions.and("t.id >= ?", [Value::from(first << 20)]);
        }
        if let Some(to) = to {
            let sql = format!("{find} <= $1 ORDER BY time DESC LIMIT 1");
            let row = self.row(sql, values![to]).await?;
            let last = row.map(|row| row.try_get::<i64, _>(0)).transpose()?.unwrap_or(-1);
            conditions.and("t.id < ?", [Value::from((last + 1) << 20)]);
        }
        Ok(())
    }

    /// A transaction, or none.
    ///
    /// # Errors
    /// The database fails.
    pub async fn transaction(&self, hash: &[u8; 32]) -> Result<Option<Transaction>, QueryError> {
        let sql = format!(
            "SELECT {COLUMNS}, t.roles, t.nonce, t.arguments, t.versions, t.raw, t.bytes \
             FROM transactions t WHERE t.hash_short = $1 AND t.hash = $2 LIMIT 1"
        );
        let Some(row) = self.row(sql, values![short(hash), *hash]).await? else { return Ok(None) };
        let Some(shown) = self.transaction_rows(std::slice::from_ref(&row)).await?.pop() else {
            return Ok(None);
        };
        let id: i64 = row.try_get(0)?;
        let roles: Option<i64> = row.try_get(10)?;
        let arguments: String = row.try_get(12)?;
        let bills = self
            .rows(
                format!("SELECT DISTINCT bill FROM versions WHERE tx = $1 ORDER BY bill LIMIT {MAX_BILLS}"),
                values![id],
            )
            .await?;
        let bills: Result<Vec<Key>, QueryError> =
            bills.iter().map(|row| Ok(Key::of(row.try_get(0)?))).collect();
        Ok(Some(Transaction {
            row: shown,
            account: maybe_hex(&row, 5)?,
            signer_roles: roles.map(names::roles).unwrap_or_default(),
            nonce: row.try_get(11)?,
            args: json_of(&arguments),
            events: self.events_of(id).await?,
            bills: bills?,
            versions: row.try_get(13)?,
            raw: maybe_hex(&row, 14)?.unwrap_or_default(),
            bytes: row.try_get(15)?,
        }))
    }

    /// Transactions that asked something of a bill and were refused, the newest first.
    pub(crate) async fn refused(&self, bill: i64) -> Result<Vec<TransactionRow>, QueryError> {
        // The refusal's own words: in a batch they are not the transaction's.
        let sql = format!(
            "SELECT t.id, t.hash, t.time, t.pallet, t.call, t.signer, t.sender, 0, r.error, \
             r.error_words FROM refusals r JOIN transactions t ON t.id = r.tx \
             WHERE r.bill = $1 ORDER BY r.tx DESC LIMIT {}",
            super::MAX_PARTS
        );
        let rows = self.rows(sql, values![bill]).await?;
        self.transaction_rows(&rows).await
    }
}
