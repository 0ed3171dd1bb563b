//! `billchain-refs`: the bureau's service for payer references, its keys and its log.
#![forbid(unsafe_code)]

mod commands;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    match commands::run(commands::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("billchain-refs: {error:#}");
            ExitCode::FAILURE
        }
    }
}
