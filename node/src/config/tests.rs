use super::*;

const GOOD: &str = r#"
name = "node-1"
data_dir = "data"
chain_spec = "chain.json"
[keys]
consensus = "consensus.pem"
network = "network.key"
[network]
listen = "0.0.0.0:30333"
peers = ["/ip4/10.0.0.2/tcp/30333/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN"]
"#;

fn parse(text: &str) -> Result<Config, Vec<String>> {
    Config::parse(text, Path::new("/etc/billchain"))
}

#[test]
fn a_short_file_gets_the_documented_defaults() {
    let config = parse(GOOD).unwrap();
    assert_eq!(config.data_dir, Path::new("/etc/billchain/data"));
    assert_eq!(config.consensus.empty_block_interval, Duration::from_secs(3));
    assert_eq!(config.consensus.min_block_interval, Duration::ZERO);
    assert_eq!(config.storage.min_free_bytes, 1 << 30);
    assert_eq!(config.rpc.listen.port(), 9944);
    assert_eq!(config.metrics_listen.port(), 9615);
    let peer = &config.network.peers[0];
    assert_eq!(peer.quic().to_string(), "/ip4/10.0.0.2/udp/30333/quic-v1");
    assert!(peer.tcp().to_string().starts_with("/ip4/10.0.0.2/tcp/30333/p2p/12D3"));
}

#[test]
fn three_mistakes_are_reported_together() {
    let text = GOOD
        .replace("listen = \"0.0.0.0:30333\"", "listen = \"everywhere\"")
        .replace("name = \"node-1\"", "name = 7")
        + "[rpc]\nmax_conections = 5\n";
    let problems = parse(&text).unwrap_err();
    assert_eq!(
        problems,
        [
            "name: expected a string, found integer",
            "network.listen: expected <address>:<port>, found \"everywhere\"",
            "rpc.max_conections: unknown key",
        ]
    );
}

#[test]
fn each_bad_value_names_its_key_and_the_bounds() {
    for (addition, expected) in [
        ("[pool]\nmax_bytes = -1", "pool.max_bytes: expected a whole number from 1048576 to"),
        (
            "[pool]\nmax_journal_bytes = 5",
            "pool.max_journal_bytes: expected a whole number from 33554432",
        ),
        ("[rpc]\nlisten = \"x\"", "rpc.listen: expected <address>:<port>"),
        ("[rpc]\nmax_bytes_held = 8000000", "rpc.max_bytes_held: must be at least 32156"),
        ("[rpc]\nmax_connections = 60000", "rpc.max_bytes_held: must be at least 983040000"),
        ("[storage]\nmin_free_mib = 15", "storage.min_free_mib: expected a whole number from 16"),
        ("[storage]\nstate_window = 0", "storage.state_window: expected a whole number from 1"),
        ("[consensus]\nbuild_time_ms = 5000", "consensus.build_time_ms: must be less than"),
        ("[consensus]\nempty_block_interval_ms = \"3s\"", "consensus.empty_block_interval_ms: "),
        ("[consensus]\nmin_block_interval_ms = 3001", "consensus.min_block_interval_ms: must not"),
        ("[consensus]\npropose_timeout_ms = 8001", "consensus.propose_timeout_ms: expected a"),
        // How far a proposal's clock may be off is the chain's.
        ("[consensus]\nmax_clock_drift_ms = 600000", "consensus.max_clock_drift_ms: unknown key"),
        ("[pool]\nmax_transactions = 9", "pool.max_per_sender: must not exceed"),
        ("[surprise]\nx = 1", "surprise.x: unknown key"),
        ("[metrics]\nlisten = 4", "metrics.listen: expected a string, found integer"),
    ] {
        let problems = parse(&format!("{GOOD}{addition}\n")).unwrap_err();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].starts_with(expected), "{problems:?}");
    }
}

#[test]
fn a_name_is_neither_empty_nor_long() {
    for name in [String::new(), " ".into(), "x".repeat(65)] {
        let problems = parse(&GOOD.replace("node-1", &name)).unwrap_err();
        assert_eq!(problems, [format!("name: expected 1 to 64 bytes, found \"{name}\"")]);
    }
    assert_eq!(parse(&GOOD.replace("node-1", &"x".repeat(64))).unwrap().name.len(), 64);
}

#[test]
fn a_missing_required_key_is_named() {
    let problems = parse("").unwrap_err();
    for key in ["name", "data_dir", "chain_spec", "keys.network", "network.listen"] {
        assert!(problems.contains(&format!("{key}: is required")), "{key} in {problems:?}");
    }
}

#[test]
fn a_peer_without_identity_is_refused() {
    let text = GOOD.replace("/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN", "");
    let problems = parse(&text).unwrap_err();
    assert!(problems[0].starts_with("network.peers[0]: expected /ip4/"), "{problems:?}");
}

#[test]
fn a_file_that_is_no_toml_says_where() {
    let problems = parse("name = ").unwrap_err();
    assert!(problems[0].starts_with("not TOML: "), "{problems:?}");
}

#[test]
fn the_pools_settings_reach_the_pool_and_every_admitted_bound_is_usable() {
    let longest = MAX_TRANSACTION_BYTES as usize;
    for (settings, sender_bytes) in [
        (String::new(), 32 << 20),
        (format!("[pool]\nmax_bytes = {}\n", 2 * longest), longest),
        (format!("[pool]\nmax_sender_bytes = {longest}\n"), longest),
        ("[pool]\nmax_transactions = 1\nmax_per_sender = 1\n".into(), 32 << 20),
        (format!("[pool]\nmax_bytes = {}\n", 1_usize << 34), 1 << 32),
    ] {
        let pool = crate::settings::pool(&parse(&(GOOD.to_owned() + &settings)).unwrap());
        assert_eq!(pool.check(), Ok(()), "{settings}");
        assert_eq!(pool.max_sender_bytes, sender_bytes, "{settings}");
    }
}
