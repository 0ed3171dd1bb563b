//! `verify`: everything in the tables counted again, and held against what the chain proves.
//!
//! Blocks have to follow one another without a gap. Bills, counted one by one, have to give the
//! rollups and the chain's totals that the tables keep; those have to be the totals that the state
//! proves, of all numbers and of every issuer's months, the empty ones too, so nothing is missing
//! and nothing too much; and bills taken by chance have to be the state's. What differs is named,
//! with the nodes that told the blocks in question and what other nodes say of these.

use crate::{
    follow::{IndexerError, Settings},
    ledger::{TallyName, genesis},
    node::Node,
    prove,
    shape::{join, parts_of},
    stored::{COLUMNS, StoredError, bill_of},
    tables::Tables,
    write::{WriteError, Writer},
};
use billchain_primitives::{
    Bill, Hash,
    totals::{Posting, Tally},
};
use codec::{DecodeAll, Encode};
use frame_support::storage::storage_prefix;
use serde::Serialize;
use sqlx::{AssertSqlSafe, Row};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

/// Bills that are read at a time.
const AT_ONCE: i64 = 5_000;
/// Differences that are told; how many there are is counted.
const MAX_TOLD: usize = 100;
/// Most months without bills whose emptiness is proved.
const MAX_EMPTY: usize = 20_000;
/// Bills that are taken by chance.
const SAMPLE: u32 = 256;
/// Most blocks whose events are asked for again to find who lied.
const MAX_ASKED: i64 = 2_000;

/// Something that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What is compared: `blocks`, `totals`, `rollups`, `state`, `bill` or `events`.
    pub sort: &'static str,
    /// Of what.
    pub name: String,
    /// What it must be.
    pub expected: String,
    /// What the tables have.
    pub found: String,
    /// Nodes that told it.
    pub nodes: Vec<String>,
}

/// What a recount gave.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Recount {
    /// The block up to which the tables were counted.
    pub block: u32,
    /// Blocks that are there.
    pub blocks: i64,
    /// Bills that were counted.
    pub bills: i64,
    /// Totals that the state proved.
    pub proved: usize,
    /// Months without bills that the state proved to be empty.
    pub empty: usize,
    /// Bills taken by chance that the state proved.
    pub sampled: usize,
    /// Totals that no node could prove, because its head went on.
    pub unproved: usize,
    /// What differs, at most 100.
    pub differences: Vec<Difference>,
    /// How much differs.
    pub different: usize,
    /// Nodes that told what is not so.
    pub liars: Vec<String>,
}

impl Recount {
    fn differ(&mut self, difference: Difference) {
        self.different += 1;
        self.liars.extend(difference.nodes.iter().cloned());
        self.liars.sort();
        self.liars.dedup();
        if self.differences.len() < MAX_TOLD {
            self.differences.push(difference);
        }
    }

    /// Whether everything is as it must be.
    pub const fn is_right(&self) -> bool {
        self.different == 0
    }
}

impl fmt::Display for Recount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { block, blocks, bills, proved, empty, sampled, unproved, .. } = self;
        writeln!(f, "up to block {block}: {blocks} blocks, {bills} bills")?;
        writeln!(
            f,
            "the state proves {proved} totals, {empty} of them of nothing, and {sampled} bills"
        )?;
        if *unproved > 0 {
            writeln!(
                f,
                "{unproved} totals were not proved: the nodes' head went on, or none was reached; \
                 count again when the index has the newest block"
            )?;
        }
        for Difference { sort, name, expected, found, nodes } in &self.differences {
            write!(f, "DIFFERS {sort} {name}: expected {expected}, found {found}")?;
            match &nodes[..] {
                [] => writeln!(f)?,
                nodes => writeln!(f, " (told by {})", nodes.join(", "))?,
            }
        }
        if self.is_right() {
            write!(f, "everything is as it must be")
        } else {
            write!(f, "{} differences", self.different)?;
            match &self.liars[..] {
                [] => Ok(()),
                liars => write!(f, "; what is not so was told by {}", liars.join(", ")),
            }
        }
    }
}

