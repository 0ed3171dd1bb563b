//! Measures the index on a real ledger: how fast it is rebuilt from nothing, how far it lags while
//! it follows, how long questions take. Prints one JSON object.
//!
//! ```sh
//! measure --chain chain.json --tables sqlite:///tmp/index.db --node http://127.0.0.1:9944 \
//!     [--node …] [--follow SECONDS] [--questions ROUNDS]
//! ```

use billchain_chain_spec::ChainSpec;
use billchain_explorer_indexer::{
    Indexer, Queries, Settings, Tables,
    query::{BillFilter, PageRequest, StatisticsAsk, StatisticsBy, StatisticsWhat},
};
use serde_json::{Value, json};
use std::{
    future::Future,
    time::{Duration, Instant},
};

type Failure = Box<dyn std::error::Error>;

struct Asked {
    settings: Settings,
    follow: u64,
    questions: u32,
}

fn asked() -> Result<Asked, Failure> {
    let (mut chain, mut tables, mut nodes) = (None, None, Vec::new());
    let (mut follow, mut questions) = (0, 0);
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words.next().ok_or_else(|| format!("{word} needs a value"))?;
        match word.as_str() {
            "--chain" => chain = Some(value),
            "--tables" => tables = Some(value),
            "--node" => nodes.push(value),
            "--follow" => follow = value.parse()?,
            "--questions" => questions = value.parse()?,
            other => return Err(format!("unknown option {other}").into()),
        }
    }
    let text = std::fs::read_to_string(chain.ok_or("--chain FILE is missing")?)?;
    let tables = tables.ok_or("--tables URL is missing")?;
    let settings = Settings { tables, nodes, spec: ChainSpec::from_json(&text)?, genesis: None };
    Ok(Asked { settings, follow, questions })
}

/// The value below which 95 of 100 lie, and the largest.
fn spread(mut times: Vec<u64>) -> Value {
    times.sort_unstable();
    let at = |share: usize| times.get(times.len().saturating_sub(1) * share / 100).copied();
    json!({ "count": times.len(), "p50": at(50), "p95": at(95), "most": times.last() })
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let Asked { settings, follow, questions } = asked()?;
    let began = Instant::now();
    let mut indexer = Indexer::open(&settings).await?;
    let status = indexer.status();
    let first = status.borrow().indexed;
    loop {
        let done = indexer.step().await?;
        let now = status.borrow().clone();
        if let Some(problem) = now.problem {
            return Err(problem.into());
        }
        if done == 0 && now.head > 0 {
            break;
        }
    }
    let took = began.elapsed().as_secs_f64();
    let now = status.borrow().clone();
    let rate = |count: u64| (count as f64 / took).round();
    let mut told = json!({
        "rebuild": {
            "from_block": first, "to_block": now.indexed, "seconds": took,
            "blocks": now.blocks_written, "transactions": now.transactions_written,
            "versions": now.versions_written, "versions_per_second": rate(now.versions_written),
            "proved_block": now.proved, "rss_mib": rss_mib(),
        }
    });
    if follow > 0 {
        told["follow"] = followed(&mut indexer, follow).await?;
    }
    if questions > 0 {
        let tables = Tables::open_for_reading(&settings.tables, 4).await?;
        told["questions_ms"] = answered(&Queries::new(tables), questions).await?;
    }
    println!("{}", serde_json::to_string_pretty(&told)?);
    Ok(())
}

/// Lag at each moment, every tenth of a second.
async fn followed(indexer: &mut Indexer, seconds: u64) -> Result<Value, Failure> {
    let status = indexer.status();
    let before = status.borrow().transactions_written;
    let (began, mut lags) = (Instant::now(), Vec::new());
    let watched = status.clone();
    let watch = tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_millis(100)).await;
            lags.push(u64::try_from(watched.borrow().lag_ms).unwrap_or_default());
            if began.elapsed().as_secs() >= seconds {
                return lags;
            }
        }
    });
    while !watch.is_finished() {
        if indexer.step().await? == 0 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    let transactions = status.borrow().transactions_written - before;
    Ok(json!({
        "seconds": seconds, "transactions_per_second": transactions / seconds.max(1),
        "lag_ms": spread(watch.await?),
    }))
}

async fn time<T, E: std::error::Error + 'static>(
    times: &mut Vec<u64>,
    question: impl Future<Output = Result<T, E>>,
) -> Result<T, Failure> {
    let began = Instant::now();
    let answer = question.await?;
    times.push(u64::try_from(began.elapsed().as_millis())?);
    Ok(answer)
}

/// What pages ask, round after round, at places that move through the ledger.
async fn answered(queries: &Queries, rounds: u32) -> Result<Value, Failure> {
    let (mut lists, mut lives, mut filtered) = (Vec::new(), Vec::new(), Vec::new());
    let (mut statistics, mut searches, mut blocks) = (Vec::new(), Vec::new(), Vec::new());
    let mut cursor = None;
    let every = BillFilter::default();
    for round in 0..rounds {
        let page = PageRequest { cursor: cursor.take(), limit: 100, upwards: round % 2 == 1 };
        let found = time(&mut lists, queries.bills(&every, &page)).await?;
        if let Some(bill) = found.items.last() {
            let key = format!("{}-{}", bill.code, bill.number);
            time(&mut searches, queries.search(&key)).await?;
            let (code, number) = (bill.code.parse(), bill.number.parse());
            if let (Ok(code), Ok(number)) = (code, number) {
                let key = billchain_primitives::BillKey { code, number };
                time(&mut lives, queries.bill_life(&key)).await?;
            }
            let filter = BillFilter {
                issuer: Some(bill.issuer.clone()),
                status: Some(if round % 2 == 0 { "normal" } else { "reimbursed" }.into()),
                least_fen: Some(1_000_000),
                ..BillFilter::default()
            };
            time(&mut filtered, queries.bills(&filter, &PageRequest::default())).await?;
        }
        cursor = found.next;
        time(&mut blocks, queries.blocks(&Default::default(), &PageRequest::default())).await?;
        let by = [StatisticsBy::Month, StatisticsBy::Issuer, StatisticsBy::Status];
        let ask = StatisticsAsk {
            by: by[round as usize % by.len()],
            what: StatisticsWhat::Issued,
            from: 20_200_101,
            to: 20_991_231,
            issuer: None,
            region: None,
            class: None,
            scene: None,
            compare: true,
        };
        time(&mut statistics, queries.statistics(&ask)).await?;
    }
    Ok(json!({
        "list": spread(lists), "filtered_list": spread(filtered), "life_line": spread(lives),
        "search": spread(searches), "blocks": spread(blocks), "statistics": spread(statistics),
    }))
}

/// Memory of this process that is resident, in MiB.
fn rss_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or_default()
        / 1_024
}
