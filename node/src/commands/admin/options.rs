//! Options that several actions take.

use anyhow::{Context, Result, ensure};
use billchain_primitives::{Hash, Reason, Role, RoleSet, Uscc, sm3};
use clap::Args;
use std::{fs, path::PathBuf};

/// Why.
#[derive(Args)]
pub(super) struct Why {
    /// Why; the chain keeps it.
    #[arg(long)]
    pub(super) reason: Reason,
}

/// Why, and on which evidence.
#[derive(Args)]
pub(super) struct Grounds {
    /// Why; the chain keeps it.
    #[arg(long)]
    pub(super) reason: Reason,
    /// The evidence; the chain keeps its SM3.
    #[arg(long, value_name = "FILE")]
    evidence: PathBuf,
}

impl Grounds {
    /// SM3 of the evidence.
    pub(super) fn evidence(&self) -> Result<[u8; 32]> {
        Ok(sm3(&read(&self.evidence)?))
    }
}

/// Roles of a participant.
#[derive(Args)]
pub(super) struct Roles {
    /// Roles, with commas between them: issuer, user, platform, admin,
    /// auditor; none for a patient.
    #[arg(long, value_delimiter = ',', value_parser = super::super::shell::word::<Role>)]
    roles: Vec<Role>,
}

impl Roles {
    /// The set of them.
    pub(super) fn set(&self) -> RoleSet {
        RoleSet::of(&self.roles)
    }
}

/// The 统一社会信用代码 of an organisation.
#[derive(Args)]
pub(super) struct Code {
    /// 统一社会信用代码; the chain keeps its SM3.
    #[arg(long)]
    uscc: Option<Uscc>,
}

impl Code {
    /// SM3 of the code.
    pub(super) fn hash(&self) -> Option<Hash> {
        self.uscc.as_ref().map(|code| sm3(code.as_bytes()).into())
    }
}

/// Reads a file that must hold something.
pub(super) fn read(file: &PathBuf) -> Result<Vec<u8>> {
    let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    ensure!(!bytes.is_empty(), "{} is empty", file.display());
    Ok(bytes)
}
