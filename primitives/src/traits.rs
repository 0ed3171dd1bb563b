//! Seams between the contracts: a pallet asks for a role, the runtime says
//! which pallet plays it.

use crate::{
    AccountId, AdminRole, BillKey, BillKind, BillStatus, BillSummary, BlockNumber, ClaimNo, Did,
    Fen, Hash, Moment, Operation, Reason, RoleSet, SceneId, Stamp, SummaryField, SummaryFields,
    Target, history::Entry, rule::BillFacts,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_core::{ConstU32, bounded::BoundedVec};
use sp_runtime::{ArithmeticError, DispatchError, DispatchResult};

/// A participant that may act.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ActiveParticipant {
    /// Its identifier.
    pub did: Did,
    /// What it may do.
    pub roles: RoleSet,
}

/// State of a participant.
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
pub enum ParticipantStatus {
    /// 正常.
    Active,
    /// 冻结.
    Frozen,
    /// 注销; final.
    Cancelled,
}

/// Why a participant may not act.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ParticipantProblem {
    /// No participant has this account or DID.
    NotFound,
    /// It is in this state, which is not [`ParticipantStatus::Active`].
    NotActive(ParticipantStatus),
}

/// Who acts on the chain. Played by the participant contract.
pub trait Participants {
    /// The active participant whose current key belongs to `account`.
    fn active_by_account(account: &AccountId) -> Result<ActiveParticipant, ParticipantProblem>;
    /// The active participant `did`.
    fn active_by_did(did: &Did) -> Result<ActiveParticipant, ParticipantProblem>;
    /// The account that acts for `did` now, whatever its state.
    fn account_of(did: &Did) -> Option<AccountId>;
}

/// The administrators (三员). Played by the permissions contract.
pub trait Administrators {
    /// The office that `did` holds, whatever state it is in.
    fn office(did: &Did) -> Option<AdminRole>;
}

/// Whether a scene admits one successful claim or several.
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
pub enum ReimbursementMode {
    /// 排他: one successful claim.
    Exclusive,
    /// 累计: several payers, each scene once, never above the total.
    Cumulative,
}

/// Whether the issuer may void a normal bill of the scene.
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
pub enum VoidPolicy {
    /// Refused; the default.
    Refused,
    /// Allowed.
    Allowed,
}

/// Whether bills of the scene come through access nodes (业务接入节点) only.
#[derive(
    Clone,
    Copy,
    Default,
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
pub enum AccessNodePolicy {
    /// Any active issuer registers bills; the default.
    #[default]
    NotRequired,
    /// An issuer needs an access node in normal operation that is linked to it.
    Required,
}

/// The rules of an active scene.
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
pub struct SceneRules {
    /// One claim or several.
    pub mode: ReimbursementMode,
    /// Weight in contention within a block: the higher wins.
    pub weight: u16,
    /// How long a lock lasts, in milliseconds; not 0.
    pub lock_period_ms: u64,
    /// Whether a normal bill may be voided.
    pub void: VoidPolicy,
    /// Whether its bills come through access nodes only. A chain spec that
    /// leaves it out asks for none.
    #[serde(default)]
    pub access_node: AccessNodePolicy,
    /// What a bill must have beside the fields of every bill, to be registered
    /// in the scene and to be locked and reimbursed in it, whatever scene it was
    /// registered in. A chain spec that leaves it out asks for nothing.
    #[serde(default)]
    pub required: SummaryFields,
}

/// Why a scene cannot be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SceneProblem {
    /// There is no such scene.
    NotFound,
    /// It is not active.
    Inactive,
}

/// The business scenes. Played by the scene contract.
pub trait Scenes {
    /// Rules of the scene, if it is active. A scene that awaits approval is not
    /// there yet, and one whose change does still has its former rules.
    fn active(scene: SceneId) -> Result<SceneRules, SceneProblem>;
}

/// Why an operation is refused by the rules.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RuleProblem {
    /// The status is final.
    FinalStatus,
    /// No rule leads from this status by this operation.
    IllegalTransition,
    /// There is a rule, but for other roles.
    RoleForbidden,
}

/// The status machine as data. Played by the permissions contract.
pub trait TransitionRules {
    /// Where `operation` by someone with `roles` leads from `from` (`None`: the
    /// bill does not exist yet) in `scene`: the claim's for what acts on a claim
    /// (see [`Bill::scene_of`]), the bill's otherwise.
    fn check(
        from: Option<BillStatus>,
        operation: Operation,
        roles: RoleSet,
        scene: SceneId,
    ) -> Result<Target, RuleProblem>;

    /// Whether `did` may lock bills in `scene` without a grant.
    fn is_whitelisted(scene: SceneId, did: &Did) -> bool;
}

