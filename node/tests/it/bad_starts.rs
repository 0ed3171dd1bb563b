//! What an operator gets wrong before a node runs: each is a clear error, and
//! nothing is lost by it.

use crate::{
    command::{Outcome, billchain},
    network::{ALL, FAST, Network, PATIENCE, edit},
};
use std::{
    fs,
    net::{TcpListener, UdpSocket},
    path::Path,
};

/// `billchain run` with a configuration that must not start.
fn run(config: &Path) -> Outcome {
    billchain(["run".as_ref(), "--config".as_ref(), config.as_os_str()])
}

fn text(path: &Path) -> &str {
    path.to_str().expect("the paths here are UTF-8")
}

#[tokio::test]
async fn a_wrong_password_is_named_with_its_key_file() {
    let network = Network::new("").await;
    let (home, config) = (network.home(1), network.config(1));
    let (key, password) = (home.join("consensus.pem"), home.join("password"));
    let words = [text(&key), "wrong password for the key file"];

    fs::write(&password, "not the password").unwrap();
    run(&config).refused(1, &words);
    billchain(["keys", "show", text(&key), "--password-file", text(&password)]).refused(1, &words);

    fs::write(&password, "\n").unwrap();
    run(&config).refused(1, &["the password file", text(&password), "is empty"]);
    fs::remove_file(&password).unwrap();
    run(&config).refused(1, &["cannot read the password file", text(&password)]);

    fs::write(&password, "development").unwrap();
    let pem = fs::read_to_string(&key).unwrap();
    fs::write(&key, &pem[..pem.len() / 2]).unwrap();
    run(&config).refused(1, &[text(&key), "the key file is damaged"]);

    fs::write(home.join("network.key"), "12").unwrap();
    run(&config).refused(1, &["network.key", "expected 64 hex digits"]);
}

#[tokio::test]
async fn a_missing_database_is_named_and_not_made() {
    let network = Network::new("").await;
    let config = network.config(1);
    let (data, out) = (network.home(1).join("data"), network.directory().join("blocks.bin"));
    let database = data.join("chain");
    let words = ["no database in", text(&database), "expected one that was made before"];
    billchain(["blocks", "inspect", "--config", text(&config), "0"]).refused(1, &words);
    billchain(["blocks", "export", "--config", text(&config), "--out", text(&out)])
        .refused(1, &words);
    assert!(!data.exists() && !out.exists(), "a command that reads has made something");

    // `run` makes it, which is how a node joins; where it cannot, it says so.
    fs::write(&data, "in the way").unwrap();
    run(&config).refused(1, &["cannot make data_dir", text(&data)]);
    fs::remove_file(&data).unwrap();

    let hash = billchain(["init", "--config", text(&config)]).succeeded();
    let spec = network.directory().join("chain.json");
    assert_eq!(hash, billchain(["chain-spec", "hash", text(&spec)]).succeeded());
    billchain(["blocks", "inspect", "--config", text(&config), "1"])
        .refused(1, &["there is no block 1; the head is block 0"]);
}

#[tokio::test]
async fn mistakes_of_a_configuration_are_reported_at_once_with_their_keys() {
    let network = Network::new("").await;
    let config = network.config(1);
    network.configure(1, "\n[consensus]\nbuild_time_ms = \"soon\"\n[pool]\nmax_bites = 7\n");
    edit(&config, &format!("127.0.0.1:{}", network.rpc_port(1)), "everywhere");
    let words = [
        text(&config),
        "has 3 problems:",
        "rpc.listen: expected <address>:<port>, found \"everywhere\"",
        "consensus.build_time_ms: expected a whole number from 10 to 30000, found \"soon\"",
        "pool.max_bites: unknown key",
    ];
    run(&config).refused(1, &words);
    billchain(["config", "check", text(&config)]).refused(1, &words);
    billchain(["init", "--config", text(&config)]).refused(1, &words);

    fs::write(&config, "name = ").unwrap();
    run(&config).refused(1, &[text(&config), "has 1 problem:", "not TOML"]);
    fs::remove_file(&config).unwrap();
    run(&config).refused(1, &[text(&config), "cannot read it"]);
}