/// Counts the tables again. The indexer may not write them meanwhile.
///
/// # Errors
/// The tables cannot be read, or are of another chain.
pub async fn recount(settings: &Settings) -> Result<Recount, IndexerError> {
    let nodes: Vec<Arc<Node>> =
        settings.nodes.iter().map(|url| Node::new(url).map(Arc::new)).collect::<Result<_, _>>()?;
    let first = genesis(&settings.spec, settings.genesis)?;
    let tables = Tables::open(&settings.tables).await?;
    let writer = Writer::resume(tables, first.hash).await?;
    let mut told = Recount { block: writer.follower.number(), ..Recount::default() };
    let counted = async {
        blocks(&writer.tables, &mut told).await?;
        let (tallies, cells) = count(&writer.tables, &mut told).await?;
        compare_tallies(&writer.tables, &tallies, &mut told).await?;
        compare_cells(&writer.tables, &cells, &mut told).await?;
        state(&writer, &nodes, tallies, &mut told).await?;
        bills(&writer, &nodes, SAMPLE, &mut told).await?;
        events(&writer.tables, &nodes, &mut told).await
    };
    counted.await.map_err(WriteError::from)?;
    Ok(told)
}

async fn number(tables: &Tables, sql: &'static str) -> Result<i64, StoredError> {
    Ok(sqlx::query_scalar(sql).fetch_one(tables.pool()).await?)
}

async fn blocks(tables: &Tables, told: &mut Recount) -> Result<(), StoredError> {
    told.blocks = number(tables, "SELECT COUNT(*) FROM blocks").await?;
    let expected = i64::from(told.block) + 1;
    if told.blocks != expected {
        let (expected, found) = (expected.to_string(), told.blocks.to_string());
        let name = "number of blocks".into();
        told.differ(Difference { sort: "blocks", name, expected, found, nodes: Vec::new() });
    }
    let sql = "SELECT b.number FROM blocks b LEFT JOIN blocks a ON a.number = b.number - 1 \
               WHERE b.number > 0 AND (a.hash IS NULL OR a.hash <> b.parent) LIMIT 100";
    for row in sqlx::query(sql).fetch_all(tables.pool()).await? {
        let number: i64 = row.try_get(0)?;
        let (expected, found) = ("follows the block before".into(), "does not".into());
        let (name, nodes) = (format!("block {number}"), Vec::new());
        told.differ(Difference { sort: "blocks", name, expected, found, nodes });
    }
    Ok(())
}

/// Bills that are alike: day, region, class, scene, kind and status.
type Cell = (u32, i64, i64, u16, u8, u8);
type Cells = BTreeMap<Cell, (i64, i128, i128)>;
type Tallies = BTreeMap<TallyName, Tally>;

/// Every bill, one by one.
async fn count(tables: &Tables, told: &mut Recount) -> Result<(Tallies, Cells), StoredError> {
    let (mut tallies, mut cells) = (Tallies::new(), Cells::new());
    let mut after = -1_i64;
    let sql = format!(
        "SELECT {COLUMNS} FROM bills b JOIN dids d ON d.id = b.issuer WHERE b.id > $1 \
         ORDER BY b.id LIMIT {AT_ONCE}"
    );
    loop {
        let rows =
            sqlx::query(AssertSqlSafe(sql.clone())).bind(after).fetch_all(tables.pool()).await?;
        let Some(last) = rows.last() else { break };
        after = last.try_get(0)?;
        for row in &rows {
            let bill = bill_of(row)?;
            told.bills += 1;
            for name in TallyName::of(&bill) {
                let tally = tallies.entry(name.clone()).or_default();
                if let Err(problem) = tally.add(Posting::from(&bill)) {
                    let what = format!("{}: {problem}", name.name);
                    return Err(StoredError::Damaged { id: after, what });
                }
            }
            add(&mut cells, row.try_get(0)?, &bill);
        }
    }
    Ok((tallies, cells))
}

fn add(cells: &mut Cells, id: i64, bill: &Bill) {
    let (region, class, _) = parts_of(id);
    let variant = |encoded: Vec<u8>| encoded.first().copied().unwrap_or_default();
    let summary = &bill.summary;
    let (kind, status) = (variant(summary.kind.encode()), variant(bill.state.status.encode()));
    let cell = (summary.issue_date.get(), region, class, summary.scene.0, kind, status);
    let sums = cells.entry(cell).or_default();
    sums.0 += 1;
    sums.1 += i128::from(summary.total.get());
    sums.2 += i128::from(bill.reimbursed().get());
}

fn show(tally: &Tally) -> String {
    let lines: Vec<String> = tally
        .lines()
        .iter()
        .map(|line| format!("{:?} {:?}: {} over {}", line.kind, line.status, line.bills, line.fen))
        .collect();
    if lines.is_empty() { "none".into() } else { lines.join(", ") }
}

