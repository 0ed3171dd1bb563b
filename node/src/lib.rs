//! `billchain`: the node and its tools. The program is [`main`]; the rest is
//! here so that tests reach it.

#![forbid(unsafe_code)]

mod access;
mod admission;
mod application;
mod cold;
mod commands;
mod compact;
pub mod config;
mod database;
mod disk;
mod door;
mod durable;
mod evidence;
mod files;
#[doc(hidden)]
pub mod fuzzing;
mod keyring;
mod log;
mod machine;
mod membership;
mod metrics;
mod node_status;
mod peers;
mod ports;
mod release;
mod restore;
mod running;
mod service;
mod settings;
mod shown;
mod signing;
mod snapshot;
mod spans;
mod state_sync;
mod text_files;
mod words;
mod workers;

use anyhow::Result;
use billchain_storage::OpenMode;
use clap::{Parser, Subcommand};
use commands::{
    access as access_command, admin, benchmark_weights, bill, blocks, chain_spec, check_state,
    cold as cold_command, config as config_command, describe, devnet, doctor, join, keys, light,
    reindex, release as release_command, signing_memory, snapshot as snapshot_command, verify,
    worker,
};
use config::Config;
use log::LogOptions;
use release::{Needed, OTHER_RULES};
use std::{io::Write, panic, path::PathBuf, process::ExitCode, thread};

/// A consortium chain for fiscal electronic bills (财政电子票据).
#[derive(Parser)]
#[command(name = "billchain", version)]
struct Cli {
    /// Language of help and errors: en or zh; without it that of the locale (LC_ALL, LC_MESSAGES, LANG).
    #[arg(long, value_enum, value_name = "LANGUAGE", global = true)]
    lang: Option<words::Language>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a node.
    Run {
        /// The configuration file.
        #[arg(long)]
        config: PathBuf,
        #[command(flatten)]
        log: LogOptions,
    },
    /// Make the database of a new node and print the genesis hash.
    Init {
        /// The configuration file.
        #[arg(long)]
        config: PathBuf,
    },
    /// SM2 keys and network keys.
    #[command(subcommand)]
    Keys(keys::Command),
    /// Chain specifications.
    #[command(subcommand)]
    ChainSpec(chain_spec::Command),
    /// Configuration files.
    #[command(subcommand)]
    Config(config_command::Command),
    /// Read the blocks of a stopped node.
    #[command(subcommand)]
    Blocks(blocks::Command),
    /// Cold segments (冷段): list them, check their files, bring lost ones back.
    #[command(subcommand)]
    Cold(cold_command::Command),
    /// Check the database of a stopped node: every contract's rules, and the
    /// version chain of every bill.
    CheckState(check_state::Options),
    /// Make the node-local index of a stopped node again, from its blocks.
    Reindex(reindex::Options),
    /// Make the data of a new node from the state that members serve, without executing
    /// the blocks before. Older blocks and their index follow while the node runs.
    Join(join::Options),
    /// Snapshots: make one of a node, which may run, check one, begin from one.
    #[command(subcommand)]
    Snapshot(snapshot_command::Command),
    /// Releases: manifests, and running the one that the chain needs.
    #[command(subcommand)]
    Release(release_command::Command),
    /// Find what is wrong with a node or a network, and say what to do. Exit code 0:
    /// nothing; 4: warnings; 5: something does not work; 1: the doctor itself.
    Doctor(doctor::Options),
    /// Make the files of a development network on this machine.
    Devnet(devnet::Options),
    /// What a stopped validator has signed, and keeping it from signing.
    #[command(subcommand)]
    SigningMemory(signing_memory::Command),
    /// Register, lock, reimburse, reverse, query and verify bills at a node.
    Bill(bill::Cli),
    /// Check a certificate of a bill (链上凭证) without a node. Exit code 3: it proves nothing.
    Verify(verify::Cli),
    /// Follow the chain without a node of one's own, and answer certificates of bills that hold:
    /// a light client (轻客户端), which trusts no node.
    Light(light::Options),
    /// The configuration of access (接入控制): check it, make API keys, name certificates.
    #[command(subcommand)]
    Access(access_command::Command),
    /// The log of access (访问日志): check it without a node, look for lines.
    #[command(subcommand)]
    AccessLog(access_command::LogCommand),
    /// Administer: participants, access nodes, scenes, policies, grants, cases,
    /// rules, and the council's motions.
    Admin(admin::Cli),
    /// Workers: what a node lets a process of its own do for a connector.
    #[command(subcommand)]
    Worker(worker::Command),
    /// Measure what the contracts' calls cost on this machine, and write their
    /// weights into the project's tree.
    #[command(subcommand)]
    BenchmarkWeights(benchmark_weights::Command),
    /// Print what client libraries are generated from, as one JSON object: the chain's calls, errors
    /// and types, and the methods of the JSON-RPC.
    Describe,
}

