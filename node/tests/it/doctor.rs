//! `billchain doctor`: a healthy network, a node that stopped, another chain, a node that
//! lies, keys that do not fit, a wrong configuration, and servers that are no nodes.

use crate::{
    command::{Outcome, billchain},
    liars::{self, Liar},
    network::{ALL, FAST, Network, PATIENCE, edit},
};
use jsonrpsee::{core::client::ClientT, rpc_params};
use serde_json::Value;
use std::{
    fs,
    time::{Duration, Instant},
};
use tokio::time::sleep;

/// Exit codes.
const HEALTHY: i32 = 0;
const WARNINGS: i32 = 4;
const CRITICAL: i32 = 5;

fn text(path: &std::path::Path) -> &str {
    path.to_str().expect("the paths here are UTF-8")
}

/// Asks these addresses.
fn ask(urls: &[String], more: &[&str]) -> Outcome {
    let mut arguments = vec!["doctor"];
    urls.iter().for_each(|url| arguments.extend(["--rpc", url.as_str()]));
    arguments.extend(more);
    billchain(arguments)
}

/// What was found: severity and code, and the whole text.
fn findings(outcome: &Outcome) -> Vec<(String, String, String)> {
    let json: Value = serde_json::from_str(&outcome.stdout)
        .unwrap_or_else(|error| panic!("no JSON: {error}: {outcome}"));
    let word = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    let found = json["findings"].as_array().unwrap().iter();
    found
        .map(|one| {
            assert!(!word(one, "advice").is_empty(), "no advice: {one}");
            let whole = format!("{}: {}", word(one, "about"), word(one, "what"));
            (word(one, "severity"), word(one, "code"), whole)
        })
        .collect()
}

/// The text of the finding of this kind, with its severity.
fn found<'a>(all: &'a [(String, String, String)], severity: &str, code: &str) -> &'a str {
    let one = all.iter().find(|(_, of, _)| of == code);
    let (as_bad_as, _, text) = one.unwrap_or_else(|| panic!("no {code} in {all:?}"));
    assert_eq!(as_bad_as, severity, "{code}: {text}");
    text
}

/// Asks until the exit code is this one.
async fn until(code: i32, asks: impl Fn() -> Outcome) -> Outcome {
    until_it(|outcome| outcome.code == Some(code), asks).await
}

/// Asks until this kind is found.
async fn until_found(code: &str, asks: impl Fn() -> Outcome) -> Outcome {
    until_it(|outcome| findings(outcome).iter().any(|(_, of, _)| of == code), asks).await
}

async fn until_it(is: impl Fn(&Outcome) -> bool, asks: impl Fn() -> Outcome) -> Outcome {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let outcome = asks();
        if is(&outcome) {
            return outcome;
        }
        assert!(Instant::now() < deadline, "expected another outcome: {outcome}");
        sleep(Duration::from_millis(300)).await;
    }
}

#[tokio::test]
async fn a_healthy_network_has_nothing_and_a_stopped_node_is_named() {
    let mut network = Network::started(FAST).await;
    let urls: Vec<String> = ALL.iter().map(|node| network.url(*node)).collect();
    let outcome = until(HEALTHY, || ask(&urls, &[])).await;
    assert!(outcome.stdout.ends_with("healthy: nothing is wrong\n"), "{outcome}");
    assert_eq!(outcome.stdout.lines().filter(|line| line.contains(", votes;")).count(), 4);
    network.go_on(&ALL, 4, PATIENCE).await;
    status_says_what_the_chain_says(&mut network).await;

    let config = network.config(1);
    let here = || billchain(["doctor", "--config", text(&config), "--json"]);
    let outcome = until(HEALTHY, here).await;
    let json: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!((&json["worst"], &json["nodes"][0]["answers"]), (&"note".into(), &true.into()));

    network.stop(&[4]).await;
    // First the connection is missing, then the vote: for all within a second.
    let is_missing = |outcome: &Outcome| {
        findings(outcome).iter().any(|(_, _, text)| text.contains("its votes are missing"))
    };
    let outcome = until_it(is_missing, || ask(&urls[..3], &["--json"])).await;
    assert_eq!(outcome.code, Some(WARNINGS), "{outcome}");
    let all = findings(&outcome);
    let vote = found(&all, "warning", "vote-missing");
    assert!(vote.starts_with("Node 4: its votes are missing: node-1"), "{vote}");
    assert!(vote.contains("saw the last one at height ") && vote.contains(", round "), "{vote}");
    assert!(found(&all, "warning", "peer-tcp").contains("Node 4 is not connected"), "{all:?}");
    let outcome = ask(&urls, &["--json"]);
    assert_eq!(outcome.code, Some(CRITICAL), "{outcome}");
    assert!(found(&findings(&outcome), "critical", "unreachable").contains(&urls[3]));

    let config = network.config(4);
    let outcome = billchain(["doctor", "--config", text(&config), "--json"]);
    assert_eq!(outcome.code, Some(HEALTHY), "{outcome}");
    assert!(found(&findings(&outcome), "note", "stopped").contains("stopped at block "));

    // The others go on, and the one that is back is well.
    network.start(&[4]);
    until(HEALTHY, || ask(&urls, &[])).await;
    network.finish().await;
}

