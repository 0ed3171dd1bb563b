//! Blocks, and who signed them.

use super::{Page, PageRequest, Queries, QueryError, Where, hex_of, page_of};
use crate::{
    insert::{Value, values},
    shape::short,
};
use billchain_verifier::DecidedHeader;
use schemars::JsonSchema;
use serde::Serialize;
use sqlx::{Row, any::AnyRow};
use std::collections::{HashMap, hash_map::Entry};

/// Which blocks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockFilter {
    /// First time, in milliseconds.
    pub from: Option<i64>,
    /// Last time.
    pub to: Option<i64>,
}

/// How a block is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockId {
    /// By its number.
    Number(u32),
    /// By its hash.
    Hash([u8; 32]),
}

/// A block in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct BlockRow {
    /// Its number.
    pub number: i64,
    /// Its hash.
    pub hash: String,
    /// Its time.
    pub time: i64,
    /// Its transactions, inherents too.
    pub transactions: i64,
    /// Its events.
    pub events: i64,
    /// Name of the validator that proposed it; none for the newest and the genesis.
    pub proposer: Option<String>,
    /// Round in which it was decided.
    pub round: i64,
    /// New bills.
    pub registered: i64,
}

/// A validator's part in a block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Vote {
    /// Account of its consensus key.
    pub validator: String,
    /// Its name.
    pub name: String,
    /// Whether the commit has its pre-commit.
    pub signed: bool,
}

/// A block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Block {
    /// What lists show.
    #[serde(flatten)]
    pub row: BlockRow,
    /// Hash of the block before.
    pub parent: String,
    /// Root of the state after it.
    pub state_root: String,
    /// Root of its transactions.
    pub extrinsics_root: String,
    /// Bytes of its transactions.
    pub bytes: i64,
    /// Rules that it is made under.
    pub rules: i64,
    /// Transactions that failed.
    pub failed: i64,
    /// Versions of bills that it made.
    pub versions: i64,
    /// Who signed, as the next header says; empty for the newest.
    pub votes: Vec<Vote>,
    /// The indexer checked certificate, parent and root of the transactions; it takes no other.
    pub verified: bool,
    /// What makes its events believed: `told`, `agreed` or `proved`.
    pub belief: String,
    /// The node that gave it.
    pub node: Option<String>,
    /// The decided header: header and signatures, `0x` hex.
    pub decided: Option<String>,
    /// The header in hex.
    pub digest: Option<String>,
}

const COLUMNS: &str = "b.number, b.hash, b.time, b.transactions, b.events, b.proposer, b.round, \
     b.registered, b.validator_set";

impl Queries {
    /// Names of validators by the account of their consensus key.
    pub(crate) async fn validator_names(&self) -> Result<HashMap<Vec<u8>, String>, QueryError> {
        let sql = "SELECT account, name FROM validators ORDER BY since_tx DESC LIMIT 1000";
        let rows = self.rows(sql.into(), Vec::new()).await?;
        let mut names = HashMap::new();
        for row in &rows {
            names.entry(row.try_get(0)?).or_insert(row.try_get(1)?);
        }
        Ok(names)
    }

    /// Accounts of the seats of a set.
    async fn seats(&self, set: i64) -> Result<Vec<Vec<u8>>, QueryError> {
        let sql = "SELECT account FROM validator_sets WHERE id = $1 ORDER BY seat";
        let rows = self.rows(sql.into(), values![set]).await?;
        Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
    }

