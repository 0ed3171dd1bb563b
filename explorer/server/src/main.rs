//! `billchain-explorer`: the auditors' explorer, beside a node.

use anyhow::Result;
use billchain_explorer::command::Program;
use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("billchain-explorer: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode> {
    let program = Program::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(program.run())
}
