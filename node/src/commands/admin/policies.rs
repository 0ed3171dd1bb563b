//! `billchain admin policies`.

use super::{
    Act,
    options::{Why, read},
};
use anyhow::{Context, Result};
use billchain_primitives::{Keyword, seams::PolicyId, sm3};
use billchain_runtime::Runtime;
use clap::{Args, Subcommand};
use pallet_policy::{Decision, Format, PolicyStatus};
use serde_json::json;
use std::path::{Path, PathBuf};

type Call = pallet_policy::Call<Runtime>;

/// Actions on policies.
#[derive(Subcommand)]
pub(super) enum Action {
    /// Submit a version of a policy, as a draft (a platform or an
    /// administrator).
    Submit {
        /// The document: JSON, or protobuf if its name ends with .pb.
        document: PathBuf,
    },
    /// Say what is wrong with a document, without submitting it.
    Check {
        /// The document: JSON, or protobuf if its name ends with .pb.
        document: PathBuf,
    },
    /// Approve a draft (an administrator other than its submitter).
    Approve(Verdict),
    /// Reject a draft (an administrator other than its submitter).
    Reject(Verdict),
    /// Have the approvals of a draft found complete.
    Finalize(Version),
    /// Make an approved version effective.
    MakeEffective {
        #[command(flatten)]
        version: Version,
        #[command(flatten)]
        why: Why,
    },
    /// Revoke a version for good.
    Revoke {
        #[command(flatten)]
        version: Version,
        #[command(flatten)]
        why: Why,
    },
    /// Show a version; without a number the effective one, else the newest.
    Show {
        /// Number of the policy.
        policy: u16,
        /// Number of the version.
        version: Option<u32>,
    },
    /// Show the approval flow of a version.
    Flow(Version),
    /// List the versions with a keyword.
    Find {
        /// 关键词.
        keyword: Keyword,
    },
}

/// Names a version.
#[derive(Args)]
pub(super) struct Version {
    /// Number of the policy.
    policy: u16,
    /// Number of the version.
    version: u32,
}

/// A decision on a draft.
#[derive(Args)]
pub(super) struct Verdict {
    #[command(flatten)]
    version: Version,
    /// What there is to say of it; the chain keeps its SM3.
    #[arg(long)]
    comment: String,
}

impl Action {
    pub(super) fn act(&self) -> Result<Act> {
        let set = |version: &Version, status, why: &Why| Call::set_status {
            policy: PolicyId(version.policy),
            version: version.version,
            status,
            reason: why.reason.clone(),
        };
        match self {
            Self::Submit { document } => {
                let bytes = read(document)?;
                let found = bytes.len();
                let most = pallet_policy::MAX_BODY;
                let body = bytes.try_into().ok().with_context(|| {
                    format!("a document: expected at most {most} bytes, found {found}")
                })?;
                Act::own(Call::submit { format: format(document), body })
            }
            Self::Check { document } => {
                let bytes = read(document)?;
                let document = match format(document) {
                    Format::Json => json!(String::from_utf8(bytes).context("no UTF-8")?),
                    Format::Protobuf => json!(format!("0x{}", hex::encode(bytes))),
                };
                Act::read("policy_check", [document])
            }
            Self::Approve(verdict) => verdict.act(Decision::Approved),
            Self::Reject(verdict) => verdict.act(Decision::Rejected),
            Self::Finalize(version) => {
                let (policy, version) = (PolicyId(version.policy), version.version);
                Act::own(Call::finalize_approval { policy, version })
            }
            Self::MakeEffective { version, why } => {
                Act::own_or_motion(set(version, PolicyStatus::Effective, why))
            }
            Self::Revoke { version, why } => {
                Act::own_or_motion(set(version, PolicyStatus::Revoked, why))
            }
            Self::Show { policy, version } => {
                Act::read("policy_get", [json!(policy), json!(version)])
            }
            Self::Flow(Version { policy, version }) => {
                Act::read("policy_flow", [json!(policy), json!(version)])
            }
            Self::Find { keyword } => Act::read("policy_byKeyword", [json!(keyword)]),
        }
    }
}

impl Verdict {
    fn act(&self, decision: Decision) -> Result<Act> {
        Act::own(Call::submit_approval {
            policy: PolicyId(self.version.policy),
            version: self.version.version,
            decision,
            comment_hash: sm3(self.comment.as_bytes()),
        })
    }
}

fn format(document: &Path) -> Format {
    match document.extension() {
        Some(extension) if extension == "pb" => Format::Protobuf,
        _ => Format::Json,
    }
}