/// `consensus_status` and what other methods say.
async fn status_says_what_the_chain_says(network: &mut Network) {
    for node in ALL {
        let client = network.client(node).await;
        let status: Value = client.raw().request("consensus_status", rpc_params![]).await.unwrap();
        let genesis: String =
            client.raw().request("chain_getBlockHash", rpc_params![0]).await.unwrap();
        assert_eq!(status["chain"]["genesis"], genesis.as_str());
        assert_eq!(status["node"]["name"], format!("node-{node}"));
        assert_eq!(
            (&status["node"]["votes"], &status["node"]["is_member"]),
            (&true.into(), &true.into())
        );
        let number = status["chain"]["number"].as_u64().unwrap();
        let height = status["height"].as_u64().unwrap();
        assert!(height >= number && number > 3, "{status}");
        assert!(status["node"]["signed"].as_u64().unwrap() >= number - 1, "{status}");
        let validators = status["validators"].as_array().unwrap();
        assert_eq!(validators.len(), 4);
        for other in validators.iter().filter(|one| one["key"] != status["node"]["key"]) {
            assert!(other["last"]["height"].as_u64().unwrap() > 0, "{other}");
        }
        let peers = status["peers"].as_array().unwrap();
        assert_eq!(peers.len(), 3);
        for peer in peers {
            assert!(peer["connected"].is_u64() && peer["heard"].is_u64(), "{peer}");
            assert_eq!(peer["gossip"], true, "{peer}");
        }
        let disk = &status["machine"]["disk"];
        assert_eq!((&disk["least"], &disk["is_low"]), (&(1_u64 << 30).into(), &false.into()));
        // At some moment a vote of the round at hand is held, of each validator.
        let deadline = Instant::now() + PATIENCE;
        loop {
            let status: Value =
                client.raw().request("consensus_status", rpc_params![]).await.unwrap();
            let votes = |one: &Value| one["prevote"] == "block" && one["precommit"] == "block";
            if status["validators"].as_array().unwrap().iter().filter(|one| votes(one)).count() >= 3
            {
                break;
            }
            assert!(Instant::now() < deadline, "no votes are shown: {status}");
            sleep(Duration::from_millis(50)).await;
        }
    }
}

#[tokio::test]
async fn a_node_of_another_chain_and_one_that_lies_about_blocks_are_found() {
    let mut network = Network::new(FAST).await;
    let spec = fs::read_to_string(network.directory().join("chain.json")).unwrap();
    let mut other: Value = serde_json::from_str(&spec).unwrap();
    other["timestampMs"] = (other["timestampMs"].as_u64().unwrap() + 1).into();
    fs::write(network.directory().join("other.json"), other.to_string()).unwrap();
    edit(&network.config(4), "chain.json", "other.json");
    network.start(&ALL);
    network.reach(&[1, 2, 3], 5, PATIENCE).await;
    let urls: Vec<String> = ALL.iter().map(|node| network.url(*node)).collect();
    let outcome = until_found("other-chain", || ask(&urls, &["--json"])).await;
    assert_eq!(outcome.code, Some(CRITICAL), "{outcome}");
    let all = findings(&outcome);
    let words = found(&all, "critical", "other-chain");
    assert!(words.starts_with("node-4 (") && words.contains("its genesis is 0x"), "{words}");
    assert!(!all.iter().any(|(_, code, _)| code == "diverged"), "{all:?}");

    let liar = liars::serve(Liar::Blocks { of: network.rpc_port(1), from: 3 });
    let outcome = ask(&[urls[1].clone(), urls[2].clone(), liar], &["--json"]);
    assert_eq!(outcome.code, Some(CRITICAL), "{outcome}");
    let all = findings(&outcome);
    let words = found(&all, "critical", "diverged");
    assert!(words.contains("they differ from block 3 on"), "{words}");
    network.finish().await;
}