    async fn block_rows(&self, rows: &[AnyRow]) -> Result<Vec<BlockRow>, QueryError> {
        let names = self.validator_names().await?;
        let mut sets: HashMap<i64, Vec<Vec<u8>>> = HashMap::new();
        let mut blocks = Vec::new();
        for row in rows {
            let set: i64 = row.try_get(8)?;
            let seats = match sets.entry(set) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(place) => place.insert(self.seats(set).await?),
            };
            let seat: Option<i64> = row.try_get(5)?;
            let seat = seat.and_then(|seat| usize::try_from(seat).ok());
            let account = seat.and_then(|seat| seats.get(seat));
            let proposer = account.map(|account| name_of(&names, account));
            let round: Option<i64> = row.try_get(6)?;
            blocks.push(BlockRow {
                number: row.try_get(0)?,
                hash: hex_of(row, 1)?,
                time: row.try_get(2)?,
                transactions: row.try_get(3)?,
                events: row.try_get(4)?,
                proposer,
                round: round.unwrap_or_default(),
                registered: row.try_get(7)?,
            });
        }
        Ok(blocks)
    }

    /// Blocks by their numbers.
    ///
    /// # Errors
    /// A filter is not in its form, or the database fails.
    pub async fn blocks(
        &self,
        filter: &BlockFilter,
        page: &PageRequest,
    ) -> Result<Page<BlockRow>, QueryError> {
        let limit = page.limit()?;
        let (order, beyond) = page.order();
        let mut conditions = Where::default();
        if let Some([number]) = page.after::<1>()? {
            conditions.and(&format!("b.number {beyond} ?"), [Value::from(number)]);
        }
        if let Some(from) = filter.from {
            conditions.and("b.time >= ?", [Value::from(from)]);
        }
        if let Some(to) = filter.to {
            conditions.and("b.time <= ?", [Value::from(to)]);
        }
        let sql = format!(
            "SELECT {COLUMNS} FROM blocks b WHERE {} ORDER BY b.number {order} LIMIT {}",
            conditions.text(),
            limit + 1
        );
        let rows = self.rows(sql, conditions.values).await?;
        let blocks = self.block_rows(&rows).await?;
        let rows = blocks.into_iter().map(|block| {
            let cursor = block.number.to_string();
            (block, cursor)
        });
        Ok(page_of(rows.collect(), limit))
    }

    /// A block, or none.
    ///
    /// # Errors
    /// The database fails.
    pub async fn block(&self, id: &BlockId) -> Result<Option<Block>, QueryError> {
        let mut conditions = Where::default();
        match id {
            BlockId::Number(number) => conditions.equal("b.number", Some(*number)),
            BlockId::Hash(hash) => {
                conditions.equal("b.hash_short", Some(short(hash)));
                conditions.equal("b.hash", Some(*hash));
            }
        }
        let sql = format!(
            "SELECT {COLUMNS}, b.parent, b.state_root, b.extrinsics_root, b.bytes, b.rules, \
             b.failed, b.versions, b.signers, p.node, p.decided, p.belief FROM blocks b \
             LEFT JOIN provenance p ON p.block = b.number WHERE {} LIMIT 1",
            conditions.text()
        );
        let Some(row) = self.row(sql, conditions.values).await? else { return Ok(None) };
        let Some(shown) = self.block_rows(std::slice::from_ref(&row)).await?.pop() else {
            return Ok(None);
        };
        let signers: Option<i64> = row.try_get(16)?;
        let votes = match signers {
            Some(signers) => self.votes(row.try_get(8)?, signers).await?,
            None => Vec::new(),
        };
        let decided: Option<Vec<u8>> = row.try_get(18)?;
        let belief: Option<i64> = row.try_get(19)?;
        let header = decided.as_deref().filter(|bytes| DecidedHeader::read(bytes).is_ok());
        let to_hex = |bytes: &[u8]| format!("0x{}", hex::encode(bytes));
        Ok(Some(Block {
            row: shown,
            parent: hex_of(&row, 9)?,
            state_root: hex_of(&row, 10)?,
            extrinsics_root: hex_of(&row, 11)?,
            bytes: row.try_get(12)?,
            rules: row.try_get(13)?,
            failed: row.try_get(14)?,
            versions: row.try_get(15)?,
            votes,
            verified: true,
            belief: match belief {
                Some(0) => "told",
                Some(1) => "agreed",
                _ => "proved",
            }
            .into(),
            node: row.try_get(17)?,
            digest: header.map(to_hex),
            decided: decided.as_deref().map(to_hex),
        }))
    }

    async fn votes(&self, set: i64, signers: i64) -> Result<Vec<Vote>, QueryError> {
        let names = self.validator_names().await?;
        let seats = self.seats(set).await?;
        let vote = |(at, account): (usize, &Vec<u8>)| Vote {
            validator: format!("0x{}", hex::encode(account)),
            name: name_of(&names, account),
            signed: signers >> at & 1 == 1,
        };
        Ok(seats.iter().enumerate().map(vote).collect())
    }
}

/// A validator's name, or its account.
pub(crate) fn name_of(names: &HashMap<Vec<u8>, String>, account: &[u8]) -> String {
    names.get(account).cloned().unwrap_or_else(|| format!("0x{}", hex::encode(account)))
}