async fn compare_tallies(
    tables: &Tables,
    counted: &Tallies,
    told: &mut Recount,
) -> Result<(), StoredError> {
    let rows =
        sqlx::query("SELECT sort, name, tally FROM tallies").fetch_all(tables.pool()).await?;
    let mut kept = Tallies::new();
    for row in &rows {
        let (name, tally) = prove::tally_of(row)?;
        if !tally.is_empty() {
            kept.insert(name, tally);
        }
    }
    for name in kept.keys().chain(counted.keys()).collect::<BTreeSet<_>>() {
        let (one, other) = (counted.get(name), kept.get(name));
        if one != other {
            let text = |tally: Option<&Tally>| tally.map_or_else(|| "none".into(), show);
            told.differ(Difference {
                sort: "totals",
                name: name.name.clone(),
                expected: text(one),
                found: text(other),
                nodes: Vec::new(),
            });
        }
    }
    Ok(())
}

async fn compare_cells(
    tables: &Tables,
    counted: &Cells,
    told: &mut Recount,
) -> Result<(), StoredError> {
    let rows = sqlx::query(
        "SELECT day, region, class, scene, kind, status, CAST(SUM(bills) AS BIGINT), \
         CAST(SUM(total_high) AS BIGINT), CAST(SUM(total_low) AS BIGINT), \
         CAST(SUM(reimbursed_high) AS BIGINT), CAST(SUM(reimbursed_low) AS BIGINT) \
         FROM rollup_bills GROUP BY day, region, class, scene, kind, status",
    )
    .fetch_all(tables.pool())
    .await?;
    let mut kept = Cells::new();
    for row in &rows {
        let get = |at: usize| row.try_get::<i64, _>(at);
        let small = |at: usize| -> Result<u8, sqlx::Error> {
            Ok(u8::try_from(get(at)?).unwrap_or(u8::MAX))
        };
        let day = u32::try_from(get(0)?).unwrap_or_default();
        let scene = u16::try_from(get(3)?).unwrap_or(u16::MAX);
        let cell = (day, get(1)?, get(2)?, scene, small(4)?, small(5)?);
        let sums = (get(6)?, join(get(7)?, get(8)?), join(get(9)?, get(10)?));
        if sums != (0, 0, 0) {
            kept.insert(cell, sums);
        }
    }
    for cell in kept.keys().chain(counted.keys()).collect::<BTreeSet<_>>() {
        let (one, other) = (counted.get(cell), kept.get(cell));
        if one != other {
            told.differ(Difference {
                sort: "rollups",
                name: format!("{cell:?}"),
                expected: format!("{one:?}"),
                found: format!("{other:?}"),
                nodes: Vec::new(),
            });
        }
    }
    Ok(())
}

/// Months of issuers without bills, between the first and the last month that has some.
async fn empty_months(tables: &Tables, counted: &Tallies) -> Result<Vec<TallyName>, StoredError> {
    let months: BTreeSet<&str> = counted
        .keys()
        .filter(|name| name.sort == "month")
        .filter_map(|name| Some(name.name.split_once(' ')?.1))
        .collect();
    // Issuers have the first bit of the roles; who had it once may have lost it.
    let sql = "SELECT d.did FROM participants p JOIN dids d ON d.id = p.id \
               WHERE p.roles % 2 = 1 ORDER BY p.id LIMIT 5000";
    let issuers: Vec<String> = sqlx::query_scalar(sql).fetch_all(tables.pool()).await?;
    let mut empty = Vec::new();
    for issuer in issuers {
        for month in &months {
            let name = TallyName { sort: "month", name: format!("{issuer} {month}") };
            if !counted.contains_key(&name) && empty.len() < MAX_EMPTY {
                empty.push(name);
            }
        }
    }
    Ok(empty)
}

/// The totals that the state proves.
async fn state(
    writer: &Writer,
    nodes: &[Arc<Node>],
    counted: Tallies,
    told: &mut Recount,
) -> Result<(), StoredError> {
    let empty = empty_months(&writer.tables, &counted).await?;
    let of_nothing = empty.len();
    let all: Vec<(TallyName, Tally)> =
        counted.into_iter().chain(empty.into_iter().map(|name| (name, Tally::default()))).collect();
    let mut empty_proved = 0;
    for some in all.chunks(prove::AT_ONCE) {
        let names: Vec<TallyName> = some.iter().map(|(name, _)| name.clone()).collect();
        let Some(proved) = prove::ask(nodes, &writer.follower, &names).await else {
            told.unproved += some.len();
            continue;
        };
        for ((name, tally), proved) in some.iter().zip(proved) {
            if *tally == proved {
                told.proved += 1;
                empty_proved += usize::from(tally.is_empty());
                continue;
            }
            let tellers = prove::tellers(&writer.tables, name).await?;
            told.differ(Difference {
                sort: "state",
                name: name.name.clone(),
                expected: show(&proved),
                found: show(tally),
                nodes: tellers,
            });
        }
    }
    told.empty = empty_proved.min(of_nothing);
    Ok(())
}

