//! What is read of a stopped node's blocks, and a damaged database: the node does
//! not start on it, says where the damage is, and leaves alone what is still good.

use crate::{
    command::billchain,
    load::{Bills, Load},
    network::{ALL, FAST, Network, PATIENCE},
};
use jsonrpsee::{core::client::ClientT, rpc_params};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Files below `directory` whose path there contains `part`.
fn files(directory: &Path, part: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(place) = open.pop() {
        for entry in fs::read_dir(place).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.strip_prefix(directory).unwrap().to_str().unwrap().contains(part) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else if entry.path().is_file() {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// What happens to a file.
#[derive(Clone, Copy, Debug)]
enum Damage {
    Removed,
    CutInHalf,
    BytesFlipped,
}

impl Damage {
    fn apply(self, file: &Path) {
        let content = fs::read(file).unwrap();
        match self {
            Self::Removed => fs::remove_file(file).unwrap(),
            Self::CutInHalf => fs::write(file, &content[..content.len() / 2]).unwrap(),
            Self::BytesFlipped => {
                let flipped: Vec<u8> = content.iter().map(|byte| byte ^ 0x55).collect();
                fs::write(file, flipped).unwrap();
            }
        }
    }
}

/// Head of a stopped node's chain, and the hash of its block.
fn head(config: &Path, height: u32) -> String {
    let arguments = ["blocks", "inspect", "--config", config.to_str().unwrap()];
    billchain(arguments.into_iter().chain([height.to_string().as_str()])).succeeded()
}

/// A certificate as nodes keep it, from how `billchain blocks inspect` shows it.
fn encoded(certificate: &Value) -> String {
    let number = |of: &Value| of.as_u64().expect("a number");
    let digits = |of: &Value, bytes: usize| {
        let digits = of.as_str().and_then(|text| text.strip_prefix("0x")).expect("0x hex");
        assert_eq!(digits.len(), 2 * bytes, "{of}");
        digits.to_owned()
    };
    let mut text = format!("0x{}", hex::encode(number(&certificate["height"]).to_le_bytes()));
    text += &hex::encode((number(&certificate["round"]) as u32).to_le_bytes());
    text += &digits(&certificate["blockHash"], 32);
    let signatures = certificate["signatures"].as_array().expect("a list");
    text += &hex::encode([(signatures.len() as u8) << 2]);
    for entry in signatures {
        text += &(digits(&entry["validator"], 32) + &digits(&entry["signature"], 64));
    }
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_nodes_block_shows_the_certificate_that_the_running_node_answered() {
    let mut network = Network::started(FAST).await;
    network.reach(&ALL, 2, PATIENCE).await;
    let client = network.client(1).await;
    let method = "chain_getCertificate";
    let answered: Value = client.raw().request(method, rpc_params![2]).await.unwrap();
    drop(client);
    network.stop(&ALL).await;
    let block: Value = serde_json::from_str(&head(&network.config(1), 2)).unwrap();
    let certificate = &block["certificate"];
    assert_eq!(certificate["height"], 2);
    assert_eq!(certificate["blockHash"], block["hash"]);
    assert_eq!(answered["block"]["hash"], block["hash"]);
    assert!(certificate["signatures"].as_array().unwrap().len() >= 3, "{certificate}");
    assert_eq!(answered["certificate"], encoded(certificate));
    // Nobody votes for the genesis block.
    let genesis: Value = serde_json::from_str(&head(&network.config(1), 0)).unwrap();
    assert_eq!(genesis["certificate"], Value::Null);
    network.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damaged_files_stop_the_start_with_their_directory_and_cost_nothing_else() {
    let mut network = Network::started(FAST).await;
    let load = Load::start(&network, 4, &Arc::new(Bills::new()));
    load.wait_finals(40, PATIENCE).await;
    load.end().await;
    let height = network.height(1).await;
    network.stop(&ALL).await;
    // Opening it once more writes RocksDB's log out into tables.
    let good = head(&network.config(1), height);
    assert!(good.contains("certificate"), "{good}");

    let cases = [
        ("chain/db/CURRENT", Damage::Removed),
        ("chain/db/CURRENT", Damage::BytesFlipped),
        ("chain/db/MANIFEST", Damage::Removed),
        ("chain/db/MANIFEST", Damage::BytesFlipped),
        (".sst", Damage::Removed),
        (".sst", Damage::CutInHalf),
        (".sst", Damage::BytesFlipped),
        // All of the database; the commitment to it is there.
        ("chain/db/", Damage::Removed),
        ("chain/db/", Damage::BytesFlipped),
        ("chain/commitment/", Damage::BytesFlipped),
    ];
    for (number, (part, damage)) in cases.into_iter().enumerate() {
        let home = network.directory().join(format!("damaged-{number}"));
        copy(&network.home(1), &home);
        let (config, data) = (home.join("node.toml"), home.join("data"));
        let damaged = files(&data, part);
        assert!(!damaged.is_empty(), "there is no {part}");
        for file in &damaged {
            damage.apply(file);
        }
        let outcome = billchain(["run", "--config", config.to_str().unwrap()]);
        let chain = data.join("chain");
        let words = ["cannot open the database in", chain.to_str().unwrap(), "damaged"];
        println!("{part} {damage:?}: {}", outcome.stderr.trim());
        outcome.refused(1, &words);

        // With the files as they were, it is as it was.
        for file in damaged {
            let original = file.strip_prefix(&home).unwrap();
            fs::copy(network.home(1).join(original), &file).unwrap();
        }
        assert_eq!(head(&config, height), good, "{part} {damage:?}");
    }

    // The commitment alone can be made anew from the stored changes.
    let home = network.directory().join("rebuilt");
    copy(&network.home(1), &home);
    fs::remove_dir_all(home.join("data/chain/commitment")).unwrap();
    assert_eq!(head(&home.join("node.toml"), height), good);

    // The original was never touched.
    network.start(&ALL);
    network.go_on(&ALL, 2, PATIENCE).await;
    network.agree(&ALL).await;
    network.finish().await;
}
