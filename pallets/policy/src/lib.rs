//! # Policy contract (策略上链智能合约)
//!
//! Business rules on the chain: submitted as documents in JSON or protobuf ([`Pallet::submit`]),
//! approved by several people ([`Pallet::submit_approval`], [`Pallet::finalize_approval`]), made
//! effective or revoked ([`Pallet::set_status`]), and enforced on every bill through the
//! [`Policies`](billchain_primitives::seams::Policies) seam. The flow of an approval is chained by hash and bound to its policy.
//!
//! ```
//! use pallet_policy::{Format, document::Document};
//!
//! let text = r#"{
//!     "id": 7, "version": 1, "name": "small claims", "keywords": ["claims"], "scenes": [3],
//!     "operations": ["lock"], "effect": "deny", "priority": 100, "description": "none above 100 yuan",
//!     "conditions": {">": ["total", 10000]}
//! }"#;
//! let document = Document::read(Format::Json, text.as_bytes()).unwrap();
//! assert_eq!(document.conditions.steps(), 1);
//! ```
//!
//! ## How policies decide
//! A policy is for some operations (register, pre-issue, lock, reimburse) in some scenes. Its effect
//! says what its conditions mean: `deny` refuses if they hold, `require` refuses unless they hold,
//! `permit` allows if they hold. The policies of a scene and operation are asked by descending
//! priority and the first that says anything decides; within one priority a refusal comes before a
//! permission, so a tie refuses. If none says anything, the operation is allowed. Scene and operation
//! are those of [`BillFacts`](billchain_primitives::condition::BillFacts): of the claim for a lock and a reimbursement, of the bill otherwise.
//!
//! ## What it promises
//! - One version of a policy is effective at most; a later one that becomes effective revokes it.
//!   Revoked is final.
//! - No version becomes effective without [`Config::MinApprovals`] approvals by people other than its
//!   submitter and no rejection; the flow's hash up to its finalisation stays in the policy.
//! - The document is the rule: see [`document`].
//! - Judging a bill reads one value, [`InForce`], which holds the conditions of at most
//!   [`Config::MaxPoliciesPerScene`] policies of at most [`Config::MaxStepsPerScene`] steps.
//!
//! ## What it assumes
//! Levels of approval are people: whoever has a role of [`Config::ApproverRoles`] counts as one.
//!
//! ## What it does not do
//! An approver that later loses its role is not un-counted: the decision was valid when it was made.

// Over 500 lines: the macro wants storage, events, errors and calls in one module,
// and their documentation is what clients read in the metadata.

#![forbid(unsafe_code)]

pub mod document;
mod flow;
mod force;
mod invariants;
mod reads;
mod types;
pub mod weights;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

pub use force::decide;
pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

use billchain_primitives::{
    AccountId, Did, Keyword, Moment, Name, Reason, RoleSet, SceneId,
    condition::{Fault, Guarded},
    seams::{ActiveParticipant, ParticipantProblem, Participants, PolicyId, Scenes},
};
use document::{Document, DocumentError, Part};
use frame::{prelude::*, traits::Time, try_runtime::TryRuntimeError};

/// The policy contract.
#[frame::pallet]
pub mod pallet {
    use super::*;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// The contract.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// What the runtime decides.
    #[pallet::config]
    pub trait Config:
        frame_system::Config<RuntimeEvent: From<Event<Self>>, AccountId = AccountId>
    {
        /// Who may change any status that the flow allows.
        type AdminOrigin: EnsureOrigin<Self::RuntimeOrigin>;
        /// Who acts on the chain.
        type Participants: Participants;
        /// The business scenes.
        type Scenes: Scenes;
        /// Time of the block.
        type Time: Time<Moment = Moment>;
        /// Roles that may submit policies.
        type SubmitterRoles: Get<RoleSet>;
        /// Roles that may approve policies and make them effective.
        type ApproverRoles: Get<RoleSet>;
        /// Approvals that a policy needs, by different people other than its
        /// submitter; not 0.
        #[pallet::constant]
        type MinApprovals: Get<u32>;
        /// Most policies; not 0.
        #[pallet::constant]
        type MaxPolicies: Get<u32>;
        /// Most versions of a policy; not 0.
        #[pallet::constant]
        type MaxVersions: Get<u32>;
        /// Most effective policies of one scene and operation; not 0.
        #[pallet::constant]
        type MaxPoliciesPerScene: Get<u32>;
        /// Most evaluation steps of the effective policies of one scene and
        /// operation together; not 0.
        #[pallet::constant]
        type MaxStepsPerScene: Get<u32>;
        /// Most versions that one keyword leads to; not 0.
        #[pallet::constant]
        type MaxPerKeyword: Get<u32>;
        /// Weights of the calls.
        type WeightInfo: WeightInfo;
    }

