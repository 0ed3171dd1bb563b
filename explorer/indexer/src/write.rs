//! Batches into the database: rows and cursor in one database transaction, or nothing.

use crate::{
    block::{Block, Follower},
    ledger::{Genesis, Ledger, Motion, Needs, Seat, State},
    lie::Lie,
    stored::StoredError,
    tables::Tables,
};
use billchain_primitives::Hash;
use billchain_runtime::RuntimeCall;
use billchain_verifier::{Block as VerifierBlock, Deciders};
use codec::{DecodeAll, Encode as _};
use sqlx::{AnyConnection, Connection, Row};
use std::{collections::HashMap, sync::Arc};

/// Why a batch was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// What was told cannot be.
    #[error(transparent)]
    Lie(#[from] Lie),
    /// A row is damaged, or the database failed.
    #[error(transparent)]
    Stored(#[from] StoredError),
    /// The database failed.
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    /// The tables are of another chain.
    #[error("the tables are of the chain with genesis {found}, expected {expected}")]
    OtherChain {
        /// Genesis of the tables.
        found: String,
        /// Genesis of the chain.
        expected: String,
    },
    /// A row of the cursor is damaged.
    #[error("the tables' cursor is damaged: {0}; index again from nothing")]
    Cursor(&'static str),
}

/// The one who writes the tables.
pub(crate) struct Writer {
    pub(crate) tables: Tables,
    pub(crate) follower: Follower,
    pub(crate) time: u64,
    state: State,
}

impl Writer {
    /// Goes on where the tables stand, or begins with the genesis.
    pub(crate) async fn open(tables: Tables, genesis: &Genesis) -> Result<Self, WriteError> {
        let mut connection = tables.pool().acquire().await?;
        let row = sqlx::query(
            "SELECT genesis, block, hash, time, deciders, deciders_block, deciders_hash FROM ledger",
        )
        .fetch_optional(&mut *connection)
        .await?;
        if row.is_none() {
            begin(&tables, &mut connection, genesis).await?;
        }
        drop(connection);
        Self::resume(tables, genesis.hash).await
    }

    /// Goes on where the tables stand.
    pub(crate) async fn resume(tables: Tables, genesis: Hash) -> Result<Self, WriteError> {
        let mut connection = tables.pool().acquire().await?;
        let row = sqlx::query(
            "SELECT genesis, block, hash, time, deciders, deciders_block, deciders_hash FROM ledger",
        )
        .fetch_one(&mut *connection)
        .await?;
        let found = hash(&row, 0)?;
        if found != genesis {
            let (found, expected) = (format!("{found:?}"), format!("{genesis:?}"));
            return Err(WriteError::OtherChain { found, expected });
        }
        let number = small(&row, 1)?;
        let time: i64 = row.try_get(3)?;
        let item: Vec<u8> = row.try_get(4)?;
        let named = VerifierBlock { number: small(&row, 5)?, hash: hash(&row, 6)?.0 };
        let deciders =
            Deciders::read(named, &item).map_err(|_| WriteError::Cursor("who decides"))?;
        let follower = Follower::new(genesis.0, number, hash(&row, 2)?, deciders);
        let state = load_state(&mut connection, number).await?;
        drop(connection);
        let time = u64::try_from(time).unwrap_or_default();
        Ok(Self { tables, follower, time, state })
    }

    /// Writes blocks that follow the last one. What is wrong with one of them is an error, and
    /// nothing is written then.
    pub(crate) async fn write(&mut self, blocks: &[Block]) -> Result<(), WriteError> {
        let Some(last) = blocks.last() else { return Ok(()) };
        let mut follower = self.follower.clone();
        let mut ledger = Ledger { state: self.state.clone(), batch: Default::default() };
        let needs = Needs::of(blocks, &ledger);
        let mut connection = self.tables.pool().acquire().await?;
        ledger.take(needs.load(&mut connection).await?);
        for block in blocks {
            follower.accept(block)?;
            ledger.apply(block)?;
        }
        ledger.close_bills();
        ledger.close_rollups();
        let Ledger { state, batch } = ledger;
        for month in batch.months.clone() {
            self.tables.make_month(&mut connection, month).await?;
        }
        let mut transaction = connection.begin().await?;
        batch.write(&mut transaction, self.tables.dialect()).await?;
        set_cursor(&mut transaction, &follower, last.time, &state).await?;
        transaction.commit().await?;
        (self.follower, self.state, self.time) = (follower, state, last.time);
        Ok(())
    }

    /// Notes what went wrong, for people; the newest are kept.
    pub(crate) async fn note_incident(
        &self,
        sort: &'static str,
        node: &str,
        block: Option<u32>,
        words: &str,
    ) -> Result<(), sqlx::Error> {
        const KEPT: i64 = 10_000;
        let mut connection = self.tables.pool().acquire().await?;
        let last: Option<i64> =
            sqlx::query_scalar("SELECT MAX(id) FROM incidents").fetch_one(&mut *connection).await?;
        let id = last.unwrap_or_default() + 1;
        sqlx::query(
            "INSERT INTO incidents (id, time, sort, node, block, words) \
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(id)
        .bind(crate::status::now_ms())
        .bind(sort)
        .bind(node.to_owned())
        .bind(block.map(i64::from))
        .bind(words.to_owned())
        .execute(&mut *connection)
        .await?;
        sqlx::query("DELETE FROM incidents WHERE id <= $1")
            .bind(id - KEPT)
            .execute(&mut *connection)
            .await?;
        Ok(())
    }

    /// Up to there the state proved the bills.
    pub(crate) async fn note_proved(
        &self,
        block: u32,
        tallies: &[(String, String)],
        all: bool,
    ) -> Result<(), sqlx::Error> {
        let mut connection = self.tables.pool().acquire().await?;
        let mut transaction = connection.begin().await?;
        for (sort, name) in tallies {
            sqlx::query("UPDATE tallies SET proved = $1 WHERE sort = $2 AND name = $3")
                .bind(i64::from(block))
                .bind(sort.clone())
                .bind(name.clone())
                .execute(&mut *transaction)
                .await?;
        }
        if all {
            sqlx::query("UPDATE ledger SET proved = $1 WHERE proved < $1")
                .bind(i64::from(block))
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await
    }
}

async fn begin(
    tables: &Tables,
    connection: &mut AnyConnection,
    genesis: &Genesis,
) -> Result<(), WriteError> {
    let mut ledger = Ledger { state: State::default(), batch: Default::default() };
    ledger.begin(genesis);
    let Ledger { state, batch } = ledger;
    for month in batch.months.clone() {
        tables.make_month(connection, month).await?;
    }
    let mut transaction = connection.begin().await?;
    batch.write(&mut transaction, tables.dialect()).await?;
    sqlx::query(
        "INSERT INTO ledger (id, genesis, block, hash, time, deciders, deciders_block, \
         deciders_hash, validator_set, proved, rules) VALUES (1, $1, 0, $1, $2, $3, 0, $1, 1, 0, $4)",
    )
    .bind(genesis.hash.as_bytes().to_vec())
    .bind(i64::try_from(genesis.spec.timestamp_ms).unwrap_or_default())
    .bind(genesis.deciders.item().to_vec())
    .bind(i64::from(state.rules))
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(())
}

async fn set_cursor(
    connection: &mut AnyConnection,
    follower: &Follower,
    time: u64,
    state: &State,
) -> Result<(), sqlx::Error> {
    let deciders = follower.deciders();
    sqlx::query(
        "UPDATE ledger SET block = $1, hash = $2, time = $3, deciders = $4, deciders_block = $5, \
         deciders_hash = $6, validator_set = $7, rules = $8 WHERE id = 1",
    )
    .bind(i64::from(follower.number()))
    .bind(follower.hash().as_bytes().to_vec())
    .bind(i64::try_from(time).unwrap_or(i64::MAX))
    .bind(deciders.item().to_vec())
    .bind(i64::from(deciders.named_in().number))
    .bind(deciders.named_in().hash.to_vec())
    .bind(state.set)
    .bind(i64::from(state.rules))
    .execute(connection)
    .await?;
    Ok(())
}

fn hash(row: &sqlx::any::AnyRow, at: usize) -> Result<Hash, WriteError> {
    let bytes: Vec<u8> = row.try_get(at)?;
    let bytes: [u8; 32] = bytes.try_into().map_err(|_| WriteError::Cursor("a hash"))?;
    Ok(Hash::from(bytes))
}

fn small(row: &sqlx::any::AnyRow, at: usize) -> Result<u32, WriteError> {
    let number: i64 = row.try_get(at)?;
    u32::try_from(number).map_err(|_| WriteError::Cursor("a number"))
}

/// What is kept in memory, as the tables have it after a block.
async fn load_state(connection: &mut AnyConnection, block: u32) -> Result<State, WriteError> {
    let mut state = State::default();
    for row in sqlx::query("SELECT id, did FROM dids").fetch_all(&mut *connection).await? {
        let did: String = row.try_get(1)?;
        state.know(&did, row.try_get(0)?);
    }
    let participants = sqlx::query("SELECT id, account, roles FROM participants");
    for row in participants.fetch_all(&mut *connection).await? {
        let who: i64 = row.try_get(0)?;
        state.set_account(&hash(&row, 1)?.0.into(), who);
        state.set_roles(who, row.try_get(2)?);
    }
    let nodes = sqlx::query("SELECT id, account FROM access_nodes WHERE account IS NOT NULL");
    for row in nodes.fetch_all(&mut *connection).await? {
        state.set_account(&hash(&row, 1)?.0.into(), row.try_get(0)?);
    }
    let motions = sqlx::query("SELECT id, hash, encoded FROM motions WHERE status = 'open'");
    let mut open = HashMap::new();
    for row in motions.fetch_all(&mut *connection).await? {
        let encoded: Vec<u8> = row.try_get(2)?;
        let call = RuntimeCall::decode_all(&mut &encoded[..])
            .map_err(|_| WriteError::Cursor("an open motion"))?;
        debug_assert_eq!(call.encode(), encoded);
        open.insert(hash(&row, 1)?.0, Motion { id: row.try_get(0)?, call });
    }
    state.motions = Arc::new(open);
    let row =
        sqlx::query("SELECT validator_set, rules FROM ledger").fetch_one(&mut *connection).await?;
    state.set = row.try_get(0)?;
    state.rules = small(&row, 1)?;
    state.seats = seats(connection, state.set).await?;
    let decided_by: Option<i64> =
        sqlx::query_scalar("SELECT validator_set FROM blocks WHERE number = $1")
            .bind(i64::from(block))
            .fetch_optional(&mut *connection)
            .await?;
    if let Some(set) = decided_by.filter(|set| *set > 0) {
        state.before = Some((set, seats(connection, set).await?));
    }
    let last: Option<i64> =
        sqlx::query_scalar("SELECT MAX(id) FROM rule_changes").fetch_one(&mut *connection).await?;
    state.last_rule = last.unwrap_or_default();
    Ok(state)
}

async fn seats(connection: &mut AnyConnection, set: i64) -> Result<Vec<Seat>, WriteError> {
    let rows = sqlx::query(
        "SELECT account, consensus_key, power FROM validator_sets WHERE id = $1 ORDER BY seat",
    )
    .bind(set)
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let key: Vec<u8> = row.try_get(1)?;
            let key: [u8; 33] = key.try_into().map_err(|_| WriteError::Cursor("a key"))?;
            let power: i64 = row.try_get(2)?;
            let power = u64::try_from(power).map_err(|_| WriteError::Cursor("a power"))?;
            Ok(Seat { account: hash(row, 0)?.0, key, power })
        })
        .collect()
}