/// Bills taken by chance: those behind numbers that are spread evenly over all of them.
async fn bills(
    writer: &Writer,
    nodes: &[Arc<Node>],
    sample: u32,
    told: &mut Recount,
) -> Result<(), StoredError> {
    let count = told.bills;
    let sample = i64::from(sample).min(count);
    let mut kept = Vec::new();
    let start = crate::status::now_ms();
    for at in 0..sample {
        let offset = (count / sample * at + start % (count / sample).max(1)).min(count - 1);
        let sql = format!(
            "SELECT {COLUMNS} FROM bills b JOIN dids d ON d.id = b.issuer WHERE b.id = \
             (SELECT id FROM bills ORDER BY id LIMIT 1 OFFSET $1)"
        );
        let row = sqlx::query(AssertSqlSafe(sql)).bind(offset);
        if let Some(row) = row.fetch_optional(writer.tables.pool()).await? {
            kept.push(bill_of(&row)?);
        }
    }
    for some in kept.chunks(prove::AT_ONCE) {
        let keys: Vec<Vec<u8>> = some.iter().map(key_of).collect();
        for node in nodes {
            let Ok((head, values)) = prove::at_head(node, &writer.follower, &keys).await else {
                continue;
            };
            // A newer head may have newer versions: those say nothing of the tables.
            if head != writer.follower.number() {
                continue;
            }
            for (bill, value) in some.iter().zip(values) {
                compare_bill(bill, value.as_deref(), told);
            }
            break;
        }
    }
    Ok(())
}

fn key_of(bill: &Bill) -> Vec<u8> {
    let mut key = storage_prefix(b"BillRegister", b"Bills").to_vec();
    bill.summary.key.encode_to(&mut key);
    key
}

fn compare_bill(bill: &Bill, value: Option<&[u8]>, told: &mut Recount) {
    let proved = value.and_then(|mut value| Bill::decode_all(&mut value).ok());
    if proved.as_ref() == Some(bill) {
        told.sampled += 1;
        return;
    }
    let text = |bill: &Bill| {
        let Bill { summary, state, .. } = bill;
        format!("{:?}, version {}, {} fen", state.status, state.version, summary.total.get())
    };
    told.differ(Difference {
        sort: "bill",
        name: bill.summary.key.to_string(),
        expected: proved.as_ref().map_or_else(|| "none".into(), text),
        found: text(bill),
        nodes: Vec::new(),
    });
}

/// If something differs: whose events are not those that others tell.
async fn events(
    tables: &Tables,
    nodes: &[Arc<Node>],
    told: &mut Recount,
) -> Result<(), StoredError> {
    if told.is_right() {
        return Ok(());
    }
    let rows = sqlx::query(
        "SELECT p.block, p.node, p.events_hash, b.hash FROM provenance p \
         JOIN blocks b ON b.number = p.block WHERE p.belief < 2 AND b.versions > 0 \
         ORDER BY p.block DESC LIMIT $1",
    )
    .bind(MAX_ASKED)
    .fetch_all(tables.pool())
    .await?;
    for row in rows {
        let (block, teller): (i64, String) = (row.try_get(0)?, row.try_get(1)?);
        let hash_at = |at: usize| -> Result<Hash, StoredError> {
            let bytes: Vec<u8> = row.try_get(at)?;
            let what = "a hash is not 32 bytes long".to_owned();
            let bytes: [u8; 32] =
                bytes.try_into().map_err(|_| StoredError::Damaged { id: block, what })?;
            Ok(Hash::from(bytes))
        };
        let (kept, block_hash) = (hash_at(2)?, hash_at(3)?);
        let mut others = Vec::new();
        for node in nodes.iter().filter(|node| node.url() != teller) {
            if let Ok(Some(hash)) = node.events_hash(&block_hash).await {
                others.push(hash);
            }
        }
        let against = others.iter().filter(|hash| **hash != kept).count();
        if against > others.len() / 2 {
            told.differ(Difference {
                sort: "events",
                name: format!("block {block}"),
                expected: others.first().map(|hash| format!("{hash:?}")).unwrap_or_default(),
                found: format!("{kept:?}"),
                nodes: vec![teller],
            });
        }
    }
    Ok(())
}