    /// Where each policy stands.
    #[pallet::storage]
    pub type Heads<T: Config> = CountedStorageMap<_, Twox64Concat, PolicyId, Head>;

    /// Every version of every policy.
    #[pallet::storage]
    pub type Versions<T: Config> =
        StorageDoubleMap<_, Twox64Concat, PolicyId, Twox64Concat, u32, Policy>;

    /// The documents, as they were submitted.
    #[pallet::storage]
    pub type Bodies<T: Config> =
        StorageDoubleMap<_, Twox64Concat, PolicyId, Twox64Concat, u32, Body>;

    /// The approval flow of every version.
    #[pallet::storage]
    pub type Flows<T: Config> =
        StorageDoubleMap<_, Twox64Concat, PolicyId, Twox64Concat, u32, Flow, ValueQuery>;

    /// Whose name it is; names of old versions included.
    #[pallet::storage]
    pub type Names<T: Config> = StorageMap<_, Blake2_128Concat, Name, PolicyId>;

    /// The versions with a keyword, in the order of their submission.
    #[pallet::storage]
    pub type Keywords<T: Config> = StorageMap<
        _,
        Blake2_128Concat,
        Keyword,
        BoundedVec<(PolicyId, u32), T::MaxPerKeyword>,
        ValueQuery,
    >;

    /// The versions of a status.
    #[pallet::storage]
    pub type Statuses<T: Config> =
        StorageDoubleMap<_, Twox64Concat, PolicyStatus, Twox64Concat, (PolicyId, u32), ()>;

    /// The effective policies of a scene and operation, in the order they are
    /// asked; absent where there are none. What a bill is judged by.
    #[pallet::storage]
    pub type InForce<T: Config> = StorageDoubleMap<
        _,
        Twox64Concat,
        SceneId,
        Twox64Concat,
        Guarded,
        BoundedVec<Compiled, T::MaxPoliciesPerScene>,
        ValueQuery,
    >;