#[tokio::test]
async fn bounds_that_contradict_one_another_are_found_by_the_check() {
    let network = Network::new("").await;
    let config = network.config(1);
    network.configure(
        1,
        "\n[pool]\nmax_transactions = 10\nmax_per_sender = 11\n\
         [consensus]\nempty_block_interval_ms = 500\nmin_block_interval_ms = 501\n\
         propose_timeout_ms = 9000\n",
    );
    let words = [
        "has 3 problems:",
        "pool.max_per_sender: must not exceed pool.max_transactions (10), found 11",
        "consensus.min_block_interval_ms: must not exceed consensus.empty_block_interval_ms",
        "consensus.propose_timeout_ms: expected a whole number from 100 to 8000, found 9000",
    ];
    billchain(["config", "check", text(&config)]).refused(1, &words);
    run(&config).refused(1, &words);
}

#[tokio::test]
async fn files_that_a_configuration_names_are_looked_for_by_the_check() {
    let network = Network::new("").await;
    let (home, config) = (network.home(1), network.config(1));
    let check = || billchain(["config", "check", text(&config)]);
    let path = |name: &str| home.join(name);
    edit(&config, "[keys]\n", "[keys]\ndirectory = \"keys\"\n");
    fs::create_dir(path("keys")).unwrap();
    assert!(check().succeeded().contains("no problems"));

    fs::remove_dir(path("keys")).unwrap();
    fs::remove_file(path("consensus.pem")).unwrap();
    fs::remove_file(path("network.key")).unwrap();
    fs::create_dir(path("network.key")).unwrap();
    fs::write(path("password"), "").unwrap();
    fs::remove_file(network.directory().join("chain.json")).unwrap();
    edit(&config, "data_dir = \"data\"", "data_dir = \"disk/data\"");
    // With a mistake of the file itself, which hides none of them.
    network.configure(1, "\n[consensus]\nbuild_time_ms = \"soon\"\n");
    let at = |key: &str, place: &Path, found: &str| {
        let (said, start) = (check(), format!("  - {key}: "));
        let line = said.stderr.lines().find(|line| line.starts_with(&start));
        let line = line.unwrap_or_else(|| panic!("{key} is not named: {said}"));
        assert!(line.ends_with(&format!(" at {}, found {found}", place.display())), "{line}");
    };
    let words = ["has 7 problems:", "consensus.build_time_ms: expected a whole number"];
    check().refused(1, &words);
    at("data_dir", &path("disk"), "none");
    at("chain_spec", &home.join("../chain.json"), "none");
    at("keys.consensus", &path("consensus.pem"), "none");
    at("keys.directory", &path("keys"), "none");
    at("keys.password_file", &path("password"), "an empty file");
    at("keys.network", &path("network.key"), "a directory");
    for made in ["disk", "keys", "consensus.pem"] {
        assert!(!path(made).exists(), "the check has made {made}");
    }
}

#[tokio::test]
async fn a_signing_memory_is_written_where_no_database_is_and_a_node_keeps_to_it() {
    let mut network = Network::new("").await;
    let config = network.config(1);
    let data = network.home(1).join("data");
    let command = |action: &'static str, more: &[&str]| {
        let words = ["signing-memory", action, "--config", text(&config)];
        billchain([&words[..], more].concat())
    };
    command("abstain", &[]).refused(1, &["signing-memory", "give the height with --up-to"]);
    let other = format!("0x{}", "11".repeat(32));
    let words = ["--genesis-hash is 0x1111", "the chain specification makes 0x"];
    command("abstain", &["--up-to", "50", "--genesis-hash", &other]).refused(1, &words);
    assert!(!data.exists(), "a refused command has made something");

    let said = command("abstain", &["--up-to", "50"]).succeeded();
    assert!(said.contains("signs nothing up to height 50"), "{said}");
    assert!(said.contains("there is no database in"), "{said}");
    let names: Vec<_> =
        fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["consensus"], "more than the memory was made");
    assert!(command("show", &[]).succeeded().contains("height      50\n"));
    command("abstain", &["--up-to", "49"]).refused(1, &["height 49 is below 50"]);

    // A join takes the directory and fails for want of members, which do not run.
    let join = ["join", "--config", text(&config), "--patience", "1"];
    billchain(join).refused(1, &["no member was reached"]);
    // A node that begins with the genesis keeps to it, and holds the database.
    network.start(&[1]);
    assert_eq!(network.height(1).await, 0);
    let log = fs::read_to_string(network.log(1)).unwrap();
    assert!(log.contains("may have signed up to height 50: it follows without a vote"), "{log}");
    command("abstain", &["--up-to", "60"]).refused(1, &["is in use by another process"]);
    network.stop(&[1]).await;
    // Where a database is, its chain's first block is the one that counts.
    let words = ["--genesis-hash is 0x1111", "the chain in data_dir begins with 0x"];
    command("abstain", &["--up-to", "60", "--genesis-hash", &other]).refused(1, &words);
    let said = command("abstain", &["--up-to", "60"]).succeeded();
    assert!(!said.contains("no database"), "{said}");
    network.finish().await;
}

