//! `billchain blocks`: read the blocks of a stopped node.

use crate::{config::Config, database::open_chain};
use anyhow::{Context, Result, ensure};
use billchain_consensus::CommitCertificate;
use billchain_primitives::{Block, transaction_hash};
use billchain_runtime::UncheckedExtrinsic;
use billchain_storage::OpenMode;
use clap::Subcommand;
use codec::{Decode, Encode};
use serde_json::{Value, json};
use std::{fs::File, io::Write, path::PathBuf};

/// Actions on blocks.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Print a block with its certificate and transactions as JSON.
    Inspect {
        /// The node's configuration.
        #[arg(long)]
        config: PathBuf,
        /// Number of the block.
        number: u32,
    },
    /// Write blocks and certificates to a file: for each, the SCALE encoding
    /// of (block bytes, certificate bytes).
    Export {
        /// The node's configuration.
        #[arg(long)]
        config: PathBuf,
        /// First block; the first that is kept whole by default.
        #[arg(long)]
        from: Option<u32>,
        /// Last block; the head by default.
        #[arg(long)]
        to: Option<u32>,
        /// File to write; must not exist.
        #[arg(long)]
        out: PathBuf,
    },
}

/// Runs `billchain blocks …`.
pub(crate) fn run(command: Command) -> Result<()> {
    match command {
        Command::Inspect { config, number } => inspect(&Config::load(&config)?, number),
        Command::Export { config, from, to, out } => {
            let (_, chain) = open_chain(&Config::load(&config)?, OpenMode::MustExist)?;
            let to = to.unwrap_or(chain.head().number);
            let first = chain.storage().first_block();
            let from = from.unwrap_or(first);
            ensure!(from <= to && to <= chain.head().number, "there is no block {from} to {to}");
            ensure!(from >= first, "blocks before {first} are not kept whole here");
            let mut file = File::create_new(&out)
                .with_context(|| format!("cannot create {} (it must not exist)", out.display()))?;
            for number in from..=to {
                let block = chain.storage().block(number)?.context("a block is missing")?;
                let certificate = chain.storage().certificate(number)?.unwrap_or_default();
                file.write_all(&(block, certificate).encode())?;
            }
            file.sync_all()?;
            println!("{} blocks written to {}", to - from + 1, out.display());
            Ok(())
        }
    }
}

fn inspect(config: &Config, number: u32) -> Result<()> {
    let (_, chain) = open_chain(config, OpenMode::MustExist)?;
    let head = chain.head().number;
    let bytes = chain.storage().block(number)?.with_context(|| match number > head {
        true => format!("there is no block {number}; the head is block {head}"),
        false => format!(
            "block {number} is not kept whole here; those from {} on are",
            chain.storage().first_block()
        ),
    })?;
    let block = Block::<UncheckedExtrinsic>::decode(&mut &bytes[..])
        .with_context(|| format!("block {number} does not decode"))?;
    let certificate = match chain.storage().certificate(number)? {
        Some(bytes) if !bytes.is_empty() => {
            let certificate = CommitCertificate::decode(&mut &bytes[..])
                .with_context(|| format!("certificate of block {number} does not decode"))?;
            Some(certificate_view(&certificate))
        }
        _ => None,
    };
    let transactions: Vec<_> = block
        .extrinsics
        .iter()
        .map(|extrinsic| {
            json!({
                "hash": format!("{:?}", transaction_hash(&extrinsic.encode())),
                "call": format!("{:?}", extrinsic.function()),
            })
        })
        .collect();
    let described = json!({
        "number": number,
        "hash": format!("{:?}", block.header.hash()),
        "parent": format!("{:?}", block.header.parent_hash),
        "stateRoot": format!("{:?}", block.header.state_root),
        "extrinsicsRoot": format!("{:?}", block.header.extrinsics_root),
        "bytes": bytes.len(),
        "certificate": certificate,
        "transactions": transactions,
    });
    println!("{}", serde_json::to_string_pretty(&described)?);
    Ok(())
}

/// A certificate: who signed that this block is final.
fn certificate_view(certificate: &CommitCertificate) -> Value {
    let signatures: Vec<_> = certificate
        .signatures
        .iter()
        .map(|entry| {
            json!({
                "validator": hex_of(entry.address.as_bytes()),
                "signature": hex_of(&entry.signature.to_bytes()),
            })
        })
        .collect();
    json!({
        "height": certificate.height.get(),
        "round": certificate.round.get(),
        "blockHash": certificate.block_hash.to_string(),
        "signatures": signatures,
    })
}

fn hex_of(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}