    /// What happened to a policy.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A version was submitted, as a draft.
        PolicySubmitted {
            /// Number of the policy.
            policy: PolicyId,
            /// Number of the version.
            version: u32,
            /// Name of the version.
            name: Name,
            /// Who submitted it.
            submitter: Did,
            /// How its document is written.
            format: Format,
            /// SM3 of its document.
            body_hash: [u8; 32],
            /// Time of the block.
            at: Moment,
        },
        /// An approver decided on a draft.
        ApprovalSubmitted {
            /// Number of the policy.
            policy: PolicyId,
            /// Number of the version.
            version: u32,
            /// Who decided.
            approver: Did,
            /// How.
            decision: Decision,
            /// SM3 of the comment.
            comment_hash: [u8; 32],
            /// Hash of the flow with this step.
            flow_hash: [u8; 32],
            /// Time of the block.
            at: Moment,
        },
        /// A draft's approval flow was found complete.
        ApprovalFinalized {
            /// Number of the policy.
            policy: PolicyId,
            /// Number of the version.
            version: u32,
            /// Who asked.
            operator: Did,
            /// Number of its approvals.
            approvals: u32,
            /// Hash of the flow with this step, which the policy keeps.
            approval_hash: [u8; 32],
            /// Time of the block.
            at: Moment,
        },
        /// A version's status changed.
        StatusChanged {
            /// Number of the policy.
            policy: PolicyId,
            /// Number of the version.
            version: u32,
            /// The status before.
            from: PolicyStatus,
            /// The status now.
            to: PolicyStatus,
            /// Who changed it; absent for the council.
            operator: Option<Did>,
            /// Why; absent where a later version replaced it.
            reason: Option<Reason>,
            /// Time of the block.
            at: Moment,
        },
    }

    /// Why a call is refused.
    #[pallet::error]
    pub enum Error<T> {
        /// The sender may not act, for this reason.
        Sender(ParticipantProblem),
        /// The sender's roles do not allow the call.
        RoleForbidden,
        /// The bytes are no document of the format; `policy_check` says where.
        Unreadable,
        /// This part of the document breaks its rule; `policy_check` says
        /// which.
        InvalidPart(Part),
        /// A node of the conditions is wrong; `policy_check` says it in words.
        InvalidConditions {
            /// Index of the node, in prefix order from 0.
            node: u8,
            /// What is wrong with it.
            fault: Fault,
        },
        /// The version is on the chain already, or is older than one that is.
        VersionConflict,
        /// The version does not follow the newest one.
        VersionGap,
        /// Another policy has the name.
        NameTaken {
            /// The one that has it.
            by: PolicyId,
        },
        /// The document names a scene that does not exist.
        UnknownScene {
            /// Number of the scene.
            scene: u16,
        },
        /// The conditions name a DID that no participant has.
        UnknownParticipant {
            /// Index of the node that does, in prefix order from 0.
            node: u8,
        },
        /// The document refers to a policy that does not exist.
        UnknownPolicy(PolicyId),
        /// The document refers to a policy that is not effective.
        NotEffective(PolicyId),
        /// There are as many policies as there may be.
        TooManyPolicies,
        /// The policy has as many versions as it may have.
        TooManyVersions,
        /// A keyword leads to as many versions as it may.
        KeywordFull,
        /// There is no such version of a policy.
        NotFound,
        /// The version is no draft any longer.
        NotDraft,
        /// The submitter does not decide on its own policy.
        OwnPolicy,
        /// The approver has decided already.
        AlreadyDecided,
        /// The hash of the comment is zero.
        CommentMissing,
        /// The flow is final; nothing is added.
        AlreadyFinalized,
        /// The flow has as many decisions as it may have.
        FlowFull,
        /// The flow lacks approvals or its finalisation.
        ApprovalIncomplete,
        /// An approver rejected the version; submit another.
        ApprovalRejected,
        /// Nothing becomes a draft again; submit another version.
        NoWayBack,
        /// The version is revoked, which is final.
        AlreadyRevoked,
        /// A later version was effective already.
        Superseded,
        /// A scene would have more effective policies of one operation than it
        /// may have.
        SceneFull {
            /// Number of the scene.
            scene: u16,
        },
        /// Judging a bill of the scene would take more steps than it may.
        TooManySteps {
            /// Number of the scene.
            scene: u16,
        },
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            assert!(T::MinApprovals::get() > 0, "MinApprovals is 0");
            assert!(
                T::MinApprovals::get() < MAX_STEPS - RESERVED_STEPS,
                "a flow has room for MinApprovals"
            );
            assert!(T::MaxPolicies::get() > 0, "MaxPolicies is 0");
            assert!(T::MaxVersions::get() > 0, "MaxVersions is 0");
            assert!(T::MaxPoliciesPerScene::get() > 0, "MaxPoliciesPerScene is 0");
            assert!(T::MaxStepsPerScene::get() > 0, "MaxStepsPerScene is 0");
            assert!(T::MaxPerKeyword::get() > 0, "MaxPerKeyword is 0");
        }

        fn try_state(_: BlockNumberFor<T>) -> Result<(), TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Submits a version of a policy, as a draft.
        ///
        /// The sender has a role of [`Config::SubmitterRoles`]. The document
        /// says everything else; see [`document`]. The first version of a
        /// policy is 1, each other follows the newest. Everything it names
        /// exists.
        ///
        /// # Origin
        /// An active participant with a role of `SubmitterRoles`.
        ///
        /// # Errors
        /// `Sender`, `RoleForbidden`, `Unreadable`, `InvalidPart`, `InvalidConditions`,
        /// `TooManyPolicies`, `VersionConflict`, `VersionGap`, `TooManyVersions`,
        /// `NameTaken`, `UnknownScene`, `UnknownParticipant`, `UnknownPolicy`,
        /// `NotEffective`, `KeywordFull`.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::submit(body.len() as u32))]
        pub fn submit(origin: OriginFor<T>, format: Format, body: Body) -> DispatchResult {
            let sender = Self::sender(origin, T::SubmitterRoles::get())?;
            let document = Document::read(format, &body).map_err(Error::<T>::from)?;
            let mut head = Self::ensure_fits(&document)?;
            head.newest = document.version;
            Self::insert(document, head, format, body, sender.did);
            Ok(())
        }

        /// Decides on a draft.
        ///
        /// The sender has a role of [`Config::ApproverRoles`], is not the
        /// submitter and has not decided on this version. The comment itself
        /// stays off the chain.
        ///
        /// # Origin
        /// An active participant with a role of `ApproverRoles`.
        ///
        /// # Errors
        /// `Sender`, `RoleForbidden`, `NotFound`, `NotDraft`, `AlreadyFinalized`,
        /// `OwnPolicy`, `AlreadyDecided`, `CommentMissing`, `FlowFull`.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::submit_approval())]
        pub fn submit_approval(
            origin: OriginFor<T>,
            policy: PolicyId,
            version: u32,
            decision: Decision,
            comment_hash: [u8; 32],
        ) -> DispatchResult {
            let approver = Self::sender(origin, T::ApproverRoles::get())?.did;
            let draft = Self::open_draft(policy, version)?;
            ensure!(draft.submitter != approver, Error::<T>::OwnPolicy);
            let flow = Flows::<T>::get(policy, version);
            let decided = flow.decisions().any(|(did, _)| *did == approver);
            ensure!(!decided, Error::<T>::AlreadyDecided);
            ensure!(comment_hash != [0; 32], Error::<T>::CommentMissing);
            let room = (flow.steps.len() as u32) < MAX_STEPS - RESERVED_STEPS;
            ensure!(room, Error::<T>::FlowFull);

            let act = Act::Decided { decision, comment_hash };
            let flow_hash = Self::record(policy, version, Some(approver.clone()), act);
            Self::deposit_event(Event::ApprovalSubmitted {
                policy,
                version,
                approver,
                decision,
                comment_hash,
                flow_hash,
                at: T::Time::now(),
            });
            Ok(())
        }

        /// Closes the approval flow of a draft and binds its hash to it.
        ///
        /// The sender may submit or approve policies. Nobody rejected, and
        /// [`Config::MinApprovals`] approved.
        ///
        /// # Origin
        /// An active participant who may submit or approve policies.
        ///
        /// # Errors
        /// `Sender`, `RoleForbidden`, `NotFound`, `NotDraft`, `AlreadyFinalized`,
        /// `ApprovalRejected`, `ApprovalIncomplete`.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::finalize_approval())]
        pub fn finalize_approval(
            origin: OriginFor<T>,
            policy: PolicyId,
            version: u32,
        ) -> DispatchResult {
            let either = T::SubmitterRoles::get().iter().chain(T::ApproverRoles::get().iter());
            let roles = RoleSet::of(&either.collect::<Vec<_>>());
            let operator = Self::sender(origin, roles)?.did;
            let mut draft = Self::open_draft(policy, version)?;
            let flow = Flows::<T>::get(policy, version);
            let rejected = flow.decisions().any(|(_, one)| one == Decision::Rejected);
            ensure!(!rejected, Error::<T>::ApprovalRejected);
            let approvals = flow.decisions().count() as u32;
            ensure!(approvals >= T::MinApprovals::get(), Error::<T>::ApprovalIncomplete);

            let approval_hash =
                Self::record(policy, version, Some(operator.clone()), Act::Finalised);
            draft.approval_hash = Some(approval_hash);
            Versions::<T>::insert(policy, version, draft);
            let at = T::Time::now();
            Self::deposit_event(Event::ApprovalFinalized {
                policy,
                version,
                operator,
                approvals,
                approval_hash,
                at,
            });
            Ok(())
        }

        /// Makes a version effective or revoked, with a reason.
        ///
        /// Effective: by `AdminOrigin` or an approver; the version is a draft
        /// whose flow is final, and newer than any that was effective. The one
        /// that was effective is revoked by this. Revoked: by `AdminOrigin`, or
        /// a draft by its submitter or an approver.
        ///
        /// # Origin
        /// `AdminOrigin` or an approver; to revoke a draft, its submitter too.
        ///
        /// # Errors
        /// `Sender`, `RoleForbidden`, `NotFound`, `AlreadyRevoked`, `NoWayBack`,
        /// `NotDraft`, `ApprovalIncomplete`, `Superseded`, `UnknownPolicy`,
        /// `NotEffective`, `SceneFull`, `TooManySteps`.
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::set_status())]
        pub fn set_status(
            origin: OriginFor<T>,
            policy: PolicyId,
            version: u32,
            status: PolicyStatus,
            reason: Reason,
        ) -> DispatchResult {
            let actor = Self::administrator(origin)?;
            let entry = Versions::<T>::get(policy, version).ok_or(Error::<T>::NotFound)?;
            ensure!(entry.status != PolicyStatus::Revoked, Error::<T>::AlreadyRevoked);
            let approves = actor
                .as_ref()
                .is_none_or(|sender| sender.roles.intersects(T::ApproverRoles::get()));
            let operator = actor.map(|sender| sender.did);
            match status {
                PolicyStatus::Draft => Err(Error::<T>::NoWayBack.into()),
                PolicyStatus::Effective => {
                    ensure!(approves, Error::<T>::RoleForbidden);
                    Self::make_effective(policy, version, entry, operator, reason)
                }
                PolicyStatus::Revoked => {
                    let draft = entry.status == PolicyStatus::Draft;
                    let own = operator.as_ref() == Some(&entry.submitter);
                    let may = operator.is_none() || (draft && (approves || own));
                    ensure!(may, Error::<T>::RoleForbidden);
                    Self::revoke(policy, version, entry, operator, reason);
                    Ok(())
                }
            }
        }
    }
}

