//! `billchain doctor`: what is wrong with a node, or with a network, and what to do.
//!
//! It asks running nodes by JSON-RPC, and looks at what lies on this machine. It changes
//! nothing, but for what any opening of a stopped node's database finishes that a crash
//! has cut short. What nodes answer is not trusted: it is bounded in length and time and
//! shown without control characters, and numbers are compared, never counted with.

mod ask;
mod cold;
mod compare;
mod finding;
mod one;
mod place;
mod reach;
#[cfg(test)]
mod testing;

use anyhow::{Result, ensure};
use ask::Asked;
use billchain_rpc_types::ConsensusStatusView;
use clap::Args;
use compare::speaking;
use finding::{Diagnosis, Finding, Severity};
use place::Place;
use serde_json::json;
use std::{io::Write, path::PathBuf, process::ExitCode, time::Duration};

/// Where a node is asked that nobody names.
const DEFAULT: &str = "http://127.0.0.1:9944";
/// Nodes that are asked at once.
const MOST_NODES: usize = 64;
/// Exit code when something deserves a look.
const WARNINGS: u8 = 4;
/// Exit code when something does not work.
const CRITICAL: u8 = 5;

/// Options of `billchain doctor`.
#[derive(Args)]
pub(crate) struct Options {
    /// JSON-RPC of a running node; several for a network. Without it and without
    /// --config: http://127.0.0.1:9944.
    #[arg(long, value_name = "URL")]
    rpc: Vec<String>,
    /// Configuration of a node on this machine, running or stopped.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Seconds that one answer may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 5,
          value_parser = clap::value_parser!(u64).range(1..=60))]
    timeout: u64,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Runs `billchain doctor`. The exit code is 0 when nothing is wrong, 4 with warnings, 5
/// when something does not work.
pub(crate) async fn run(options: Options) -> Result<ExitCode> {
    ensure!(
        options.rpc.len() <= MOST_NODES,
        "--rpc: expected at most {MOST_NODES} nodes, found {}",
        options.rpc.len()
    );
    let patience = Duration::from_secs(options.timeout);
    let mut diagnosis = Diagnosis::default();
    let mut addresses = options.rpc.clone();
    if options.config.is_none() && addresses.is_empty() {
        addresses.push(DEFAULT.to_owned());
    }
    let mut asked = ask_all(&addresses, patience).await;
    if let Some(file) = &options.config {
        here(file.clone(), patience, &mut asked, &mut diagnosis.findings).await?;
    }
    let lines = judge(&asked, &mut diagnosis).await;
    let text = match options.json {
        true => format!("{}\n", diagnosis.json()),
        false => diagnosis.text(&lines),
    };
    // Standard output may be a pipe that nobody reads any more.
    let _ = std::io::stdout().write_all(text.as_bytes());
    Ok(match diagnosis.worst() {
        Severity::Note => ExitCode::SUCCESS,
        Severity::Warning => ExitCode::from(WARNINGS),
        Severity::Critical => ExitCode::from(CRITICAL),
    })
}

async fn ask_all(addresses: &[String], patience: Duration) -> Vec<Asked> {
    futures::future::join_all(addresses.iter().map(|url| Asked::of(url, patience))).await
}

/// What lies on this machine. A node that runs is asked with the others; of one that is
/// stopped the data is looked at.
async fn here(
    file: PathBuf,
    patience: Duration,
    asked: &mut Vec<Asked>,
    found: &mut Vec<Finding>,
) -> Result<()> {
    let Some(place) = Place::read(&file, found) else { return Ok(()) };
    let url = format!("http://{}", reachable(place.config.rpc.listen));
    let node = Asked::of(&url, patience).await;
    place.peers(patience, found).await;
    let own = match &node.said {
        Ok(said) => Some(said.status.node.peer_id == place_identity(&place)),
        Err(finding) if finding.code == ask::UNREACHABLE => None,
        // Something answers there: what it says is found.
        Err(_) => Some(true),
    };
    match own {
        Some(true) => {
            place.room(found);
            // Its disks, and its socket, may be slow.
            let more = tokio::task::spawn_blocking(move || {
                let mut more = Vec::new();
                place.cold(None, &mut more);
                more
            });
            found.extend(more.await?);
            if asked.iter().all(|one| one.url != url) {
                asked.push(node);
            }
        }
        Some(false) => {
            let what = format!("at {url} another node answers: rpc.listen is taken");
            let advice = "Stop that node, or give this one another rpc.listen.";
            found.push(Finding::critical("ports", &place.config.name, &what, advice));
        }
        None => {
            // The database blocks while it opens.
            let mut more = Vec::new();
            let more = tokio::task::spawn_blocking(move || {
                place.room(&mut more);
                place.stopped(&mut more);
                more
            });
            found.extend(more.await?);
        }
    }
    Ok(())
}

