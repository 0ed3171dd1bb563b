//! Certificates (链上凭证), written to files: `billchain verify` checks them without a node.

use super::{Cli, split};
use anyhow::{Context, Result};
use billchain_client::Connection;
use billchain_primitives::{BillCode, BillNumber, Did, Hash, totals::Month};
use clap::{Args, Subcommand};
use serde_json::json;
use std::{fs, path::PathBuf, process::ExitCode};

/// Where a certificate starts, and where it goes.
#[derive(Args)]
pub(super) struct Written {
    /// The file to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Hash of a block whose header named validators: the certificate starts there, and not at the
    /// genesis, and is checked with this block as the checkpoint. It is smaller, the more often the
    /// validators changed before.
    #[arg(long, value_name = "HASH")]
    from: Option<Hash>,
}

#[derive(Subcommand)]
pub(super) enum Action {
    /// Write the certificate (链上凭证) of a bill, or that there is no such bill, as of the
    /// head. `billchain verify` checks it without a node.
    Certificate {
        /// CODE-NUMBER.
        bill: String,
        #[command(flatten)]
        written: Written,
    },
    /// Write the certificate of what a bill was at a version (历史版本), and what made it so.
    CertifyVersion {
        /// CODE-NUMBER.
        bill: String,
        /// The version, from 1.
        version: u32,
        #[command(flatten)]
        written: Written,
    },
    /// Write the certificate of a range of numbers (号段): bills and money by kind and status,
    /// and how many numbers no bill has.
    CertifyNumbers {
        /// 票据代码.
        code: BillCode,
        /// The first number.
        first: BillNumber,
        /// The last number.
        last: BillNumber,
        #[command(flatten)]
        written: Written,
    },
    /// Write the certificate of what an issuer issued in a month: bills and money by kind and
    /// status.
    CertifyMonth {
        /// DID of the issuer.
        issuer: Did,
        /// YYYYMM, by the issue dates.
        month: Month,
        #[command(flatten)]
        written: Written,
    },
}

pub(super) async fn run(cli: &Cli, node: &Connection, action: &Action) -> Result<ExitCode> {
    let (certificate, written) = match action {
        Action::Certificate { bill, written } => {
            let (code, number) = split(bill)?;
            (node.certificate(code, number, written.from).await?, written)
        }
        Action::CertifyVersion { bill, version, written } => {
            let (code, number) = split(bill)?;
            (node.version_certificate(code, number, *version, written.from).await?, written)
        }
        Action::CertifyNumbers { code, first, last, written } => {
            let (code, first, last) = (code.as_str(), first.as_str(), last.as_str());
            (node.numbers_certificate(code, first, last, written.from).await?, written)
        }
        Action::CertifyMonth { issuer, month, written } => {
            let (issuer, month) = (issuer.as_str(), month.as_str());
            (node.month_certificate(issuer, month, written.from).await?, written)
        }
    };
    let Written { out, from } = written;
    fs::write(out, &certificate).with_context(|| format!("cannot write {}", out.display()))?;
    let (bytes, genesis) = (certificate.len(), node.genesis());
    cli.shell.print(&json!({
        "file": out, "bytes": bytes, "genesis": genesis, "checkpoint": from,
    }));
    Ok(ExitCode::SUCCESS)
}