/// What a bill is locked for.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum LockPurpose {
    /// A claim; only the holder may unlock or reimburse.
    Claim {
        /// In which scene.
        scene: SceneId,
        /// For which claim.
        claim_no: ClaimNo,
        /// The grant that allowed it; `None`: the scene's whitelist did.
        grant: Option<GrantId>,
    },
    /// Manual intervention of an administrator; only an administrator may
    /// unlock.
    Administrative {
        /// SM3 of the evidence.
        evidence: [u8; 32],
    },
}

/// A reservation of a bill.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Lock {
    /// Who holds it.
    pub holder: Did,
    /// What for.
    pub purpose: LockPurpose,
    /// The version of the bill that the lock made.
    pub version: u32,
    /// When, and in which transaction.
    pub at: Stamp,
    /// Until when, inclusive; `None`: until it is unlocked.
    pub expires: Option<Moment>,
    /// Status to go back to.
    pub before: BillStatus,
}

impl Lock {
    /// The scene of the claim that it is for; none for an administrator's.
    pub const fn scene(&self) -> Option<SceneId> {
        match self.purpose {
            LockPurpose::Claim { scene, .. } => Some(scene),
            LockPurpose::Administrative { .. } => None,
        }
    }

    /// Whether the lock's time is over.
    pub fn is_expired(&self, now: Moment) -> bool {
        self.expires.is_some_and(|expires| now > expires)
    }
}

/// One reimbursement that counts.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Reimbursement {
    /// Who paid.
    pub payer: Did,
    /// In which scene; a scene stands here once.
    pub scene: SceneId,
    /// How much.
    pub amount: Fen,
    /// Status the bill had before.
    pub before: BillStatus,
}

/// Most reimbursements of one bill: one a scene.
pub const MAX_REIMBURSEMENTS: u32 = 8;

/// What changes about a bill.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct BillState {
    /// Where it stands.
    pub status: BillStatus,
    /// 1 when registered, one more with every change.
    pub version: u32,
    /// `SM3(previous version's hash ‖ encoded body)` of this version; see the
    /// bill-update contract.
    pub version_hash: [u8; 32],
    /// The lock, exactly when the status is `Locked`.
    pub lock: Option<Lock>,
    /// Reimbursements that count, oldest first.
    pub reimbursements: BoundedVec<Reimbursement, ConstU32<MAX_REIMBURSEMENTS>>,
    /// Time of the block that made this version.
    pub updated: Moment,
}

/// How a bill came onto the chain, and what it lacked then: by it, a registration
/// that is sent again is told from another one for the same key.
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
)]
pub struct Receipt {
    /// The operation that brought it.
    pub operation: Operation,
    /// Number of the block.
    #[codec(compact)]
    pub block: BlockNumber,
    /// Index of the transaction in the block.
    #[codec(compact)]
    pub extrinsic: u32,
    /// Fields of the summary that were filled in since.
    pub filled_in: SummaryFields,
}

impl Receipt {
    /// The receipt after the bill's summary changed.
    pub fn after(self, before: &BillSummary, after: &BillSummary) -> Self {
        let filled_in = self.filled_in.union(SummaryFields::filled_in(before, after));
        Self { filled_in, ..self }
    }
}

/// A bill as the chain holds it.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Bill {
    /// What the issuer said.
    pub summary: BillSummary,
    /// What happened since.
    pub state: BillState,
    /// How it came.
    pub receipt: Receipt,
}

impl Bill {
    /// The summary as it came, without what was filled in since.
    pub fn registered(&self) -> BillSummary {
        let mut summary = self.summary.clone();
        self.receipt.filled_in.iter().for_each(|field| field.clear(&mut summary));
        summary
    }

    /// The scene whose rules decide about `operation`: that of the lock for what
    /// acts on a lock, that of the last reimbursement for its reversal, and the
    /// bill's for all else. A new lock says its scene itself.
    pub fn scene_of(&self, operation: Operation) -> SceneId {
        let claim = match operation {
            Operation::Unlock
            | Operation::ExpireLock
            | Operation::AdminUnlock
            | Operation::Reimburse => self.state.lock.as_ref().and_then(Lock::scene),
            Operation::ReverseUse => self.state.reimbursements.last().map(|last| last.scene),
            _ => None,
        };
        claim.unwrap_or(self.summary.scene)
    }

    /// Sum of the reimbursements that count.
    pub fn reimbursed(&self) -> Fen {
        // Each sum was checked against the total when it was added.
        self.state
            .reimbursements
            .iter()
            .fold(Fen::ZERO, |sum, r| sum.checked_add(r.amount).unwrap_or(sum))
    }
}