fn place_identity(place: &Place) -> String {
    place.identity().map(|id| id.to_string()).unwrap_or_default()
}

/// Where a node that listens everywhere is reached from here.
fn reachable(listen: std::net::SocketAddr) -> std::net::SocketAddr {
    let mut address = listen;
    if listen.ip().is_unspecified() {
        let loopback: std::net::IpAddr = match listen {
            std::net::SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            std::net::SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        };
        address.set_ip(loopback);
    }
    address
}

/// What the answers show; a line for each node.
async fn judge(asked: &[Asked], diagnosis: &mut Diagnosis) -> Vec<String> {
    let mut lines = Vec::new();
    for one in asked {
        match &one.said {
            Err(finding) => {
                diagnosis.findings.push(finding.clone());
                diagnosis.nodes.push(json!({ "url": one.url, "answers": false }));
            }
            Ok(said) => {
                let status = &said.status;
                lines.push(line(one, said));
                diagnosis.findings.extend(one::findings(status, &one.label()));
                diagnosis.nodes.push(json!({
                    "url": one.url,
                    "answers": true,
                    "clock_ahead_ms": said.ahead,
                    "clock_uncertainty_ms": said.uncertainty,
                    "status": status,
                }));
            }
        }
    }
    let nodes = speaking(asked);
    diagnosis.findings.extend(compare::findings(&nodes));
    diagnosis.findings.extend(compare::divergence(&nodes).await);
    diagnosis.sort();
    lines
}

/// For fuzzers: what is told of nodes that answer so; see [`crate::fuzzing`].
pub(crate) fn judge_answers(data: &[u8]) -> bool {
    let Ok(answers) = serde_json::from_slice::<Vec<ConsensusStatusView>>(data) else {
        return false;
    };
    let asked: Vec<Asked> = answers.into_iter().take(MOST_NODES).enumerate().map(stated).collect();
    let mut diagnosis = Diagnosis::default();
    let mut lines = Vec::new();
    for one in &asked {
        if let Ok(said) = &one.said {
            lines.push(line(one, said));
            diagnosis.findings.extend(one::findings(&said.status, &one.label()));
        }
    }
    diagnosis.findings.extend(compare::findings(&speaking(&asked)));
    diagnosis.sort();
    let text = diagnosis.text(&lines);
    assert!(text.chars().all(|one| one == '\n' || !one.is_control()), "{text:?}");
    assert!(text.len() < 1 << 20, "{} bytes are told", text.len());
    true
}

/// A node that has said this.
fn stated((number, status): (usize, ConsensusStatusView)) -> Asked {
    let said = Ok(ask::Said { status, ahead: 0, uncertainty: 1 });
    Asked { url: format!("http://{number}"), asker: None, said }
}

/// A node in one line.
fn line(asked: &Asked, said: &ask::Said) -> String {
    let ask::Said { status, ahead, uncertainty } = said;
    let votes = match (status.node.votes, status.node.key) {
        (true, _) => "votes",
        (false, Some(_)) => "does not vote",
        (false, None) => "follows",
    };
    let text = format!(
        "{}: block {}, at height {} round {}, {votes}; release {} {}, rules {}; clock {ahead:+} ± \
         {uncertainty} ms",
        asked.label(),
        status.chain.number,
        status.height,
        status.round,
        status.node.version,
        status.chain.release,
        status.chain.rules,
    );
    finding::clean(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_that_listens_everywhere_is_reached_at_the_loopback() {
        for (listen, reached) in
            [("0.0.0.0:1", "127.0.0.1:1"), ("[::]:2", "[::1]:2"), ("10.0.0.1:3", "10.0.0.1:3")]
        {
            assert_eq!(reachable(listen.parse().unwrap()), reached.parse().unwrap());
        }
    }
}
