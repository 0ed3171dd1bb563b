//! One participant's transactions, as fast as a node takes them: what the
//! chain's quotas and the pool's shares are made for. `scripts/bounds` lets it
//! loose on a network.
//!
//! Each transaction is a batch of empty calls. Where the chain refuses so many,
//! half as many are tried, so that what follows is the largest that it takes.

use anyhow::{Context, Result};
use billchain_client::{ClientError, Connection, Signer};
use billchain_runtime::RuntimeCall;
use clap::Args;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// Transactions of one request, and bytes of it.
const AT_ONCE: usize = 50;
const MOST_BYTES: usize = 2 << 20;
/// Pause after a refusal: the next ones would be refused, too.
const PAUSE: Duration = Duration::from_millis(20);

/// Options of `billchain-bench flood`.
#[derive(Args, Clone, Debug)]
pub(crate) struct Options {
    /// URL of a node.
    #[arg(long)]
    rpc: String,
    /// Seed of the participant's development key.
    #[arg(long, default_value = "//hospital")]
    who: String,
    /// Empty calls of each transaction.
    #[arg(long, default_value_t = 1)]
    items: usize,
    /// How long.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
}

/// What became of it.
#[derive(Debug)]
pub(crate) struct Flood {
    /// Empty calls of each transaction that was taken.
    items: usize,
    taken: u64,
    /// Refusals by code.
    refused: BTreeMap<i32, u64>,
    /// Requests that got no answer.
    unanswered: u64,
}

impl std::fmt::Display for Flood {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { items, taken, refused, unanswered } = self;
        write!(f, "{taken} of {items} calls taken, refused {refused:?}, {unanswered} unanswered")
    }
}

/// Sends until the time is over.
pub(crate) async fn run(options: &Options) -> Result<Flood> {
    let until = Instant::now() + Duration::from_secs(options.seconds);
    let signer = Signer::development(&options.who);
    let client = Connection::open(&options.rpc).await.context("cannot reach the node")?;
    let mut flood =
        Flood { items: options.items, taken: 0, refused: BTreeMap::new(), unanswered: 0 };
    let mut nonce = client.nonce(&signer.account()).await?;
    while Instant::now() < until {
        let sign = |nonce| signer.transaction(empty_calls(flood.items), nonce, client.genesis());
        let first = sign(nonce);
        let count = AT_ONCE.min(MOST_BYTES / first.len()).max(1);
        let mut transactions = vec![first];
        transactions.extend((1..).take(count - 1).map(|next| sign(nonce + next)));
        let (mut taken, mut is_refused) = (0, false);
        match client.submit_all(&transactions).await {
            Ok(answers) => {
                for answer in answers {
                    match answer {
                        Ok(_) => taken += 1,
                        Err(ClientError::Refused { code, .. }) => {
                            is_refused = true;
                            *flood.refused.entry(code).or_default() += 1;
                        }
                        Err(_) => flood.unanswered += 1,
                    }
                }
            }
            Err(_) => {
                is_refused = true;
                flood.unanswered += 1;
            }
        }
        flood.taken += taken;
        if is_refused && flood.taken == 0 && flood.items > 1 {
            flood.items /= 2;
            continue;
        }
        if is_refused {
            tokio::time::sleep(PAUSE).await;
        }
        // What a crowded node does not answer, the next question tells.
        nonce = match client.nonce(&signer.account()).await {
            Ok(next) => next,
            Err(_) => nonce,
        };
    }
    Ok(flood)
}

fn empty_calls(items: usize) -> RuntimeCall {
    let empty = RuntimeCall::Utility(pallet_utility::Call::batch { calls: Vec::new() });
    RuntimeCall::Utility(pallet_utility::Call::batch { calls: vec![empty; items] })
}