impl Bill {
    /// The first rule of a bill's inner consistency that does not hold, in
    /// words. Whatever the transition rules say, no bill may break one.
    pub fn inconsistency(&self) -> Option<&'static str> {
        use BillStatus::{Locked, Normal, PartlyReimbursed, PreIssued, Reimbursed};
        let Bill { summary, state, .. } = self;
        let claims = &state.reimbursements;
        let at = state.lock.as_ref().map_or(state.status, |lock| lock.before);
        let sum = claims.iter().try_fold(Fen::ZERO, |sum, r| {
            sum.checked_add(r.amount).filter(|_| r.amount > Fen::ZERO)
        });
        let repeated = claims
            .iter()
            .enumerate()
            .any(|(i, r)| claims[..i].iter().any(|earlier| earlier.scene == r.scene));
        if state.lock.is_some() != (state.status == Locked) {
            Some("a bill has a lock exactly when its status is Locked")
        } else if at == Locked {
            Some("the status before a lock is not Locked")
        } else if matches!(at, PartlyReimbursed | Reimbursed) && claims.is_empty() {
            Some("a reimbursed bill has a reimbursement")
        } else if matches!(at, PreIssued | Normal) && !claims.is_empty() {
            Some("a pre-issued or normal bill has no reimbursement")
        } else if sum.is_none() || sum > Some(summary.total.max(Fen::ZERO)) {
            Some("reimbursements are positive and their sum is at most the total")
        } else if repeated {
            Some("a scene reimburses a bill once")
        } else if summary.kind == BillKind::Red && (at != Normal || state.lock.is_some()) {
            Some("a red bill stays Normal")
        } else if (summary.kind == BillKind::Red && summary.total > Fen::ZERO)
            || (summary.kind != BillKind::Red && summary.total < Fen::ZERO)
        {
            Some("the total is negative only on a red bill, and there not positive")
        } else {
            None
        }
    }
}

/// Why a new bill is refused, whichever way it comes onto the chain.
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
    frame_support::PalletError,
)]
#[serde(rename_all = "snake_case")]
pub enum SummaryProblem {
    /// Another bill with this code and number is on the chain, or this one
    /// came by another operation.
    AlreadyExists,
    /// There is no such scene.
    SceneNotFound,
    /// The scene is not active.
    SceneInactive,
    /// `issuer` is not the sender.
    NotIssuer,
    /// This operation does not take a bill of this kind.
    KindNotAllowed,
    /// The total has the wrong sign for the kind of bill.
    TotalOutOfRange,
    /// The issue date is later than tomorrow, in UTC+8.
    DateInFuture,
    /// `related` is set where this operation wants none, or missing where it
    /// wants one.
    RelatedNotAllowed,
    /// `xml_hash` is zero.
    XmlHashMissing,
    /// The scene asks for an access node, and none is linked to the issuer.
    AccessNodeNotLinked,
    /// The scene asks for an access node, and every one that is linked to the
    /// issuer is paused or disabled.
    AccessNodeInactive,
    /// The scene requires `payer_ref`, which is zero.
    PayerRefMissing,
    /// The scene requires `biz_no_hash`, which is zero.
    BizNoHashMissing,
    /// The scene requires `pdf_hash`, which is zero.
    PdfHashMissing,
    /// The scene requires `location_hash`, which is zero.
    LocationHashMissing,
    /// The transition rules of the scene let no such bill come.
    IllegalTransition,
    /// The transition rules of the scene let the bill come from other roles.
    RoleForbidden,
    /// The transition rule of the scene leads to no status that a bill begins
    /// with.
    RuleUnusable,
}

impl From<RuleProblem> for SummaryProblem {
    fn from(problem: RuleProblem) -> Self {
        match problem {
            // What does not exist yet has no final status.
            RuleProblem::FinalStatus | RuleProblem::IllegalTransition => Self::IllegalTransition,
            RuleProblem::RoleForbidden => Self::RoleForbidden,
        }
    }
}

impl From<SummaryField> for SummaryProblem {
    /// The problem of a bill that lacks the field.
    fn from(missing: SummaryField) -> Self {
        match missing {
            SummaryField::PayerRef => Self::PayerRefMissing,
            SummaryField::BizNoHash => Self::BizNoHashMissing,
            SummaryField::PdfHash => Self::PdfHashMissing,
            SummaryField::LocationHash => Self::LocationHashMissing,
        }
    }
}

/// Where bills are kept. Played by the bill-register contract, which is the
/// only one that writes them: it numbers and chains the versions and keeps the
/// node-local index.
pub trait BillLedger {
    /// The bill as stored, if it is registered. Its lock may be expired.
    fn bill(key: &BillKey) -> Option<Bill>;

    /// Whether the bill is registered.
    fn contains(key: &BillKey) -> bool;

    /// Puts a new bill onto the chain as version 1 with `status`, after
    /// checking the rules that its summary and `entry.cause` imply. Writes
    /// nothing if it refuses.
    fn open(summary: BillSummary, status: BillStatus, entry: Entry) -> Result<(), SummaryProblem>;

