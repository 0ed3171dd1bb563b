//! Business roles of participants and roles of administrators.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// What a participant may do (permissions contract, tender row 232).
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// 开票单位: issues bills, for instance a hospital.
    Issuer,
    /// 用票单位: locks and reimburses bills, for instance an insurer.
    User,
    /// 平台: acts on a user's behalf.
    Platform,
    /// 管理员: administrative locks and adjustments.
    Admin,
    /// 审计员: reads; changes nothing.
    Auditor,
}

impl Role {
    /// Every role, in the order of its bit.
    pub const ALL: [Role; 5] =
        [Role::Issuer, Role::User, Role::Platform, Role::Admin, Role::Auditor];

    const fn bit(self) -> u8 {
        1 << (self as u8)
    }
}

/// A set of [`Role`]s: one bit each, in the order of the enum, lowest first.
#[derive(
    Clone, Copy, Default, PartialEq, Eq, Encode, MaxEncodedLen, TypeInfo, Serialize, Deserialize,
)]
#[serde(from = "Vec<Role>", into = "Vec<Role>")]
pub struct RoleSet(u8);

impl RoleSet {
    /// No role.
    pub const EMPTY: RoleSet = RoleSet(0);
    /// Every role.
    pub const ALL: RoleSet = RoleSet((1 << Role::ALL.len()) - 1);

    /// The set of `roles`.
    pub fn of(roles: &[Role]) -> Self {
        Self(roles.iter().fold(0, |bits, role| bits | role.bit()))
    }

    /// Whether `role` is in the set.
    pub const fn contains(self, role: Role) -> bool {
        self.0 & role.bit() != 0
    }

    /// Whether the two sets share a role.
    pub const fn intersects(self, other: RoleSet) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether there is no role.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether no duties meet in it that must be separate (职责分离): who
    /// administers does not audit.
    pub const fn is_separate(self) -> bool {
        !(self.contains(Role::Admin) && self.contains(Role::Auditor))
    }

    /// The roles, in the order of the enum.
    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL.into_iter().filter(move |role| self.contains(*role))
    }
}

impl Decode for RoleSet {
    fn decode<I: codec::Input>(input: &mut I) -> Result<Self, codec::Error> {
        let bits = input.read_byte()?;
        if bits & !Self::ALL.0 != 0 {
            return Err("RoleSet: expected only the bits of the five roles".into());
        }
        Ok(Self(bits))
    }
}
impl DecodeWithMemTracking for RoleSet {}

impl From<Vec<Role>> for RoleSet {
    fn from(roles: Vec<Role>) -> Self {
        Self::of(&roles)
    }
}

impl From<RoleSet> for Vec<Role> {
    fn from(set: RoleSet) -> Self {
        set.iter().collect()
    }
}

impl core::fmt::Debug for RoleSet {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// The three administrators (三员), who must be different accounts.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum AdminRole {
    /// 系统管理员.
    SystemAdmin,
    /// 安全管理员.
    SecurityAdmin,
    /// 审计员.
    Auditor,
}

impl AdminRole {
    /// Whether a participant with these roles may hold the office: nobody
    /// administers and audits (职责分离).
    pub const fn goes_with(self, roles: RoleSet) -> bool {
        match self {
            Self::SystemAdmin | Self::SecurityAdmin => !roles.contains(Role::Auditor),
            Self::Auditor => !roles.contains(Role::Admin),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_hold_what_they_were_given_and_refuse_foreign_bits() {
        let set = RoleSet::of(&[Role::User, Role::Admin]);
        assert!(set.contains(Role::User) && !set.contains(Role::Issuer));
        assert_eq!(set.iter().collect::<Vec<_>>(), [Role::User, Role::Admin]);
        assert_eq!(RoleSet::decode(&mut &set.encode()[..]).unwrap(), set);
        assert!(RoleSet::decode(&mut &[0b10_0000][..]).is_err());
    }

    #[test]
    fn who_administers_does_not_audit() {
        let (admin, auditor) = (RoleSet::of(&[Role::Admin]), RoleSet::of(&[Role::Auditor]));
        assert!(admin.is_separate() && auditor.is_separate() && !RoleSet::ALL.is_separate());
        for office in [AdminRole::SystemAdmin, AdminRole::SecurityAdmin] {
            assert!(office.goes_with(admin) && !office.goes_with(auditor), "{office:?}");
        }
        assert!(AdminRole::Auditor.goes_with(auditor) && !AdminRole::Auditor.goes_with(admin));
        assert!(AdminRole::Auditor.goes_with(RoleSet::of(&[Role::Issuer])));
    }
}
