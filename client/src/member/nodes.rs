//! Several nodes as one: time-outs, failover, and no node of another chain.
//!
//! A request goes to the node that answered last. One that cannot be reached, has no room or lacks
//! what was asked for is left for the next, round after round until the patience ends. Reads and
//! submissions of the same bytes may be asked twice, so no answer that got lost does harm.

use super::{MemberError, array};
use billchain_primitives::Hash;
use billchain_rpc_types::code;
use billchain_runtime::VERSION;
use jsonrpsee::{
    core::client::{ClientT, Error as RpcError},
    http_client::{HttpClient, HttpClientBuilder},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::{Duration, Instant},
};

/// Largest answer, in bytes.
const MAX_ANSWER: u32 = 64 << 20;
/// Least time that one answer has.
const LEAST: Duration = Duration::from_millis(50);
/// Longest pause between two rounds.
const PAUSE: Duration = Duration::from_secs(1);
/// A node that fails, has no room, or lacks what another one may have.
const ELSEWHERE: [i32; 6] = [
    code::INTERNAL,
    code::BUSY,
    code::BATCH_ANSWER_TOO_LONG,
    code::INDEX_INCOMPLETE,
    code::NO_CERTIFICATE,
    code::BLOCK_NOT_KEPT,
];
/// The same of its pool.
const POOL_ELSEWHERE: [i32; 8] = [2003, 2005, 2014, 2015, 2017, 2018, 2019, 2020];

struct Node {
    url: String,
    client: HttpClient,
    /// Whether it is known to be of the chain.
    is_known: AtomicBool,
}

pub(super) struct Nodes {
    nodes: Vec<Node>,
    genesis: Hash,
    first: AtomicUsize,
    pub(super) timeout: Duration,
}

/// What a node says of its rules.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rules {
    spec_name: String,
    spec_version: u32,
    transaction_version: u32,
}

impl Nodes {
    pub(super) fn new(
        urls: &[&str],
        genesis: Hash,
        timeout: Duration,
    ) -> Result<Self, MemberError> {
        if urls.is_empty() {
            let reason = "at least one node is needed".to_owned();
            return Err(MemberError::Url { url: String::new(), reason });
        }
        let node = |url: &&str| -> Result<Node, MemberError> {
            let builder =
                HttpClientBuilder::default().request_timeout(timeout).max_response_size(MAX_ANSWER);
            let client = builder.build(url).map_err(|error| MemberError::Url {
                url: (*url).to_owned(),
                reason: error.to_string(),
            })?;
            Ok(Node { url: (*url).to_owned(), client, is_known: AtomicBool::new(false) })
        };
        let nodes = urls.iter().map(node).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { nodes, genesis, first: AtomicUsize::new(0), timeout })
    }

    /// What a method answers, and which node answered. `sure` is the node that has to.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        method: &'static str,
        params: &[Value],
        patience: Duration,
        sure: Option<usize>,
    ) -> Result<(T, usize), MemberError> {
        let deadline = Instant::now() + patience;
        let mut pause = LEAST;
        loop {
            let mut causes = Vec::new();
            let mut refused = None;
            for place in self.order(sure) {
                let left = deadline.saturating_duration_since(Instant::now()).max(LEAST);
                match self.one(place, method, params, left).await {
                    Ok(answer) => {
                        self.first.store(place, Ordering::Relaxed);
                        return Ok((answer, place));
                    }
                    Err(Problem::Final(error)) => return Err(error),
                    Err(Problem::Elsewhere(error)) => {
                        causes.push(error.to_string());
                        refused = matches!(error, MemberError::Refused { .. }).then_some(error);
                    }
                }
            }
            if Instant::now() + pause >= deadline {
                // What the last node said, if it said something.
                return Err(refused.unwrap_or(MemberError::Unreachable { method, causes }));
            }
            tokio::time::sleep(pause).await;
            pause = (2 * pause).min(PAUSE);
        }
    }

    /// The nodes in the order in which they are asked.
    fn order(&self, sure: Option<usize>) -> Vec<usize> {
        if let Some(sure) = sure {
            return vec![sure];
        }
        let first = self.first.load(Ordering::Relaxed);
        (0..self.nodes.len()).map(|at| (first + at) % self.nodes.len()).collect()
    }

    async fn one<T: DeserializeOwned>(
        &self,
        place: usize,
        method: &'static str,
        params: &[Value],
        left: Duration,
    ) -> Result<T, Problem> {
        let Some(node) = self.nodes.get(place) else {
            let causes = Vec::new();
            return Err(Problem::Final(MemberError::Unreachable { method, causes }));
        };
        let asked = async {
            self.check(node).await?;
            node.ask(method, params).await
        };
        tokio::time::timeout(left.min(self.timeout), asked)
            .await
            .unwrap_or_else(|_| Err(node.unreachable(method, &"no answer in time")))
    }

    /// Refuses a node of another chain or of other rules.
    async fn check(&self, node: &Node) -> Result<(), Problem> {
        if node.is_known.load(Ordering::Relaxed) {
            return Ok(());
        }
        let other = |what, found: String, expected: String| {
            Problem::Final(MemberError::WrongChain { url: node.url.clone(), what, found, expected })
        };
        let found: Hash = node.ask("chain_getBlockHash", &[0.into()]).await?;
        if found != self.genesis {
            let (found, expected) = (format!("{found:?}"), format!("{:?}", self.genesis));
            return Err(other("the chain begins with a block that", found, expected));
        }
        let rules: Rules = node.ask("state_getRuntimeVersion", &[]).await?;
        let found = (rules.spec_name, rules.spec_version, rules.transaction_version);
        let own =
            (VERSION.spec_name.to_string(), VERSION.spec_version, VERSION.transaction_version);
        if found != own {
            return Err(other("its rules", format!("{found:?}"), format!("{own:?}")));
        }
        node.is_known.store(true, Ordering::Relaxed);
        Ok(())
    }
}

/// Why one node gave no answer.
enum Problem {
    /// Another one may.
    Elsewhere(MemberError),
    /// No other one would.
    Final(MemberError),
}

impl Node {
    async fn ask<T: DeserializeOwned>(
        &self,
        method: &'static str,
        params: &[Value],
    ) -> Result<T, Problem> {
        let refusal = match self.client.request::<T, _>(method, array(params)).await {
            Ok(answer) => return Ok(answer),
            Err(RpcError::Call(refusal)) => refusal,
            Err(other) => return Err(self.unreachable(method, &other)),
        };
        let error = MemberError::refused(method, &refusal);
        let is_elsewhere = match &error {
            MemberError::Refused { code, pool, .. } => {
                ELSEWHERE.contains(code) || pool.is_some_and(|pool| POOL_ELSEWHERE.contains(&pool))
            }
            _ => false,
        };
        Err(if is_elsewhere { Problem::Elsewhere(error) } else { Problem::Final(error) })
    }

    fn unreachable(&self, method: &'static str, why: &dyn core::fmt::Display) -> Problem {
        self.is_known.store(false, Ordering::Relaxed);
        let causes = vec![format!("{}: {why}", self.url)];
        Problem::Elsewhere(MemberError::Unreachable { method, causes })
    }
}