    /// Puts the next version of a registered bill and returns the bill with
    /// its new version, hash and time. The caller has checked the change, which
    /// does nothing to the summary but fill in [`SummaryField`]s, and leaves
    /// `version`, `version_hash`, `updated` and the receipt as [`Self::bill`]
    /// gave them.
    fn advance(bill: Bill, entry: Entry) -> Result<Bill, ArithmeticError>;
}

/// Bills as the next transaction finds them. Played by the bill-update contract.
pub trait BillsInForce {
    /// The bill; a lock whose time is over counts as released, though version
    /// and hash are still the stored ones.
    fn bill_in_force(key: &BillKey) -> Option<Bill>;
}

/// Why no access node stands for a participant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AccessProblem {
    /// There is no link.
    NotLinked,
    /// There is a link, but only to nodes that are paused or disabled.
    NodeInactive,
}

/// The access nodes (业务接入节点) through which participants reach the chain.
/// Played by the access-node contract.
pub trait AccessNodes {
    /// Whether an access node in normal operation is linked to `participant`.
    fn ensure_access(participant: &Did) -> Result<(), AccessProblem>;
}

/// Names a grant: the SM3 of the verifiable credential it was registered with.
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
#[serde(transparent)]
pub struct GrantId(pub Hash);

/// What a grant is used for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GrantUse<'a> {
    /// Who uses it.
    pub subject: &'a Did,
    /// On which bill.
    pub bill: &'a BillSummary,
    /// Version of the bill that the use made.
    pub version: u32,
    /// In which scene.
    pub scene: SceneId,
}

/// Why a grant cannot be used.
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
    frame_support::PalletError,
)]
#[serde(rename_all = "snake_case")]
pub enum GrantProblem {
    /// No grant has this id.
    NotFound,
    /// It authorises another participant.
    WrongSubject,
    /// It was revoked (撤回), which is final.
    Revoked,
    /// It is frozen (冻结).
    Frozen,
    /// Its time has not begun.
    NotYetValid,
    /// Its time is over.
    Expired,
    /// Its holder is frozen or cancelled.
    HolderNotActive,
    /// Its holder's key was replaced after it was registered.
    HolderKeyChanged,
    /// Its subject's key was replaced after it was registered.
    SubjectKeyChanged,
    /// It is for other bills or another scene.
    OutOfScope,
    /// Its history holds as many records as it may.
    Exhausted,
}

/// Authorisations (用票授权) of holders of bills. Played by the authorization
/// contract.
pub trait Grants {
    /// Records that `grant` was used to lock a bill, if it allows that now.
    /// Writes nothing if it refuses.
    fn use_for_lock(grant: &GrantId, usage: GrantUse<'_>) -> Result<(), GrantProblem>;
}

/// Number of a policy (策略).
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
    frame_support::PalletError,
)]
#[serde(transparent)]
pub struct PolicyId(pub u16);

/// The effective policy that refuses an operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PolicyRefusal {
    /// Its number.
    pub policy: PolicyId,
    /// Its effective version.
    pub version: u32,
}

/// Why a policy cannot be referred to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PolicyProblem {
    /// There is no such policy.
    NotFound,
    /// No version of it is effective.
    NotEffective,
}

/// The policies in force. Played by the policy contract.
pub trait Policies {
    /// Whether the effective policies of the operation's scene let it happen.
    /// Deterministic; reads one value of the state.
    fn evaluate(facts: &BillFacts<'_>) -> Result<(), PolicyRefusal>;

    /// The effective version of `policy`: the only one that a contract may
    /// refer to.
    fn effective(policy: PolicyId) -> Result<u32, PolicyProblem>;
}

/// Contention for a bill within one block. Played by the dispute contract.
pub trait Contention {
    /// Refuses a lock that was signed too far from the block's time, and one
    /// of a bill that another claimant got in this block.
    fn admit(key: &BillKey, claimant: &Did, signed_at: Moment) -> DispatchResult;

    /// Notes that `claimant` got the lock of the bill.
    fn won(key: &BillKey, claimant: &Did);
}

/// What the dispute contract asks of locks. Played by the bill-update
/// contract, whose rules and events these are.
pub trait BillLocks {
    /// Who would hold a lock that `sender` asks for: itself, or the `user` it
    /// acts for.
    fn claimant(sender: &ActiveParticipant, user: Option<&Did>) -> Result<Did, DispatchError>;

    /// Locks the bill until an administrator unlocks it (管理锁定).
    fn admin_lock(
        sender: ActiveParticipant,
        key: BillKey,
        reason: Reason,
        evidence: [u8; 32],
    ) -> DispatchResult;

    /// Releases whatever lock the bill has (管理解锁).
    fn admin_unlock(
        sender: ActiveParticipant,
        key: BillKey,
        reason: Reason,
        evidence: [u8; 32],
    ) -> DispatchResult;
}
