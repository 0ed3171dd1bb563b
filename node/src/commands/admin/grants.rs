//! `billchain admin grants`.

use super::{
    Act,
    options::{Why, read},
};
use crate::{
    application::now_ms,
    commands::{
        bill::{key, split},
        shell::Shell,
    },
};
use anyhow::{Context, Result, ensure};
use billchain_primitives::{Did, GrantId, Hash, SceneId, sm3};
use billchain_runtime::Runtime;
use clap::{Args, Subcommand};
use pallet_authorization::{Scope, Terms};
use serde_json::{Value, json};
use std::path::PathBuf;

type Call = pallet_authorization::Call<Runtime>;

/// How far the clock of the chain may be behind ours: a grant that begins at
/// once can be used at once.
const DRIFT_MS: u64 = 5_000;
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// Actions on grants.
#[derive(Subcommand)]
pub(super) enum Action {
    /// Register a grant: the holder of bills, or a platform in its name, lets
    /// somebody use them.
    Register {
        #[command(flatten)]
        credential: Credential,
        /// DID of the holder; without it, who signs.
        #[arg(long)]
        holder: Option<Did>,
        /// DID of who is authorised.
        #[arg(long)]
        subject: Did,
        /// The bills, CODE-NUMBER; once for each.
        #[arg(long = "bill", required = true)]
        bills: Vec<String>,
        /// Scene in which they may be used.
        #[arg(long)]
        scene: u16,
        /// For how many days, from now on.
        #[arg(long, default_value_t = 30)]
        days: u64,
    },
    /// Revoke a grant for good.
    Revoke {
        /// SM3 of its credential.
        grant: Hash,
        #[command(flatten)]
        why: Why,
    },
    /// Freeze a grant.
    Freeze {
        /// SM3 of its credential.
        grant: Hash,
        #[command(flatten)]
        why: Why,
    },
    /// Activate a frozen grant.
    Activate {
        /// SM3 of its credential.
        grant: Hash,
        #[command(flatten)]
        why: Why,
    },
    /// Record that the subject called for a bill's data.
    RecordUse {
        /// SM3 of its credential.
        grant: Hash,
        /// CODE-NUMBER.
        bill: String,
    },
    /// Record that the credential was passed on.
    RecordTransfer {
        /// SM3 of its credential.
        grant: Hash,
        /// What there is to say of the transfer; the chain keeps its SM3.
        information: PathBuf,
    },
    /// Show a grant.
    Show {
        /// SM3 of its credential.
        grant: Hash,
    },
    /// Say whether a subject may use a grant for a bill now.
    Check {
        /// SM3 of its credential.
        grant: Hash,
        /// DID of the subject.
        #[arg(long)]
        subject: Did,
        /// CODE-NUMBER.
        #[arg(long)]
        bill: String,
        /// Scene of the claim.
        #[arg(long)]
        scene: u16,
    },
    /// Show what became of a grant.
    History {
        /// SM3 of its credential.
        grant: Hash,
        /// Where to go on: `next` of the page before.
        #[arg(long)]
        cursor: Option<String>,
    },
}

/// A verifiable credential.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(super) struct Credential {
    /// The credential; the chain keeps its SM3.
    #[arg(long, value_name = "FILE")]
    credential: Option<PathBuf>,
    /// SM3 of the credential.
    #[arg(long, value_name = "HASH")]
    credential_hash: Option<Hash>,
}

impl Credential {
    fn hash(&self) -> Result<Hash> {
        match (&self.credential, self.credential_hash) {
            (Some(file), _) => Ok(sm3(&read(file)?).into()),
            (None, hash) => hash.context("give --credential or --credential-hash"),
        }
    }
}

impl Action {
    pub(super) fn act(&self, shell: &Shell) -> Result<Act> {
        match self {
            Self::Register { credential, holder, subject, bills, scene, days } => {
                ensure!(*days > 0, "--days: expected 1 at least, found 0");
                let found = bills.len();
                let keys: Vec<_> = bills.iter().map(|bill| key(bill)).collect::<Result<_>>()?;
                let most = pallet_authorization::MAX_GRANT_BILLS;
                let keys = keys.try_into().ok().with_context(|| {
                    format!("--bill: expected at most {most} bills, found {found}")
                })?;
                let now = now_ms();
                let terms = Terms {
                    credential_hash: credential.hash()?,
                    holder: holder.clone().map_or_else(|| shell.did(), Ok)?,
                    subject: subject.clone(),
                    scope: Scope::Bills(keys),
                    scene: SceneId(*scene),
                    valid_from: now.saturating_sub(DRIFT_MS),
                    valid_until: now.saturating_add(days.saturating_mul(DAY_MS)),
                };
                Act::own(Call::register_grant { terms })
            }
            Self::Revoke { grant, why } => {
                Act::own(Call::revoke { grant: GrantId(*grant), reason: why.reason.clone() })
            }
            Self::Freeze { grant, why } => {
                Act::own(Call::freeze { grant: GrantId(*grant), reason: why.reason.clone() })
            }
            Self::Activate { grant, why } => {
                Act::own(Call::activate { grant: GrantId(*grant), reason: why.reason.clone() })
            }
            Self::RecordUse { grant, bill } => {
                Act::own(Call::record_use { grant: GrantId(*grant), bill: key(bill)? })
            }
            Self::RecordTransfer { grant, information } => {
                let hash = sm3(&read(information)?).into();
                Act::own(Call::record_transfer { grant: GrantId(*grant), hash })
            }
            Self::Show { grant } => Act::read("authorization_get", [json!(grant)]),
            Self::Check { grant, subject, bill, scene } => {
                let (code, number) = split(bill)?;
                let question =
                    [json!(grant), json!(subject), json!(code), json!(number), json!(scene)];
                Act::read("authorization_check", question)
            }
            Self::History { grant, cursor } => {
                Act::read("authorization_history", [json!(grant), json!(cursor), Value::Null])
            }
        }
    }
}
