//! What `/health` answers: whether this node is ready for clients, and if not, why.

use crate::{config::Config, disk::Disk, membership::Membership};
use axum::http::StatusCode;
use billchain_consensus::{ReportReader, Status};
use billchain_executor::Chain;
use billchain_runtime::Timestamp;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Empty blocks that may fail to come before the chain stands.
const EMPTY_BLOCKS: u32 = 3;

/// Whether a node is ready.
#[derive(Clone)]
pub(crate) struct Health {
    chain: Chain,
    membership: Membership,
    disk: Disk,
    consensus: ReportReader,
    started: Instant,
    patience: Duration,
}

/// What a node sees of itself.
#[derive(Clone, Copy)]
struct Seen {
    /// Number of the newest block.
    number: u32,
    /// Its time since 1970. The first block of all has none.
    newest: Duration,
    /// The node's clock, likewise.
    now: Duration,
    /// Since when no block was committed; since the start, if none was.
    quiet: Duration,
    /// Whether the last block came from a peer that had it already, or none came since
    /// the start.
    follows: bool,
}

impl Health {
    /// Of this node: blocks come at least as often as its configuration says, also if a
    /// round fails before one.
    pub(crate) fn new(
        chain: &Chain,
        membership: &Membership,
        disk: &Disk,
        consensus: ReportReader,
        config: &Config,
    ) -> Self {
        let settings = &config.consensus;
        let round = settings.propose_timeout + 2 * settings.vote_timeout;
        Self {
            chain: chain.clone(),
            membership: membership.clone(),
            disk: disk.clone(),
            consensus,
            started: Instant::now(),
            patience: EMPTY_BLOCKS * settings.empty_block_interval + round,
        }
    }

    /// Status and text of the answer.
    pub(crate) fn answer(&self) -> (StatusCode, String) {
        let problems = self.problems().unwrap_or_else(|error| vec![error.to_string()]);
        match problems.is_empty() {
            true => (StatusCode::OK, "ok\n".to_owned()),
            false => (StatusCode::SERVICE_UNAVAILABLE, problems.join("; ") + "\n"),
        }
    }

    /// Why the node is not ready.
    fn problems(&self) -> anyhow::Result<Vec<String>> {
        let number = self.chain.head().number;
        if !self.membership.look()?.is_member {
            return Ok(vec![format!("no member of the chain at block {number}")]);
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let Status { committed_at, catching_up, .. } = self.consensus.status();
        let seen = Seen {
            number,
            newest: Duration::from_millis(self.chain.read(Timestamp::get)?),
            now,
            quiet: committed_at.unwrap_or(self.started).elapsed(),
            follows: catching_up || committed_at.is_none(),
        };
        Ok(judge(seen, self.patience).into_iter().chain(self.disk_problem()).collect())
    }

    fn disk_problem(&self) -> Option<String> {
        Some(format!("disk low: {}", self.disk.words()?))
    }
}

/// What is wrong with the blocks.
fn judge(seen: Seen, patience: Duration) -> Option<String> {
    let Seen { number, newest, now, quiet, follows } = seen;
    let age = now.saturating_sub(newest);
    let seconds = |time: Duration| time.as_secs();
    if quiet > patience {
        Some(format!("stalled: no block for {} s", seconds(quiet)))
    } else if newest.is_zero() {
        Some("no block yet".to_owned())
    } else if age.saturating_sub(quiet) <= patience {
        // So old was it when it was committed.
        None
    } else if follows {
        Some(format!("syncing: block {number} is {} s old", seconds(age)))
    } else {
        Some(format!(
            "clock: block {number} was decided just now, and is {} s old by this node's clock",
            seconds(age)
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_says_whether_its_blocks_come() {
        let at = Duration::from_secs;
        let patience = at(12);
        // The newest block's time, the clock, how long it is quiet, whether it follows.
        for (what, newest, now, quiet, follows, words) in [
            ("before the first block", 0, 1_000, 1, true, Some("no block yet")),
            ("and for long", 0, 1_000, 13, true, Some("stalled: no block for 13 s")),
            ("a new block", 1_000, 1_001, 1, false, None),
            ("as quiet as it may be", 1_000, 1_012, 12, false, None),
            ("longer", 1_000, 1_013, 13, false, Some("stalled: no block for 13 s")),
            ("an old block from a peer", 1_000, 1_500, 1, true, Some("syncing: block 7 is 500 s")),
            ("just started, and behind", 1_000, 1_500, 3, true, Some("syncing: block 7 is 500 s")),
            ("no block comes from peers", 1_000, 1_500, 13, true, Some("stalled: no block for 13")),
            ("a clock that is ahead", 1_000, 1_060, 1, false, Some("clock: block 7 was decided")),
            ("a clock that is behind", 1_000, 900, 1, false, None),
        ] {
            let (newest, now, quiet) = (at(newest), at(now), at(quiet));
            let found = judge(Seen { number: 7, newest, now, quiet, follows }, patience);
            let fits = match (&found, words) {
                (Some(found), Some(words)) => found.starts_with(words),
                (found, words) => found.is_none() && words.is_none(),
            };
            assert!(fits, "{what}: {found:?}, expected {words:?}");
        }
    }
}
