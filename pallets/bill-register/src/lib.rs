//! # Bill register contract (票据登记上链智能合约)
//!
//! Registration of bills on the chain. An issuer registers bills one by one ([`Pallet::register`]) or
//! up to 500 at once ([`Pallet::register_batch`]), and pre-issues payment notices
//! ([`Pallet::pre_issue`]) that are confirmed when paid or voided. Field rules
//! ([`Pallet::set_field_rules`]) say what a new bill must be, and parties are linked to bills
//! ([`Pallet::link_party`]).
//!
//! ```
//! use pallet_bill_register::{AllottedCodes, FieldCheck, FieldRule};
//!
//! let rule = FieldRule { kind: None, check: FieldCheck::Allotted(AllottedCodes::All) };
//! assert!(rule.is_sound());
//! // A list without a code asks no bill.
//! let none = FieldCheck::Allotted(AllottedCodes::Only(Default::default()));
//! assert!(!FieldRule { kind: None, check: none }.is_sound());
//! ```
//!
//! # What it holds
//! One state entry a bill, [`Bills`], under code and number, which are unique
//! in law: the issuer's summary, the status, the lock, the reimbursements and
//! the hash of the newest version, and how the bill came. Links to parties are
//! an entry of their own, [`BillLinks`], of the bills that have any. The pallet
//! is the [`BillLedger`]: other
//! contracts change bills through it only, so every change gets a version, a
//! link of the version chain and entries in the node-local index, and is told
//! to [`Totals`](billchain_primitives::seams::Totals), which count the bills.
//!
//! # What it promises
//! A bill stands under a key once. Its summary passed the field rules when it
//! came onto the chain. Who may do what, and where it leads, is data of the
//! permissions contract.
//!
//! A registration that is sent again, by the same issuer in the same way and
//! with the same content, succeeds, changes nothing and names the first one
//! ([`Event::RegistrationRepeated`]), whatever became of the bill and of the
//! rules since. With other content it is refused. See
//! `docs/decisions/0010-idempotency.md`.
//!
//! Field rules are data: those of all scenes and those of the bill's scene are
//! asked of every bill that is registered or pre-issued. Who set rules after a
//! bill came cannot keep it from being reversed, so red and balance bills are
//! not asked, except whether their number is allotted to the issuer.
//!
//! The effective policies of a bill's scene let it come: [`Policies`] is asked
//! for every bill that is registered or pre-issued, in a batch for each. Red
//! and balance bills take back what is there already, and are not asked about.
//!
//! Bills that nobody has touched for long, and their links, may be cold. They are read and changed
//! alike; who reads one is charged for it ([`ColdReads`]).
//!
//! # What it does not do
//! It neither locks nor reimburses; that is the bill-update contract. Red
//! bills and balance bills come from there, too, with the bill they reverse.
//!
//! [`Policies`]: billchain_primitives::seams::Policies
//! [`ColdReads`]: billchain_primitives::seams::ColdReads
//! [`BillLedger`]: billchain_primitives::seams::BillLedger

// Over 500 lines: the macro wants storage, events, errors and calls in one module,
// and their documentation is what clients read in the metadata.

#![forbid(unsafe_code)]

pub mod types;
pub mod weights;

mod batch;
mod ledger;
mod links;
#[cfg(test)]
mod mock;
mod notices;
mod registration;
mod required;
mod rules;
#[cfg(test)]
mod tests;

pub use links::{
    Link, LinkAct, LinkChange, LinkHistoryProblem, LinkRecord, Links, MAX_LINKS, PartyBill,
    Relation, record_key, records_prefix,
};
pub use pallet::*;
pub use rules::{
    AllottedCodes, BillField, FieldCheck, FieldRule, FieldRuleSet, FieldRules, MAX_FIELD_RULES,
    MAX_PARTS, OptionalField, rule_set_key, unsound,
};
pub use types::{Batch, BatchMode, MAX_BATCH};
pub use weights::WeightInfo;

use frame::{prelude::*, try_runtime::TryRuntimeError};
use links::Revision;
use registration::Way;

