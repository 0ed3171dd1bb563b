//! # Scene contract (业务场景管理智能合约)
//!
//! The business scenes that bills are issued and claimed in: whether one claim succeeds or several,
//! how long a lock lasts, how heavily a scene weighs in contention, whether its bills come through
//! access nodes only, what a bill must have and what data belong to a claim. One system administrator
//! proposes a scene or a change of one, another approves it; the contracts of bills ask through the
//! [`Scenes`] seam.
//!
//! ```
//! use billchain_primitives::SceneId;
//! use pallet_scene::trail_prefix;
//!
//! // What became of the proposals of a scene lies together in the node-local index.
//! assert_ne!(trail_prefix(SceneId(1)), trail_prefix(SceneId(2)));
//! ```
//!
//! ## How a scene changes
//! A system administrator (系统管理员) proposes a scene, or a change of one; nothing changes yet.
//! Another one approves or rejects it, with a comment. An approved change takes effect with that
//! call. The proposer may withdraw it before. Each scene has one open proposal at most, and whoever
//! decides names it by its number. `docs/decisions/0012-administration.md` says who administers what.
//!
//! ## What it promises
//! - No scene begins or changes without two system administrators, different participants.
//! - A scene whose registration awaits approval is not there for bills; a change that does leaves
//!   the former rules in force.
//! - Every proposal that ended makes one [`TrailRecord`] in the node-local index, chained by hash
//!   into the state.
//! - Locks that exist keep the time they were given.
//!
//! ## What it does not do
//! A proposer that lost its office meanwhile has proposed all the same: the approver answers for
//! what it approves. Scenes of the genesis are active at once; the chain spec is their approval.
//!
//! [`Scenes`]: billchain_primitives::seams::Scenes

#![forbid(unsafe_code)]

mod approval;
mod reads;
mod types;
pub mod weights;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

use approval::are_distinct;
use billchain_primitives::{
    AccountId, Did, Moment, Name, Reason, SceneId,
    seams::{
        Administrators, ParticipantProblem, Participants, SceneProblem, SceneTerms, Scenes as Seam,
    },
};
use frame::{prelude::*, traits::Time, try_runtime::TryRuntimeError};

