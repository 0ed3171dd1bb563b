//! Who asks: roles, viewers, and the ways in which they show who they are.

pub mod challenge;
pub mod lockout;
pub mod oidc;
pub mod password;
pub mod sessions;
pub mod totp;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What somebody may do here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A participant: what concerns it.
    Participant,
    /// Who runs a node.
    Operator,
    /// Who checks: everything, and who looked at it.
    Auditor,
    /// Who administers the explorer's users, too.
    Administrator,
}

/// All roles, in the order of the documentation.
pub const ROLES: [Role; 4] =
    [Role::Participant, Role::Operator, Role::Auditor, Role::Administrator];

impl Role {
    /// Its name in the interface.
    pub fn name(self) -> &'static str {
        match self {
            Self::Participant => "participant",
            Self::Operator => "operator",
            Self::Auditor => "auditor",
            Self::Administrator => "administrator",
        }
    }

    /// The role of a name.
    pub fn of(name: &str) -> Option<Self> {
        ROLES.into_iter().find(|role| role.name() == name)
    }

    /// Whether it sees the pseudonymous reference of any payer.
    pub fn sees_payers(self) -> bool {
        matches!(self, Self::Auditor | Self::Administrator)
    }
}

/// Somebody who is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct User {
    /// Name of the user, or DID of the participant.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The participant that it acts for; always there for the role `participant`.
    pub did: Option<String>,
}

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Anybody.
    Public,
    /// Whoever is signed in.
    SignedIn,
    /// Operators, auditors and administrators.
    Operators,
    /// Auditors, administrators, and participants about themselves.
    AuditorsAndParticipants,
    /// Auditors and administrators.
    Auditors,
    /// Administrators.
    Administrators,
}

impl Who {
    /// Whether somebody of this role (none: nobody is signed in) may.
    pub fn admits(self, role: Option<Role>) -> bool {
        use Role::{Administrator, Auditor, Operator, Participant};
        match self {
            Self::Public => true,
            Self::SignedIn => role.is_some(),
            Self::Operators => matches!(role, Some(Operator | Auditor | Administrator)),
            Self::AuditorsAndParticipants => {
                matches!(role, Some(Participant | Auditor | Administrator))
            }
            Self::Auditors => matches!(role, Some(Auditor | Administrator)),
            Self::Administrators => matches!(role, Some(Administrator)),
        }
    }

    /// The roles that may, in words.
    pub fn told(self) -> &'static str {
        match self {
            Self::Public => "anybody",
            Self::SignedIn => "participant, operator, auditor, administrator",
            Self::Operators => "operator, auditor, administrator",
            Self::AuditorsAndParticipants => "participant, auditor, administrator",
            Self::Auditors => "auditor, administrator",
            Self::Administrators => "administrator",
        }
    }
}
