//! Payers (交款人): the bureau's service is asked for their references; their bills are found
//! whoever issued them (以人查票), and shown to be theirs before somebody relies on it.

use super::{Cli, read_xml, split};
use anyhow::{Context, Result, bail, ensure};
use billchain_client::{
    Connection,
    einvoice::{EInvoice, SummaryContext},
};
use billchain_oprf::{IdType, Identity, Opening};
use billchain_primitives::{BillSummary, Did, Hash, PayerType, SceneId};
use billchain_references::client::{Client, ClientConfig};
use clap::{Args, Subcommand};
use serde_json::json;
use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Longest file with an identity number, in bytes.
const MAX_NUMBER_FILE: u64 = 1024;
/// Longest file with an opening, in bytes.
const MAX_OPENING_FILE: u64 = 16 << 10;

/// Whom it is about. The number comes from a file, because others see a command's line.
#[derive(Args)]
pub(super) struct Who {
    /// File with the identity number; `-` reads it from the standard input.
    #[arg(long, value_name = "FILE")]
    number_file: PathBuf,
    /// Type of the identity document: 01 居民身份证, 50 统一社会信用代码, or two other digits.
    #[arg(long, default_value = "01", value_parser = IdType::new)]
    id_type: IdType,
}

#[derive(Subcommand)]
pub(super) enum Action {
    /// Show a payer's reference and its bills, of all issuers, by issue date (以人查票).
    PayerBills {
        #[command(flatten)]
        who: Who,
    },
    /// Write the opening that shows whose a payer's reference is to those who know the
    /// identity number. Keep it like the number.
    ProvePayer {
        #[command(flatten)]
        who: Who,
        /// The file to write.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Check by an opening that a bill's payer is this one: that its issuer made the
    /// reference rightly. It asks the service nothing.
    CheckPayer {
        /// CODE-NUMBER.
        bill: String,
        #[command(flatten)]
        who: Who,
        /// What `prove-payer` wrote.
        #[arg(long, value_name = "FILE")]
        opening: PathBuf,
    },
}

pub(super) async fn run(cli: &Cli, node: &Connection, action: &Action) -> Result<ExitCode> {
    match action {
        Action::PayerBills { who } => {
            let mut client = Client::new(cli.references()?)?;
            let found = client.references(&[who.identity()?]).await?;
            let reference = Hash::from(found.first().context("one was asked; qed")?.to_bytes());
            let bills = node.bills_of_payer(reference).await?;
            cli.shell.print(&json!({ "payer_ref": reference, "bills": bills }));
        }
        Action::ProvePayer { who, out } => {
            let client = Client::new(cli.references()?)?;
            let (reference, opening) = client.opening(&who.identity()?).await?;
            billchain_references::keyfile::write_private(out, &opening.to_bytes())?;
            cli.shell.print(&json!({
                "payer_ref": Hash::from(reference.to_bytes()),
                "key": client.keys().id(),
                "file": out,
            }));
        }
        Action::CheckPayer { bill, who, opening } => {
            return check(cli, node, bill, who, opening).await;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn check(
    cli: &Cli,
    node: &Connection,
    bill: &str,
    who: &Who,
    opening: &Path,
) -> Result<ExitCode> {
    let keys = cli.references()?.keys;
    let bytes = read_bounded(opening, MAX_OPENING_FILE)?;
    let opening = Opening::from_bytes(&bytes)
        .with_context(|| format!("{} is no opening", opening.display()))?;
    let reference = match opening.reference(&keys, &who.identity()?) {
        Ok(reference) => Hash::from(reference.to_bytes()),
        Err(error) => {
            let reason = format!("OpeningMismatch: it is not this payer's: {error}");
            return Ok(cli.shell.refuse(&reason, json!({ "name": "OpeningMismatch" })));
        }
    };
    let (code, number) = split(bill)?;
    let Some(found) = node.bill(code, number).await? else {
        return Ok(cli.shell.refuse("not found: no bill has this key", json!({})));
    };
    if found.payer_ref.0 != reference.0 {
        let reason = format!(
            "PayerMismatch: this payer's reference is {reference:?}, the bill has {:?}",
            found.payer_ref
        );
        let error = json!({
            "name": "PayerMismatch", "expected": reference, "found": found.payer_ref,
        });
        return Ok(cli.shell.refuse(&reason, error));
    }
    cli.shell.print(&json!({ "bill": bill, "payer_ref": reference, "is_payer": true }));
    Ok(ExitCode::SUCCESS)
}

impl Who {
    fn identity(&self) -> Result<Identity> {
        let file = &self.number_file;
        let text = if file.as_os_str() == "-" {
            let mut text = String::new();
            io::stdin().take(MAX_NUMBER_FILE).read_to_string(&mut text)?;
            text
        } else {
            let bytes = read_bounded(file, MAX_NUMBER_FILE)?;
            String::from_utf8(bytes).with_context(|| format!("{}: no UTF-8", file.display()))?
        };
        Ok(Identity::new(self.id_type, text.trim())?)
    }
}

fn read_bounded(file: &Path, most: u64) -> Result<Vec<u8>> {
    let shown = file.display();
    let mut bytes = Vec::new();
    let open = fs::File::open(file).with_context(|| format!("cannot read {shown}"))?;
    open.take(most + 1).read_to_end(&mut bytes)?;
    ensure!(bytes.len() as u64 <= most, "{shown}: more than {most} bytes");
    Ok(bytes)
}

/// The payer of an original, its number checked.
fn payer(original: &EInvoice, id_type: Option<IdType>) -> Result<Identity> {
    let usual = match original.payer.kind {
        PayerType::Person => IdType::RESIDENT_CARD,
        PayerType::Organisation => IdType::UNIFIED_CREDIT_CODE,
    };
    let identity = Identity::new(id_type.unwrap_or(usual), &original.payer.code);
    identity.context("PayerPartyCode (--payer-id-type says what else it is)")
}

impl Cli {
    /// How the service for payer references is asked.
    pub(super) fn references(&self) -> Result<ClientConfig> {
        match &self.references {
            Some(file) => ClientConfig::read(file),
            None => bail!(
                "give --references FILE (or BILLCHAIN_REFERENCES), the configuration of who asks \
                 the bureau's service for payer references"
            ),
        }
    }

    /// What goes on the chain of originals by one issuer. The service is asked for all
    /// payers at once, and only when every original is right.
    pub(super) async fn summaries(
        &self,
        issuer: &Did,
        files: &[&PathBuf],
        pdf: Option<&[u8]>,
    ) -> Result<Vec<BillSummary>> {
        let originals: Vec<EInvoice> = files.iter().map(|f| read_xml(f)).collect::<Result<_>>()?;
        let payers: Vec<Identity> = originals
            .iter()
            .map(|original| payer(original, self.payer_id_type))
            .collect::<Result<_>>()?;
        let references = Client::new(self.references()?)?.references(&payers).await?;
        let summary = |(original, reference): (&EInvoice, billchain_oprf::Reference)| {
            original.summary(&SummaryContext {
                issuer: issuer.clone(),
                scene: SceneId(self.scene),
                payer_ref: reference.to_bytes(),
                pdf,
                location: None,
            })
        };
        Ok(originals.iter().zip(references).map(summary).collect())
    }
}
