//! `billchain devnet`: the files of a development network of four nodes on
//! this machine. Keys are well known: never for anything but development.

use crate::commands::keys::{write_network, write_private};
use anyhow::{Context, Result, ensure};
use billchain_chain_spec::{ChainSpec, dev};
use billchain_crypto::keyfile;
use clap::Args;
use serde_json::json;
use std::{fs, path::PathBuf};

/// Where the files go and which ports the nodes use.
#[derive(Args)]
pub(crate) struct Options {
    /// Directory to make; must not hold a network.
    #[arg(long)]
    dir: PathBuf,
    /// JSON-RPC on PORT…+3, peers on PORT+4…+7, metrics on PORT+8…+11; without
    /// it 9944, 30333 and 9615 are the first ones.
    #[arg(long, value_name = "PORT")]
    base_port: Option<u16>,
}

/// Password of the development keys: there is nothing to protect.
const PASSWORD: &str = "development";

/// Runs `billchain devnet …`.
pub(crate) fn run(options: Options) -> Result<()> {
    let (rpc, p2p, metrics) = match options.base_port {
        None => (9944, 30333, 9615),
        Some(base) => {
            ensure!(base <= u16::MAX - 11, "--base-port: expected at most {}", u16::MAX - 11);
            (base, base + 4, base + 8)
        }
    };
    let dir = &options.dir;
    let layout = dir.join("network.json");
    ensure!(!layout.exists(), "{} holds a network already", dir.display());
    fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    fs::write(dir.join("chain.json"), ChainSpec::development().to_json()?)?;

    let nodes: Vec<_> = (1..=dev::NODES).map(dev::NodeKeys::of).collect();
    let mut described = Vec::new();
    for (offset, keys) in (0_u16..).zip(&nodes) {
        let number = offset + 1;
        let home = dir.join(format!("node-{number}"));
        fs::create_dir_all(&home)?;
        let pem = keyfile::encrypt_to_pem(&keys.consensus, PASSWORD.as_bytes())?;
        write_private(&home.join("consensus.pem"), pem.as_bytes())?;
        write_private(&home.join("password"), PASSWORD.as_bytes())?;
        write_network(&home.join("network.key"), &keys.peer)?;
        let peers: Vec<String> = (0_u16..)
            .zip(&nodes)
            .filter(|(other, _)| *other != offset)
            .map(|(other, keys)| {
                format!("    \"/ip4/127.0.0.1/tcp/{}/p2p/{}\",", p2p + other, keys.peer_id())
            })
            .collect();
        let config = format!(
            "name = \"node-{number}\"\ndata_dir = \"data\"\nchain_spec = \"../chain.json\"\n\n\
             [keys]\nconsensus = \"consensus.pem\"\npassword_file = \"password\"\n\
             network = \"network.key\"\n\n\
             [network]\nlisten = \"127.0.0.1:{}\"\npeers = [\n{}\n]\n\n\
             [rpc]\nlisten = \"127.0.0.1:{}\"\n\n[metrics]\nlisten = \"127.0.0.1:{}\"\n\n\
             [storage]\ncache_mib = 64\n",
            p2p + offset,
            peers.join("\n"),
            rpc + offset,
            metrics + offset,
        );
        fs::write(home.join("node.toml"), config)?;
        described.push(json!({
            "name": format!("node-{number}"),
            "rpc_port": rpc + offset,
            "p2p_port": p2p + offset,
            "metrics_port": metrics + offset,
        }));
    }
    // Last: its presence says that the network is complete.
    fs::write(&layout, serde_json::to_string_pretty(&json!({ "nodes": described }))?)?;
    println!("{}", layout.display());
    Ok(())
}
