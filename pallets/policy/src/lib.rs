//! # Policy contract (策略上链智能合约)
//!
//! Business rules on the chain: submitted as documents, approved by several
//! people, and enforced on every bill. Tender row [218]:
//!
//! - *Submission*: "支持多策略以结构化数据（如JSON或protobuf）形式提交上链，包含规则内容、适用场景、生效条件及
//!   版本号；合约验证提交者权限后，将策略与版本号绑定上链存储；同时触发事件日志记录上链时间及操作者分布式身份标识，
//!   支持通过版本号或关键词快速检索策略": [`Pallet::submit`], [`document`], [`Pallet::policy`],
//!   [`Pallet::by_keyword`].
//! - *Status*: "策略状态分为“草稿/生效/废止”三态，默认新建策略为“草稿”；状态变更需通过特定角色（如管理员）或审批流
//!   合约触发，变更时记录操作时间戳及原因；合约强制校验当前策略状态，仅允许“生效”状态的策略被业务合约调用，同时支持按
//!   状态筛选查询": [`Pallet::set_status`], [`Policies::effective`](Seam::effective),
//!   [`Pallet::by_status`].
//! - *Approval*: "策略从提案到生效的全流程审批动作进行上链 … 合约验证审批流程完整性后，方可触发策略状态变更，同时将
//!   审批流哈希值与策略绑定": [`Pallet::submit_approval`], [`Pallet::finalize_approval`],
//!   [`Policy::approval_hash`].
//! - *Trail*: "支持按策略ID、时间范围或参与方分布式身份标识追溯审批细节 … 返回关联的审批流事件列表（含时间戳、操作者
//!   分布式身份标识、结果）": [`Pallet::flow`], and the node-local index under [`by_time_key`] and
//!   [`by_actor_key`].
//!
//! And of the rows on policies: 41 to 43 and 46, 48 (条件元语、操作符、值约束、嵌套), 45 (冲突检测), 49
//! (优先级), 50 (语法/语义校验): [`billchain_primitives::condition`]; 44 (版本回滚): an older content is
//! submitted as a new version; 51 (仿真验证): [`document::Document::read`] and
//! [`Conditions::evaluate`](billchain_primitives::condition::Conditions::evaluate) over facts by hand; 52 (审核通过后
//! 才能生效): the approval flow.
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

#![forbid(unsafe_code)]

pub mod document;
mod flow;
mod force;
mod invariants;
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
    condition::{Fault, Guarded, Value},
    seams::{
        ActiveParticipant, ParticipantProblem, Participants, Policies as Seam, PolicyId,
        PolicyProblem, SceneProblem, Scenes,
    },
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

/// What can be asked.
impl<T: Config> Pallet<T> {
    /// One version of a policy.
    pub fn policy(policy: PolicyId, version: u32) -> Option<Policy> {
        Versions::<T>::get(policy, version)
    }

    /// The document of a version.
    pub fn body(policy: PolicyId, version: u32) -> Option<Body> {
        Bodies::<T>::get(policy, version)
    }

    /// Where a policy stands: its newest and its effective version.
    pub fn head(policy: PolicyId) -> Option<Head> {
        Heads::<T>::get(policy)
    }

    /// The approval flow of a version; its `hash` is the flow's.
    pub fn flow(policy: PolicyId, version: u32) -> Option<Flow> {
        Flows::<T>::try_get(policy, version).ok()
    }

    /// The versions with a keyword, in the order of their submission.
    pub fn by_keyword(keyword: &Keyword) -> Vec<(PolicyId, u32)> {
        Keywords::<T>::get(keyword).into_inner()
    }

    /// At most `limit` versions of a status, those that follow `after` if it is
    /// given, in an order that says nothing but does not change.
    pub fn by_status(
        status: PolicyStatus,
        after: Option<(PolicyId, u32)>,
        limit: usize,
    ) -> Vec<(PolicyId, u32)> {
        let keys = match after {
            None => Statuses::<T>::iter_key_prefix(status),
            Some(last) => {
                let from = Statuses::<T>::hashed_key_for(status, last);
                Statuses::<T>::iter_key_prefix_from(status, from)
            }
        };
        keys.take(limit).collect()
    }

    /// Whether the state admits the document as the next version of its
    /// policy; where the policy stands then is returned.
    pub fn ensure_fits(document: &Document) -> Result<Head, Error<T>> {
        let Document { id, version, name, .. } = document;
        let head = match Heads::<T>::get(id) {
            Some(head) => head,
            None => {
                let room = Heads::<T>::count() < T::MaxPolicies::get();
                ensure!(room, Error::TooManyPolicies);
                Head::default()
            }
        };
        ensure!(*version > head.newest, Error::VersionConflict);
        ensure!(version - head.newest == 1, Error::VersionGap);
        ensure!(*version <= T::MaxVersions::get(), Error::TooManyVersions);
        if let Some(by) = Names::<T>::get(name).filter(|by| by != id) {
            return Err(Error::NameTaken { by });
        }
        document.scenes.iter().try_for_each(|scene| Self::ensure_scene(*scene))?;
        for (node, value) in document.rule.values() {
            match value {
                Value::Scene(scene) => Self::ensure_scene(*scene)?,
                Value::Did(did) => {
                    let known = T::Participants::account_of(did).is_some();
                    ensure!(known, Error::UnknownParticipant { node });
                }
                _ => {}
            }
        }
        Self::ensure_references(&document.references)?;
        for keyword in &document.keywords {
            let full = Keywords::<T>::decode_len(keyword).unwrap_or(0);
            ensure!(full < T::MaxPerKeyword::get() as usize, Error::KeywordFull);
        }
        Ok(head)
    }

    fn ensure_scene(scene: SceneId) -> Result<(), Error<T>> {
        let known = T::Scenes::active(scene) != Err(SceneProblem::NotFound);
        ensure!(known, Error::UnknownScene { scene: scene.0 });
        Ok(())
    }

    pub(crate) fn ensure_references(references: &[PolicyId]) -> Result<(), Error<T>> {
        references.iter().try_for_each(|policy| {
            <Self as Seam>::effective(*policy).map(drop).map_err(|problem| match problem {
                PolicyProblem::NotFound => Error::UnknownPolicy(*policy),
                PolicyProblem::NotEffective => Error::NotEffective(*policy),
            })
        })
    }

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