#[tokio::test]
async fn a_chain_spec_that_is_none_is_named_with_its_fault() {
    let network = Network::new("").await;
    let (config, spec) = (network.config(1), network.directory().join("chain.json"));
    let good = fs::read_to_string(&spec).unwrap();
    let database = network.home(1).join("data");

    for (spoilt, words) in [
        ("not JSON".to_owned(), "line 1 column"),
        (good[..good.len() / 2].to_owned(), "EOF while parsing"),
        (good.replacen("\"council\"", "\"counsel\"", 1), "unknown field `counsel`"),
        (good.replacen("\"timestampMs\": ", "\"timestampMs\": -", 1), "expected u64 at line"),
        (good.replacen("\"power\": 1", "\"power\": 0", 1), "operators[0].power: expected 1 to"),
    ] {
        assert_ne!(spoilt, good, "{words}");
        fs::write(&spec, spoilt).unwrap();
        run(&config).refused(1, &["chain specification", "chain.json", words]);
        billchain(["chain-spec", "hash", text(&spec)]).refused(1, &[text(&spec), words]);
        assert!(!database.exists(), "a bad chain spec has made a database");
    }
    fs::remove_file(&spec).unwrap();
    run(&config).refused(1, &["cannot read the chain specification", "chain.json"]);

    // Another chain's, where there is a database.
    fs::write(&spec, &good).unwrap();
    let hash = billchain(["init", "--config", text(&config)]).succeeded();
    fs::write(&spec, good.replacen("\"power\": 1", "\"power\": 2", 1)).unwrap();
    let words = ["the data directory holds a chain with genesis", hash.trim()];
    run(&config).refused(1, &words);
    fs::write(&spec, &good).unwrap();
    assert_eq!(billchain(["init", "--config", text(&config)]).succeeded(), hash);
}

#[tokio::test]
async fn a_taken_port_is_named_with_its_key() {
    let network = Network::new("").await;
    let config = network.config(1);
    let address = |port| format!("127.0.0.1:{port}");
    let (rpc, p2p) = (address(network.rpc_port(1)), address(network.p2p_port(1)));
    let metrics = address(network.metrics_port(1));

    let taken = TcpListener::bind(&rpc).unwrap();
    run(&config).refused(1, &["rpc.listen", &rpc, "in use"]);
    drop(taken);
    let taken = TcpListener::bind(&p2p).unwrap();
    run(&config).refused(1, &["network.listen", &p2p, "TCP", "in use"]);
    drop(taken);
    let taken = UdpSocket::bind(&p2p).unwrap();
    run(&config).refused(1, &["network.listen", &p2p, "UDP", "in use"]);
    drop(taken);
    let taken = TcpListener::bind(&metrics).unwrap();
    run(&config).refused(1, &["metrics.listen", &metrics, "in use"]);
    drop(taken);

    // With all of them free, the same files run.
    let mut network = network;
    network.start(&[1]);
    assert_eq!(network.height(1).await, 0);
    network.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_process_on_one_directory_is_refused_and_the_first_goes_on() {
    let mut network = Network::started(FAST).await;
    let second = network.home(1).join("second.toml");
    fs::copy(network.config(1), &second).unwrap();
    let ports = [network.rpc_port(1), network.p2p_port(1), network.metrics_port(1)];
    for (number, port) in (0..).zip(ports) {
        let free = network.free_port(number);
        edit(&second, &format!("\"127.0.0.1:{port}\""), &format!("\"127.0.0.1:{free}\""));
    }
    let database = network.home(1).join("data").join("chain");
    let words = [text(&database), "is in use by another process"];
    run(&second).refused(1, &words);
    run(&network.config(1)).refused(1, &words);
    billchain(["init", "--config", text(&second)]).refused(1, &words);
    billchain(["blocks", "inspect", "--config", text(&second), "1"]).refused(1, &words);

    network.go_on(&ALL, 2, PATIENCE).await;
    network.agree(&ALL).await;
    network.finish().await;
}