impl<T> From<DocumentError> for Error<T> {
    fn from(error: DocumentError) -> Self {
        match error {
            DocumentError::Unreadable(_) => Self::Unreadable,
            DocumentError::Part(part) => Self::InvalidPart(part),
            DocumentError::Conditions(error) => {
                Self::InvalidConditions { node: error.node, fault: error.fault }
            }
        }
    }
}

/// Who sends a call.
impl<T: Config> Pallet<T> {
    /// The sender, an active participant with one of `roles`.
    fn sender(origin: OriginFor<T>, roles: RoleSet) -> Result<ActiveParticipant, DispatchError> {
        let sender = T::Participants::signer::<Error<T>>(origin)?;
        ensure!(sender.roles.intersects(roles), Error::<T>::RoleForbidden);
        Ok(sender)
    }

    /// The sender; `None` if it is the administrators' origin.
    fn administrator(origin: OriginFor<T>) -> Result<Option<ActiveParticipant>, DispatchError> {
        if T::AdminOrigin::ensure_origin(origin.clone()).is_ok() {
            return Ok(None);
        }
        T::Participants::signer::<Error<T>>(origin).map(Some)
    }
}

impl<T> From<ParticipantProblem> for Error<T> {
    fn from(problem: ParticipantProblem) -> Self {
        Self::Sender(problem)
    }
}
