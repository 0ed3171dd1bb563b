//! Certificates (链上凭证), written to files: `billchain verify` checks them without a node.

use super::{Cli, split};
use anyhow::{Context, Result};
use billchain_client::Connection;
use billchain_primitives::{BillCode, BillNumber, Did, totals::Month};
use clap::Subcommand;
use serde_json::json;
use std::{fs, path::PathBuf, process::ExitCode};

#[derive(Subcommand)]
pub(super) enum Action {
    /// Write the certificate (链上凭证) of a bill, or that there is no such bill, as of the
    /// head. `billchain verify` checks it without a node.
    Certificate {
        /// CODE-NUMBER.
        bill: String,
        /// The file to write.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Write the certificate of what a bill was at a version (历史版本), and what made it so.
    CertifyVersion {
        /// CODE-NUMBER.
        bill: String,
        /// The version, from 1.
        version: u32,
        /// The file to write.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
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
        /// The file to write.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Write the certificate of what an issuer issued in a month: bills and money by kind and
    /// status.
    CertifyMonth {
        /// DID of the issuer.
        issuer: Did,
        /// YYYYMM, by the issue dates.
        month: Month,
        /// The file to write.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

pub(super) async fn run(cli: &Cli, node: &Connection, action: &Action) -> Result<ExitCode> {
    let (certificate, out) = match action {
        Action::Certificate { bill, out } => {
            let (code, number) = split(bill)?;
            (node.certificate(code, number).await?, out)
        }
        Action::CertifyVersion { bill, version, out } => {
            let (code, number) = split(bill)?;
            (node.version_certificate(code, number, *version).await?, out)
        }
        Action::CertifyNumbers { code, first, last, out } => {
            let (first, last) = (first.as_str(), last.as_str());
            (node.numbers_certificate(code.as_str(), first, last).await?, out)
        }
        Action::CertifyMonth { issuer, month, out } => {
            (node.month_certificate(issuer.as_str(), month.as_str()).await?, out)
        }
    };
    fs::write(out, &certificate).with_context(|| format!("cannot write {}", out.display()))?;
    let genesis = node.genesis();
    cli.shell.print(&json!({ "file": out, "bytes": certificate.len(), "genesis": genesis }));
    Ok(ExitCode::SUCCESS)
}