#[frame::pallet]
pub mod pallet {
    use super::*;
    use billchain_primitives::{
        AccountId, Bill, BillKey, BillKind, BillStatus, BillSummary, BlockNumber, Did, Fen, Moment,
        Reason, SceneId, Stamp, Uscc,
        seams::{
            AccessNodes, Allotments, ColdReads, Outbox, ParticipantProblem, Participants, Policies,
            PolicyId, Scenes, SummaryProblem, Totals, TransitionProblem, TransitionRules,
        },
    };
    use frame::traits::Time;

    /// Storage layout of this pallet.
    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// What the runtime provides.
    #[pallet::config]
    pub trait Config:
        frame_system::Config<RuntimeEvent: From<Event<Self>>, AccountId = AccountId>
    {
        /// Who sets field rules.
        type AdminOrigin: EnsureOrigin<Self::RuntimeOrigin>;
        /// Who acts on the chain.
        type Participants: Participants;
        /// The business scenes.
        type Scenes: Scenes;
        /// The access nodes of issuers.
        type AccessNodes: AccessNodes;
        /// The status machine as data.
        type Rules: TransitionRules;
        /// The policies in force.
        type Policies: Policies;
        /// Which numbers an issuer may use.
        type Allotments: Allotments;
        /// What the bills sum up to.
        type Totals: Totals;
        /// Who has to be told outside.
        type Outbox: Outbox;
        /// What reading a cold bill costs.
        type ColdReads: ColdReads;
        /// Time of the block.
        type Time: Time<Moment = Moment>;
        /// Cost of the calls.
        type WeightInfo: WeightInfo;
    }

    /// The bills. The key is hashed with the identity so that bills of one
    /// code lie together, in the order of their numbers; the state commitment
    /// hashes keys itself, so nobody can unbalance it with chosen numbers.
    #[pallet::storage]
    pub type Bills<T: Config> = StorageMap<_, Identity, BillKey, Bill>;

    /// Transaction of this block that touched a bill last, and how many it has
    /// touched. Numbers the entries of the node-local index; gone at the end
    /// of the block.
    #[pallet::storage]
    #[pallet::whitelist_storage]
    pub type Touched<T: Config> = StorageValue<_, (u32, u32), ValueQuery>;

    /// The field rules in force, by scene; under `None` those of all scenes.
    #[pallet::storage]
    pub type FieldRuleSets<T: Config> = StorageMap<_, Twox64Concat, Option<SceneId>, FieldRuleSet>;

    /// The links of the bills that have any. Keys as in [`Bills`].
    #[pallet::storage]
    pub type BillLinks<T: Config> = StorageMap<_, Identity, BillKey, Links, ValueQuery>;