/// Lets panics that are told as errors say no more than where they were.
fn tell_panics() {
    let hook = panic::take_hook();
    panic::set_hook(Box::new(move |info| match thread::current().name() {
        Some(billchain_storage::COMMITMENT_THREAD) => {
            let place = info.location().map(ToString::to_string);
            tracing::error!(place, "the state commitment's runtime gave up");
        }
        _ => hook(info),
    }));
}

/// Does what the command line says.
pub fn main() -> ExitCode {
    tell_panics();
    let cli: Cli = words::parse();
    match dispatch(cli.command) {
        Ok(code) => code,
        Err(error) => {
            // Standard error may lie on the disk that is full.
            let _ = writeln!(std::io::stderr(), "billchain: {}", words::of_error(&error));
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: Command) -> Result<ExitCode> {
    match command {
        Command::Run { config, log } => {
            let config = Config::load(&config)?;
            let spans = log::init(&log)?;
            let ended = run_node(&config);
            drop(spans);
            return ended;
        }
        Command::Init { config } => {
            let config = Config::load(&config)?;
            let (_, chain) = database::open_chain(&config, OpenMode::CreateIfMissing)?;
            println!("{:?}", chain.genesis_hash());
        }
        Command::Keys(command) => keys::run(command)?,
        Command::ChainSpec(command) => chain_spec::run(command)?,
        Command::Config(command) => config_command::run(command)?,
        Command::Blocks(command) => blocks::run(command)?,
        Command::Cold(command) => {
            log::init_command();
            return cold_command::run(command);
        }
        Command::CheckState(options) => check_state::run(&options)?,
        Command::Reindex(options) => reindex::run(&options)?,
        Command::Join(options) => {
            log::init_command();
            join::run(&options)?;
        }
        Command::SigningMemory(command) => signing_memory::run(command)?,
        Command::Snapshot(command) => snapshot_command::run(command)?,
        Command::Release(command) => return runtime()?.block_on(release_command::run(command)),
        Command::Devnet(options) => devnet::run(options)?,
        Command::Doctor(options) => return runtime()?.block_on(doctor::run(options)),
        Command::BenchmarkWeights(command) => benchmark_weights::run(command)?,
        Command::Describe => describe::run()?,
        Command::Bill(cli) => return runtime()?.block_on(bill::run(cli)),
        Command::Verify(cli) => return verify::run(&cli),
        Command::Light(options) => {
            log::init_command();
            return runtime()?.block_on(light::run(options));
        }
        Command::Worker(command) => {
            log::init_command();
            return worker::run(command);
        }
        Command::Access(command) => access_command::run(command)?,
        Command::AccessLog(command) => {
            return runtime()?.block_on(access_command::run_log(command));
        }
        Command::Admin(cli) => return runtime()?.block_on(admin::run(cli)),
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs a node. One that does not have the rules of the next block writes down which
/// release is needed, and ends with a code of its own.
fn run_node(config: &Config) -> Result<ExitCode> {
    let Err(error) = service::run(config.clone()) else { return Ok(ExitCode::SUCCESS) };
    let Some((needed, words)) = Needed::of(&error) else { return Err(error) };
    needed.write(config)?;
    let _ = writeln!(std::io::stderr(), "billchain: {words}");
    Ok(ExitCode::from(OTHER_RULES))
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}
