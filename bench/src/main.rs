//! `billchain-bench`: measures a network of nodes, and a ledger that grows.
//!
//! `load` drives a network with SM2-signed transactions through JSON-RPC, at a
//! fixed rate, at rates that step up, or as fast as it takes them, and accounts
//! for every transaction; `clients` holds many WebSocket connections; `growth`
//! fills a ledger; `flood` is one participant that asks for too much; `access` and `attacks`
//! compare a guarded listener with the plain one, and with itself under attack; `report`
//! sums runs up. `scripts/bench` runs the standard set.

#![forbid(unsafe_code)]

mod access;
mod flood;
mod growth;
mod load;
mod measure;
mod report;
mod workload;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use load::{CertificateRecord, LoadRecord};
use serde::Serialize;
use std::{fmt, fs, path::Path, process::ExitCode};

/// The node's allocator: `growth` is a node's work.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures BillChain.
#[derive(Parser)]
#[command(name = "billchain-bench", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Drive a development network and account for every transaction.
    Load(load::Options),
    /// Hold many WebSocket connections that read, and now and then register.
    Clients(load::ClientOptions),
    /// Send one participant's transactions as fast as a node takes them.
    Flood(flood::Options),
    /// Compare a listener with TLS and tokens with the plain one.
    Access(access::Options),
    /// What attacks on a listener cost a well-behaved caller.
    Attacks(access::AttackOptions),
    /// Fill a ledger with millions of bills and measure what blocks cost.
    Growth(growth::Options),
    /// Medians, a table and an HTML report of results.
    Report(report::Options),
}

/// One thread: the generator shares its cores with the nodes.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Arguments::parse().command).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!(
                "billchain-bench: transactions or bills were lost, or none was committed, or a \
                 certificate was refused, or none given"
            );
            ExitCode::from(3)
        }
        Err(error) => {
            eprintln!("billchain-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether nothing was lost.
async fn run(command: Command) -> Result<bool> {
    match command {
        Command::Load(options) => {
            let target = options.target.clone();
            let record = load::run(options).await?;
            publish(&record, target.json, target.out.as_deref())?;
            Ok(is_whole(&record))
        }
        Command::Clients(options) => {
            let target = options.target.clone();
            let record = load::run_clients(options).await?;
            publish(&record, target.json, target.out.as_deref())?;
            Ok(is_whole(&record))
        }
        Command::Flood(options) => {
            println!("{}", flood::run(&options).await?);
            Ok(true)
        }
        Command::Access(options) => {
            let record = access::run(&options).await?;
            publish(&record, options.guarded.json, options.guarded.out.as_deref())?;
            Ok(true)
        }
        Command::Attacks(options) => {
            let record = access::run_attacks(&options).await?;
            publish(&record, options.guarded.json, options.guarded.out.as_deref())?;
            Ok(true)
        }
        Command::Growth(options) => {
            let record = growth::run(&options)?;
            publish(&record, options.json, options.out.as_deref())?;
            Ok(true)
        }
        Command::Report(options) => report::run(&options).map(|()| true),
    }
}

/// Something was committed, all that was accepted is there, and certificates that were asked for
/// hold.
fn is_whole(record: &LoadRecord) -> bool {
    let certificates = record.certificates.as_ref().is_none_or(CertificateRecord::is_whole);
    record.committed > 0 && record.lost == 0 && record.outcome.missing == 0 && certificates
}

fn publish(record: &(impl Serialize + fmt::Display), json: bool, out: Option<&Path>) -> Result<()> {
    let text = serde_json::to_string_pretty(record)?;
    if let Some(file) = out {
        fs::write(file, &text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    if json {
        println!("{text}");
    } else {
        print!("{record}");
    }
    Ok(())
}