#[tokio::test]
async fn keys_that_do_not_fit_the_chain_are_found_in_a_stopped_node() {
    let network = Network::new("").await;
    let (config, home) = (network.config(1), network.home(1));
    let look = || {
        let outcome = billchain(["doctor", "--config", text(&config), "--json", "--timeout", "1"]);
        (outcome.code, findings(&outcome))
    };
    let (code, all) = look();
    assert_eq!(code, Some(WARNINGS), "{all:?}");
    found(&all, "note", "no-data");
    // Nobody runs.
    for protocol in ["tcp", "udp"] {
        let code = format!("peer-{protocol}");
        let words = found(&all, "warning", &code);
        assert!(words.contains(&format!("127.0.0.1:{}", network.p2p_port(2))), "{words}");
        assert_eq!(all.iter().filter(|(_, one, _)| *one == code).count(), 3, "{all:?}");
    }

    let (key, aside) = (home.join("consensus.pem"), home.join("aside.pem"));
    fs::rename(&key, &aside).unwrap();
    let password = home.join("password");
    let make = ["keys", "generate", "--out", text(&key), "--password-file", text(&password)];
    billchain(make).succeeded();
    let (code, all) = look();
    assert_eq!(code, Some(CRITICAL), "{all:?}");
    let words = found(&all, "critical", "key");
    assert!(words.contains("is no validator's in the chain specification"), "{words}");

    fs::copy(network.home(2).join("consensus.pem"), &key).unwrap();
    fs::copy(network.home(2).join("password"), &password).unwrap();
    let words = found(&look().1, "critical", "keys-apart").to_owned();
    assert!(words.contains("keys.consensus is Node 2's and keys.network Node 1's"), "{words}");

    fs::write(&password, "wrong").unwrap();
    let words = found(&look().1, "critical", "consensus-key").to_owned();
    assert!(words.contains("wrong password"), "{words}");

    fs::write(home.join("network.key"), "ab".repeat(32)).unwrap();
    let words = found(&look().1, "critical", "identity").to_owned();
    assert!(words.contains("is of no validator or observer"), "{words}");
}

#[tokio::test]
async fn a_wrong_configuration_is_told_with_every_mistake() {
    // The last section of a configuration is [storage].
    let network = Network::new("min_free_mib = 1\n[pool]\nmax_bites = 7\n").await;
    let config = network.config(1);
    let outcome = billchain(["doctor", "--config", text(&config), "--json"]);
    assert_eq!(outcome.code, Some(CRITICAL), "{outcome}");
    let words = found(&findings(&outcome), "critical", "config").to_owned();
    for part in ["has 2 problems", "storage.min_free_mib: expected", "pool.max_bites: unknown key"]
    {
        assert!(words.contains(part), "{part}: {words}");
    }
    let missing = network.directory().join("nowhere.toml");
    let outcome = billchain(["doctor", "--config", text(&missing), "--json"]);
    assert!(found(&findings(&outcome), "critical", "config").contains("cannot read it"));

    edit(&config, "min_free_mib = 1\n[pool]\nmax_bites = 7\n", "");
    fs::write(network.directory().join("chain.json"), "{}").unwrap();
    let outcome = billchain(["doctor", "--config", text(&config), "--json", "--timeout", "1"]);
    assert_eq!(outcome.code, Some(CRITICAL), "{outcome}");
    assert!(found(&findings(&outcome), "critical", "chain-spec").contains("chain.json"));
    let holder = std::net::TcpListener::bind(("127.0.0.1", network.rpc_port(1))).unwrap();
    let outcome = billchain(["doctor", "--config", text(&config), "--json", "--timeout", "1"]);
    assert!(found(&findings(&outcome), "critical", "ports").contains("rpc.listen"));
    drop(holder);
}

#[test]
fn servers_that_are_no_nodes_cost_a_bounded_time_and_move_no_cursor() {
    let liars = [
        Liar::Silent,
        Liar::Dripping,
        Liar::Endless,
        Liar::Garbage,
        Liar::Deep,
        Liar::Escapes,
        Liar::WrongForm,
    ];
    let began = Instant::now();
    let urls: Vec<String> = liars.into_iter().map(liars::serve).collect();
    let plain = ask(&urls, &["--timeout", "2"]);
    let json = ask(&urls, &["--timeout", "2", "--json"]);
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    for outcome in [&plain, &json] {
        assert_eq!(outcome.code, Some(CRITICAL), "{outcome}");
        let bad = |one: char| one.is_control() && one != '\n';
        assert!(!outcome.stdout.contains(bad), "{outcome}");
        assert!(outcome.stdout.len() < 20_000, "{} bytes", outcome.stdout.len());
    }
    let all = findings(&json);
    assert_eq!(all.len(), urls.len(), "{all:?}");
    for url in &urls {
        assert!(all.iter().any(|(_, _, text)| text.contains(url.as_str())), "{url}: {all:?}");
    }
    let nonsense = ask(&["nonsense".to_owned()], &[]);
    assert_eq!(nonsense.code, Some(CRITICAL), "{nonsense}");
    assert!(nonsense.stdout.contains("[address] nonsense"), "{nonsense}");
    ask(&[], &["--timeout", "0"]).refused(2, &["--timeout", "1..=60"]);
    let many = vec!["http://127.0.0.1:1".to_owned(); 65];
    ask(&many, &[]).refused(1, &["at most 64 nodes, found 65"]);
}
