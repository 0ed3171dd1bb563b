//! A damaged database: the node does not start on it, says where the damage
//! is, and leaves alone what is still good.

use crate::{
    command::billchain,
    load::{Bills, Load},
    network::{ALL, FAST, Network, PATIENCE},
};
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
        } else {
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