    /// First field rules.
    #[pallet::genesis_config]
    #[derive(frame::prelude::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// The rules of a scene; without a scene, those of all.
        pub field_rules: Vec<(Option<SceneId>, FieldRules)>,
        /// No data.
        #[serde(skip)]
        pub phantom: PhantomData<T>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            for (scene, rules) in &self.field_rules {
                assert_eq!(rules::unsound(rules), None, "field rules of {scene:?}: unsound");
                assert!(!FieldRuleSets::<T>::contains_key(scene), "{scene:?} stands twice");
                let set = FieldRuleSet {
                    version: 1,
                    rules: rules.clone(),
                    operator: None,
                    at: Stamp::default(),
                };
                FieldRuleSets::<T>::insert(scene, set);
            }
        }
    }

    /// What this pallet tells the world.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A bill came onto the chain, as version 1.
        BillRegistered {
            /// Code and number of the bill.
            key: BillKey,
            /// Sort of document.
            kind: BillKind,
            /// Status it begins with.
            status: BillStatus,
            /// The participant that issued it and sent the transaction.
            issuer: Did,
            /// Its business scene.
            scene: SceneId,
            /// Its total, in fen.
            total: Fen,
            /// The blue bill that it reverses or replaces, if it does.
            related: Option<BillKey>,
            /// Hash of version 1.
            version_hash: [u8; 32],
        },
        /// A bill was registered although the last character of its issuer's
        /// 统一社会信用代码 is not the check digit of GB 32100. A warning: real
        /// bills with such codes exist.
        UsccCheckDigitMismatch {
            /// Code and number of the bill.
            key: BillKey,
            /// The code as given.
            uscc: Uscc,
        },
        /// A bill of a batch was refused; the others are not affected.
        BatchItemRefused {
            /// Its place in the batch, from 0.
            index: u16,
            /// Its code and number.
            key: BillKey,
            /// Why it was refused.
            problem: SummaryProblem,
        },
        /// A batch was worked off.
        BatchCompleted {
            /// The participant that sent it.
            issuer: Did,
            /// Number of bills registered.
            registered: u32,
            /// Number of bills refused.
            refused: u32,
            /// Number of bills that had been registered before, with the same
            /// content.
            repeated: u32,
        },
        /// A pre-issued payment notice was paid and is a bill now.
        NoticeConfirmed {
            /// Code and number of the notice.
            key: BillKey,
            /// The participant that confirmed the payment.
            operator: Did,
            /// Status that followed.
            status: BillStatus,
            /// Version that this made.
            version: u32,
        },
        /// A pre-issued payment notice was voided.
        NoticeVoided {
            /// Code and number of the notice.
            key: BillKey,
            /// The participant that voided it.
            operator: Did,
            /// Why.
            reason: Reason,
            /// Status that followed.
            status: BillStatus,
            /// Version that this made.
            version: u32,
        },
        /// A bill of a batch was refused by a policy; the others are not
        /// affected.
        BatchItemDenied {
            /// Its place in the batch, from 0.
            index: u16,
            /// Its code and number.
            key: BillKey,
            /// The policy that refused it.
            policy: PolicyId,
            /// The effective version of that policy.
            version: u32,
        },
        /// A registration was sent again and changed nothing.
        RegistrationRepeated {
            /// Its place in the batch, from 0; `None`: it came alone.
            index: Option<u16>,
            /// Code and number of the bill.
            key: BillKey,
            /// The participant that issued it and sent both transactions.
            issuer: Did,
            /// Block of the first transaction, which made version 1.
            block: BlockNumber,
            /// Index of the first transaction in its block.
            extrinsic: u32,
            /// SM3 of the summary that both registered.
            content_hash: [u8; 32],
            /// Version the bill has now.
            version: u32,
        },
        /// A bill of a batch was refused by a field rule; the others are not
        /// affected.
        BatchItemFieldRefused {
            /// Its place in the batch, from 0.
            index: u16,
            /// Its code and number.
            key: BillKey,
            /// The field that breaks the rule.
            field: BillField,
        },
        /// The field rules of a scene, or of all scenes, were replaced.
        FieldRulesSet {
            /// The scene; `None`: all.
            scene: Option<SceneId>,
            /// Version of the rules, from 1.
            version: u32,
            /// The rules.
            rules: FieldRules,
            /// Account that set them; absent for the council.
            operator: Option<AccountId>,
        },
        /// A party was linked to a bill.
        PartyLinked {
            /// Code and number of the bill.
            key: BillKey,
            /// The party.
            party: Did,
            /// What it is to the bill.
            relation: Relation,
            /// The participant that linked them.
            operator: Did,
        },
        /// The link of a party to a bill was changed or ended.
        LinkUpdated {
            /// Code and number of the bill.
            key: BillKey,
            /// The party.
            party: Did,
            /// What it was to the bill.
            relation: Relation,
            /// What became of that.
            change: LinkChange,
            /// Why.
            reason: Reason,
            /// The participant that changed it.
            operator: Did,
        },
    }

    /// Why a call is refused.
    #[pallet::error]
    pub enum Error<T> {
        /// The sender may not act, for this reason.
        Sender(ParticipantProblem),
        /// The bill cannot come onto the chain, for this reason.
        Bill(SummaryProblem),
        /// The transition rules of the bill's scene do not let the sender do
        /// that to the bill, for this reason.
        Transition(TransitionProblem),
        /// The transition rule in force leads to a status that this operation
        /// cannot bring about; an administrator has to correct the rule.
        RuleUnusable,
        /// The notice's issuer is not the sender.
        NotIssuer,
        /// The batch is empty.
        EmptyBatch,
        /// A bill of an all-or-nothing batch was refused, so all were.
        BatchItem {
            /// Its place in the batch, from 0.
            index: u16,
            /// Why it was refused.
            problem: SummaryProblem,
        },
        /// No bill has this code and number.
        BillNotFound,
        /// The bill is not a pre-issued notice.
        NotPreIssued,
        /// This effective policy refuses the bill; `policy_get` shows it.
        PolicyDenied(PolicyId),
        /// An effective policy refuses a bill of an all-or-nothing batch, so
        /// all were refused; `policy_evaluate` says which policy.
        BatchItemDenied {
            /// The bill's place in the batch, from 0.
            index: u16,
        },
        /// The bill breaks a field rule; `bill_fieldRules` shows the rules.
        FieldRule {
            /// The field that breaks it.
            field: BillField,
        },
        /// A bill of an all-or-nothing batch breaks a field rule, so all were
        /// refused.
        BatchItemFieldRule {
            /// The bill's place in the batch, from 0.
            index: u16,
            /// The field that breaks it.
            field: BillField,
        },
        /// No bill can keep this field rule, or none is asked: its list is
        /// empty, its bounds are negative or exclude each other, or it is for
        /// red bills.
        UnsoundFieldRule {
            /// The rule's place among those given, from 0.
            index: u8,
        },
        /// There is no such scene.
        SceneNotFound,
        /// The field rules have another version than the one expected: someone
        /// changed them meanwhile.
        StaleFieldRules,
        /// Only the bill's issuer and administrators say who its parties are.
        LinkForbidden,
        /// The party may not act, for this reason.
        Party(ParticipantProblem),
        /// The party stands in this relation to the bill already.
        AlreadyLinked,
        /// The bill has as many links as it may.
        TooManyLinks,
        /// The party does not stand in this relation to the bill.
        LinkNotFound,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_initialize(_: BlockNumberFor<T>) -> Weight {
            // For `on_finalize`.
            T::DbWeight::get().writes(1)
        }

        fn on_finalize(_: BlockNumberFor<T>) {
            Touched::<T>::kill();
        }

        fn integrity_test() {
            assert!(Bill::max_encoded_len() < 2048, "a bill takes less than 2 KB of state");
            assert!(MAX_BATCH <= u32::from(u16::MAX), "a place in a batch is a u16");
            assert!(MAX_FIELD_RULES <= u32::from(u8::MAX), "a place among rules is a u8");
        }

        fn try_state(_: BlockNumberFor<T>) -> Result<(), TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Puts a bill onto the chain.
        ///
        /// The sender is an active participant whom the rules let register,
        /// and the bill's issuer. Blue bills and notices that were paid at
        /// once come this way. What was registered before with the same content
        /// deposits [`Event::RegistrationRepeated`].
        ///
        /// # Origin
        /// The bill's issuer, whom the transition rules let register.
        ///
        /// # Errors
        /// `Sender`, `Bill`, `FieldRule`, `PolicyDenied`.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::register())]
        pub fn register(origin: OriginFor<T>, summary: BillSummary) -> DispatchResult {
            Self::open_one(origin, summary, Way::REGISTER)
        }

        /// Puts up to 500 bills onto the chain.
        ///
        /// Bills are worked off in their order, each under the rules of
        /// [`Self::register`]. What a refused one means for the others, `mode`
        /// says: under [`BatchMode::PerItem`] each refused one deposits
        /// [`Event::BatchItemRefused`], [`Event::BatchItemFieldRefused`] where a
        /// field rule refuses it, or [`Event::BatchItemDenied`] where a policy
        /// does. One that was registered before is no refusal. Each bill leaves
        /// exactly one of these events, [`Event::BillRegistered`] or
        /// [`Event::RegistrationRepeated`], in the order of the batch.
        ///
        /// # Origin
        /// As for `register`, of every bill.
        ///
        /// # Errors
        /// `Sender`, `EmptyBatch`, `BatchItem`, `BatchItemFieldRule`,
        /// `BatchItemDenied`.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::register_batch(bills.len() as u32))]
        pub fn register_batch(
            origin: OriginFor<T>,
            bills: Batch,
            mode: BatchMode,
        ) -> DispatchResult {
            Self::open_batch(T::Participants::signer::<Error<T>>(origin)?, bills, mode)
        }

        /// Puts a payment notice (电子缴款书) onto the chain before it is paid.
        ///
        /// # Origin
        /// The notice's issuer, whom the transition rules let pre-issue.
        ///
        /// # Errors
        /// `Sender`, `Bill`, `FieldRule`, `PolicyDenied`.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::pre_issue())]
        pub fn pre_issue(origin: OriginFor<T>, notice: BillSummary) -> DispatchResult {
            Self::open_one(origin, notice, Way::PRE_ISSUE)
        }

        /// Makes a pre-issued notice, which was paid, a bill. Its issuer does.
        ///
        /// # Origin
        /// The notice's issuer.
        ///
        /// # Errors
        /// `Sender`, `BillNotFound`, `Transition`, `NotPreIssued`, `NotIssuer`,
        /// `RuleUnusable`.
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::confirm())]
        pub fn confirm(origin: OriginFor<T>, key: BillKey) -> DispatchResult {
            Self::confirm_notice(&T::Participants::signer::<Error<T>>(origin)?, key)
        }

        /// Voids a pre-issued notice, which was not paid. Its issuer does.
        ///
        /// # Origin
        /// The notice's issuer.
        ///
        /// # Errors
        /// `Sender`, `BillNotFound`, `Transition`, `NotPreIssued`, `NotIssuer`,
        /// `RuleUnusable`.
        #[pallet::call_index(4)]
        #[pallet::weight(T::WeightInfo::void())]
        pub fn void(origin: OriginFor<T>, key: BillKey, reason: Reason) -> DispatchResult {
            Self::void_notice(&T::Participants::signer::<Error<T>>(origin)?, key, reason)
        }

        /// Replaces the field rules of a scene, or those of all scenes, as a
        /// whole; without rules, bills are asked for nothing more.
        ///
        /// `expected_version`, if given, is the version that the sender has
        /// seen; 0: none was set. Bills on the chain are not asked again.
        ///
        /// # Origin
        /// `AdminOrigin`.
        ///
        /// # Errors
        /// `SceneNotFound`, `UnsoundFieldRule`, `StaleFieldRules`.
        #[pallet::call_index(5)]
        #[pallet::weight(T::WeightInfo::set_field_rules(rules.len() as u32))]
        pub fn set_field_rules(
            origin: OriginFor<T>,
            scene: Option<SceneId>,
            expected_version: Option<u32>,
            rules: FieldRules,
        ) -> DispatchResult {
            T::AdminOrigin::ensure_origin(origin.clone())?;
            Self::replace_rules(ensure_signed(origin).ok(), scene, expected_version, rules)
        }

        /// Links a party to a bill whose status is not final.
        ///
        /// The sender is the bill's issuer or an administrator; the party is an
        /// active participant.
        ///
        /// # Origin
        /// The bill's issuer, or an administrator.
        ///
        /// # Errors
        /// `Sender`, `BillNotFound`, `LinkForbidden`, `Transition`, `Party`,
        /// `AlreadyLinked`, `TooManyLinks`.
        #[pallet::call_index(6)]
        #[pallet::weight(T::WeightInfo::link_party())]
        pub fn link_party(
            origin: OriginFor<T>,
            key: BillKey,
            party: Did,
            relation: Relation,
        ) -> DispatchResult {
            Self::link(T::Participants::signer::<Error<T>>(origin)?, key, party, relation)
        }

        /// Changes what a party is to a bill, or ends the link, with a reason,
        /// whatever the states of bill and party: what is wrong can always be
        /// put right.
        ///
        /// # Origin
        /// The bill's issuer, or an administrator.
        ///
        /// # Errors
        /// `Sender`, `BillNotFound`, `LinkForbidden`, `LinkNotFound`, `AlreadyLinked`,
        /// `TooManyLinks`.
        #[pallet::call_index(7)]
        #[pallet::weight(T::WeightInfo::update_link())]
        pub fn update_link(
            origin: OriginFor<T>,
            key: BillKey,
            party: Did,
            relation: Relation,
            change: LinkChange,
            reason: Reason,
        ) -> DispatchResult {
            let sender = T::Participants::signer::<Error<T>>(origin)?;
            Self::revise_link(sender, Revision { key, party, relation, change, reason })
        }
    }
}

impl<T> From<billchain_primitives::seams::ParticipantProblem> for Error<T> {
    fn from(problem: billchain_primitives::seams::ParticipantProblem) -> Self {
        Self::Sender(problem)
    }
}
