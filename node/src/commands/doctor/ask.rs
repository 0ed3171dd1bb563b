//! Asking a node that may be anything: dead, slow, of another release, or hostile.
//!
//! What it answers is bounded in length and time, read as what it should be, and
//! shown only [cleaned](super::finding::clean).

use super::finding::{Finding, clean};
use crate::application::now_ms;
use billchain_client::{Asker, ClientError};
use billchain_primitives::Hash;
use billchain_rpc_types::{ConsensusStatusView, code};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Longest answer, in bytes: what a node says of the largest chain has a quarter.
const MAX_ANSWER: u32 = 1 << 20;
/// Questions until the first differing block is found; a height has 32 bits.
const MAX_HALVINGS: u32 = 33;

/// Code of a node that does not answer.
pub(super) const UNREACHABLE: &str = "unreachable";

/// A node, as it was asked.
pub(super) struct Asked {
    /// Where it is.
    pub(super) url: String,
    pub(super) asker: Option<Asker>,
    /// What it said, or what is to be found about it.
    pub(super) said: Result<Said, Finding>,
}

/// What a node said.
pub(super) struct Said {
    pub(super) status: ConsensusStatusView,
    /// How far its clock is ahead of the one here, in ms.
    pub(super) ahead: i64,
    /// By how much `ahead` may be wrong.
    pub(super) uncertainty: u64,
}

/// A block, as a node has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BlockAt {
    pub(super) hash: Hash,
    pub(super) state_root: Hash,
}

/// The part of a header that is compared.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HeaderView {
    state_root: Hash,
}

impl Asked {
    /// Asks a node.
    pub(super) async fn of(url: &str, patience: Duration) -> Self {
        let url = url.to_owned();
        match Asker::new(&url, patience, MAX_ANSWER) {
            Ok(asker) => {
                let said = status(&asker, &url).await;
                Self { asker: Some(asker), said, url }
            }
            Err(error) => {
                let advice = "Give --rpc http://<address>:<port> of a node's JSON-RPC.";
                let said = Err(Finding::critical("address", &url, &error.to_string(), advice));
                Self { asker: None, said, url }
            }
        }
    }

    /// How it is called: its name and address.
    pub(super) fn label(&self) -> String {
        match &self.said {
            Ok(said) => clean(&format!("{} ({})", short(&said.status.node.name), self.url)),
            Err(_) => clean(&self.url),
        }
    }

    /// Its block at a height.
    pub(super) async fn block(&self, height: u32) -> Result<BlockAt, String> {
        let Some(asker) = &self.asker else { return Err("it was not asked".to_owned()) };
        let words = |error: ClientError| clean(&error.to_string());
        let hash: Option<Hash> =
            asker.ask("chain_getBlockHash", vec![json!(height)]).await.map_err(words)?;
        let hash = hash.ok_or_else(|| format!("it has no block {height}"))?;
        let header: Option<HeaderView> =
            asker.ask("chain_getHeader", vec![json!(hash)]).await.map_err(words)?;
        let header = header.ok_or_else(|| format!("it has no header of block {height}"))?;
        Ok(BlockAt { hash, state_root: header.state_root })
    }
}

/// A name, in words of a table.
pub(super) fn short(name: &str) -> String {
    clean(name).chars().take(64).collect()
}

async fn status(asker: &Asker, url: &str) -> Result<Said, Finding> {
    let (began, sent) = (now_ms(), Instant::now());
    let answer: Result<Value, ClientError> = asker.ask("consensus_status", Vec::new()).await;
    let took = u64::try_from(sent.elapsed().as_millis()).unwrap_or(u64::MAX);
    let value = answer.map_err(|error| silent(url, &error))?;
    let status: ConsensusStatusView = serde_json::from_value(value).map_err(|error| {
        let what = format!("its consensus_status is not what this release knows: {error}");
        let advice = "Ask with the doctor of its release, or look whether this is a node at all.";
        Finding::critical("answer", url, &what, advice)
    })?;
    let (ahead, uncertainty) = clock(began, took, status.node.time);
    Ok(Said { status, ahead, uncertainty })
}

/// How far a clock is ahead that showed `there` between `began` and `took` later, and
/// by how much that may be wrong.
fn clock(began: u64, took: u64, there: u64) -> (i64, u64) {
    let here = began.saturating_add(took / 2);
    let signed = |time: u64| i64::try_from(time).unwrap_or(i64::MAX);
    (signed(there).saturating_sub(signed(here)), took.div_ceil(2).saturating_add(1))
}

/// What is to be found about a node that does not say how it is.
fn silent(url: &str, error: &ClientError) -> Finding {
    let words = error.to_string();
    match error {
        ClientError::Refused { code: code::METHOD_NOT_FOUND, .. } => Finding::warning(
            "old-release",
            url,
            "it answers, and does not know consensus_status",
            "It runs an older release, or is no BillChain node: see system_version.",
        ),
        ClientError::Refused { .. } => Finding::critical(
            "refuses",
            url,
            &words,
            "Look into its log; try again in a moment if it is busy.",
        ),
        _ => Finding::critical(
            UNREACHABLE,
            url,
            &words,
            "Look whether it runs (systemctl status, its log), and whether rpc.listen and the \
             firewall let you reach it.",
        ),
    }
}

/// The first height at which two nodes differ, known that they do at `bad` and have one
/// genesis.
pub(super) async fn first_difference(one: &Asked, other: &Asked, bad: u32) -> Result<u32, String> {
    let (mut same, mut bad) = (0, bad);
    for _ in 0..MAX_HALVINGS {
        if bad - same <= 1 {
            break;
        }
        let middle = same + (bad - same) / 2;
        match one.block(middle).await? == other.block(middle).await? {
            true => same = middle,
            false => bad = middle,
        }
    }
    Ok(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_compared_with_the_middle_of_the_question() {
        assert_eq!(clock(1_000, 100, 1_050), (0, 51));
        assert_eq!(clock(1_000, 0, 3_000), (2_000, 1));
        assert_eq!(clock(10_000, 10, 0).0, -10_005);
        assert_eq!(clock(u64::MAX, u64::MAX, 0).0, -i64::MAX);
        assert_eq!(clock(0, 0, u64::MAX).0, i64::MAX);
    }
}