/// The scene contract.
// A call is decoded once and consumed at once: what its largest variant takes
// costs nothing, and clients build it without boxes.
#[allow(clippy::large_enum_variant)]
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
        frame_system::Config<AccountId = AccountId, RuntimeEvent: From<Event<Self>>>
    {
        /// Who acts on the chain.
        type Participants: Participants;
        /// Who administers.
        type Administrators: Administrators;
        /// Time of the block, in milliseconds.
        type Time: Time<Moment = Moment>;
        /// Most scenes; not 0.
        #[pallet::constant]
        type MaxScenes: Get<u32>;
        /// Most proposals that await approval; not 0.
        #[pallet::constant]
        type MaxOpenProposals: Get<u32>;
        /// Weights of the calls.
        type WeightInfo: WeightInfo;
    }

    /// Scenes by number.
    #[pallet::storage]
    pub type Scenes<T: Config> = CountedStorageMap<_, Twox64Concat, SceneId, Scene>;

    /// The proposal of each scene that awaits approval.
    #[pallet::storage]
    pub type Proposals<T: Config> = CountedStorageMap<_, Twox64Concat, SceneId, Proposal>;

    /// Number of proposals so far, which is the number of the last one.
    #[pallet::storage]
    pub type ProposalCount<T: Config> = StorageValue<_, ProposalId, ValueQuery>;

    /// The approval trail of each scene; also of one that was never approved.
    #[pallet::storage]
    pub type Trails<T: Config> = StorageMap<_, Twox64Concat, SceneId, Trail, ValueQuery>;

    /// First scenes.
    #[pallet::genesis_config]
    #[derive(frame::prelude::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// Number, name, rules and related data of each; all active.
        pub scenes: Vec<(SceneId, Name, SceneTerms, RelatedData)>,
        /// No data.
        #[serde(skip)]
        pub phantom: PhantomData<T>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            for (id, name, rules, related_data) in &self.scenes {
                assert!(rules.lock_period_ms > 0, "scene {}: the lock period is 0", id.0);
                assert!(are_distinct(related_data), "scene {}: related data repeated", id.0);
                assert!(!Scenes::<T>::contains_key(id), "scene {} stands twice", id.0);
                let scene = Scene {
                    name: name.clone(),
                    status: SceneStatus::Active,
                    rules: *rules,
                    related_data: related_data.clone(),
                    version: 1,
                    updated: Default::default(),
                };
                Scenes::<T>::insert(id, scene);
            }
            assert!(Scenes::<T>::count() <= T::MaxScenes::get(), "too many scenes");
        }
    }

    /// What happened to a scene.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A scene was approved and began; it is active.
        SceneRegistered {
            /// Its number.
            scene: SceneId,
            /// Its name.
            name: Name,
            /// Its rules.
            rules: SceneTerms,
            /// Kinds of data that belong to its claims.
            related_data: RelatedData,
        },
        /// A scene got other rules, which were approved. Locks that exist keep
        /// theirs.
        SceneConfigured {
            /// Its number.
            scene: SceneId,
            /// Its rules now.
            rules: SceneTerms,
            /// Kinds of data that belong to its claims now.
            related_data: RelatedData,
        },
        /// A scene got another weight in contention, which was approved.
        WeightSet {
            /// Its number.
            scene: SceneId,
            /// The weight before.
            from: u16,
            /// The weight now.
            to: u16,
        },
        /// A scene got another status, which was approved.
        StatusSet {
            /// Its number.
            scene: SceneId,
            /// The status now.
            status: SceneStatus,
        },
        /// A scene, or a change of one, was proposed (提案).
        ChangeProposed {
            /// Number of the proposal.
            proposal: ProposalId,
            /// Number of the scene.
            scene: SceneId,
            /// What it does.
            change: SceneChange,
            /// The system administrator that proposed it.
            proposer: Did,
            /// Why.
            reason: Reason,
            /// Time of the block.
            at: Moment,
        },
        /// A second administrator decided on a proposal (审批).
        ProposalDecided {
            /// Number of the proposal.
            proposal: ProposalId,
            /// Number of the scene.
            scene: SceneId,
            /// Who proposed it.
            proposer: Did,
            /// Who decided.
            approver: Did,
            /// How.
            decision: Decision,
            /// What the approver says of it.
            comment: Reason,
            /// Time of the block.
            at: Moment,
        },
        /// The proposer took a proposal back.
        ProposalWithdrawn {
            /// Number of the proposal.
            proposal: ProposalId,
            /// Number of the scene.
            scene: SceneId,
            /// Who proposed it and took it back.
            proposer: Did,
            /// Why.
            reason: Reason,
            /// Time of the block.
            at: Moment,
        },
    }

    /// Why a call is refused.
    #[pallet::error]
    pub enum Error<T> {
        /// A scene has this number already.
        AlreadyRegistered,
        /// No scene has this number.
        NotFound,
        /// There are as many scenes as there may be.
        TooManyScenes,
        /// The lock period is 0.
        LockPeriodZero,
        /// The sender may not act, for this reason.
        Sender(ParticipantProblem),
        /// The sender is no system administrator.
        NotAdministrator,
        /// The scene's registration awaits approval: nothing else happens to
        /// it before.
        NotApproved,
        /// The scene is disabled: make it active first.
        SceneInactive,
        /// Another change of the scene awaits approval.
        ProposalOpen,
        /// As many proposals await approval as may.
        TooManyProposals,
        /// The change changes nothing.
        Unchanged,
        /// A kind of related data stands twice.
        RelatedDataRepeated,
        /// No change of this scene awaits approval.
        NoProposal,
        /// The change of this scene that awaits approval has another number.
        OtherProposal,
        /// Another administrator than the proposer decides.
        OwnProposal,
        /// Only the proposer takes a proposal back.
        NotProposer,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            assert!(T::MaxScenes::get() > 0, "MaxScenes is 0");
            assert!(T::MaxOpenProposals::get() > 0, "MaxOpenProposals is 0");
        }

        fn try_state(_: BlockNumberFor<T>) -> Result<(), TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Proposes a scene; once approved, it is active.
        ///
        /// # Origin
        /// A system administrator.
        ///
        /// # Errors
        /// `Sender`, `NotAdministrator`, `NotApproved`, `ProposalOpen`,
        /// `TooManyProposals`, `AlreadyRegistered`, `TooManyScenes`, `LockPeriodZero`,
        /// `RelatedDataRepeated`.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::register())]
        pub fn register(
            origin: OriginFor<T>,
            scene: SceneId,
            name: Name,
            rules: SceneTerms,
            related_data: RelatedData,
            reason: Reason,
        ) -> DispatchResult {
            let change = SceneChange::Register { name, rules, related_data };
            Self::propose(origin, scene, change, reason)
        }

        /// Proposes other rules and kinds of related data of a scene, in
        /// whatever status it is.
        ///
        /// # Origin
        /// A system administrator.
        ///
        /// # Errors
        /// `Sender`, `NotAdministrator`, `NotApproved`, `ProposalOpen`,
        /// `TooManyProposals`, `NotFound`, `Unchanged`, `LockPeriodZero`,
        /// `RelatedDataRepeated`.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::configure())]
        pub fn configure(
            origin: OriginFor<T>,
            scene: SceneId,
            rules: SceneTerms,
            related_data: RelatedData,
            reason: Reason,
        ) -> DispatchResult {
            Self::propose(origin, scene, SceneChange::Configure { rules, related_data }, reason)
        }

        /// Proposes another weight in contention of an active scene.
        ///
        /// # Origin
        /// A system administrator.
        ///
        /// # Errors
        /// `Sender`, `NotAdministrator`, `NotApproved`, `ProposalOpen`,
        /// `TooManyProposals`, `NotFound`, `SceneInactive`, `Unchanged`.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::set_weight())]
        pub fn set_weight(
            origin: OriginFor<T>,
            scene: SceneId,
            weight: u16,
            reason: Reason,
        ) -> DispatchResult {
            Self::propose(origin, scene, SceneChange::Weight(weight), reason)
        }

        /// Proposes to make a scene active or to disable it.
        ///
        /// # Origin
        /// A system administrator.
        ///
        /// # Errors
        /// `Sender`, `NotAdministrator`, `NotApproved`, `ProposalOpen`,
        /// `TooManyProposals`, `NotFound`, `Unchanged`.
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::set_status())]
        pub fn set_status(
            origin: OriginFor<T>,
            scene: SceneId,
            status: SceneStatus,
            reason: Reason,
        ) -> DispatchResult {
            Self::propose(origin, scene, SceneChange::Status(status), reason)
        }

        /// Approves the proposal that a scene awaits approval for, which takes
        /// effect, or rejects it.
        ///
        /// # Origin
        /// A system administrator, another one than the proposer.
        ///
        /// # Errors
        /// `Sender`, `NotAdministrator`, `NoProposal`, `OtherProposal`, `OwnProposal`,
        /// `AlreadyRegistered`, `TooManyScenes`, `NotFound`, `SceneInactive`,
        /// `Unchanged`.
        #[pallet::call_index(4)]
        #[pallet::weight(T::WeightInfo::submit_approval())]
        pub fn submit_approval(
            origin: OriginFor<T>,
            scene: SceneId,
            proposal: ProposalId,
            decision: Decision,
            comment: Reason,
        ) -> DispatchResult {
            let approver = Self::administrator(origin)?;
            Self::decide(approver, scene, proposal, decision, comment)?;
            Ok(())
        }

        /// Takes a proposal back.
        ///
        /// The sender proposed it, and is still a system administrator.
        ///
        /// # Origin
        /// The proposer, still a system administrator.
        ///
        /// # Errors
        /// `Sender`, `NotAdministrator`, `NoProposal`, `OtherProposal`, `NotProposer`.
        #[pallet::call_index(5)]
        #[pallet::weight(T::WeightInfo::withdraw())]
        pub fn withdraw(
            origin: OriginFor<T>,
            scene: SceneId,
            proposal: ProposalId,
            reason: Reason,
        ) -> DispatchResult {
            let sender = Self::administrator(origin)?;
            let open = Self::open(scene, proposal)?;
            ensure!(open.proposer == sender, Error::<T>::NotProposer);
            Self::end(scene, open, Outcome::Withdrawn { reason });
            Ok(())
        }
    }
}

impl<T: Config> Seam for Pallet<T> {
    fn active(scene: SceneId) -> Result<SceneTerms, SceneProblem> {
        match Scenes::<T>::get(scene) {
            None => Err(SceneProblem::NotFound),
            Some(Scene { status: SceneStatus::Disabled, .. }) => Err(SceneProblem::Inactive),
            Some(Scene { rules, .. }) => Ok(rules),
        }
    }
}

impl<T> From<ParticipantProblem> for Error<T> {
    fn from(problem: ParticipantProblem) -> Self {
        Self::Sender(problem)
    }
}
