//! # Bill update contract (票据更新上链智能合约)
//!
//! Changes of bills on the chain. A claimant locks a bill, reimburses it or gives the lock back
//! ([`Pallet::change_status`]); an issuer reverses a bill in red ([`Pallet::red_reverse`]) or fills in
//! hashes ([`Pallet::update_summary`]); two administrators adjust a bill by hand
//! ([`Pallet::propose_adjustment`]). Changes of status and summary come in batches of up to 500, too.
//!
//! ```
//! use billchain_primitives::Operation;
//! use pallet_bill_update::StatusChange;
//!
//! let unlock = StatusChange::Unlock { reason: "the claim was withdrawn".parse().unwrap() };
//! assert_eq!(unlock.operation(), Operation::Unlock);
//! assert_eq!(StatusChange::ExpireLock.operation(), Operation::ExpireLock);
//! ```
//!
//! # What it promises
//! - One holder at most has a bill locked; who comes second is refused, and
//!   [`Pallet::lock_in_force`] says who came first.
//! - The sum reimbursed never exceeds the total, and a scene reimburses once.
//! - A lock names the grant that allowed it, and the grant's history names the lock. What becomes
//!   of the grant later does not touch a lock that stands.
//! - A change that expects a version is refused if the bill has another.
//! - A lock that its holder asks for again, for the same claim, is answered with the version, time
//!   and transaction of the first: who lost the connection just sends again.
//! - An adjustment takes two administrators, who are different participants, the second of whom
//!   approves exactly what the first proposed, of a bill that has not changed since.
//! - A bill is locked and reimbursed only if it has the fields that the claim's scene requires,
//!   which may be more than those that its own scene required when it came.
//! - The effective policies of the claim's scene let every lock and every
//!   reimbursement happen, or it is refused with the policy's number.
//! - Every change makes one version of the bill's version chain.
//!
//! # How
//! Where an operation leads from a status in a scene, and for which roles, is data of the
//! permissions contract. The scene is the claim's for locks, reimbursements and what undoes them,
//! the bill's for all else. Locks expire without a timer: one whose time is over
//! counts as released, and is when its bill's status changes next. That release is a
//! version of its own, so a change on top of it makes two.
//!
//! Reads show a bill as the next transaction finds it ([`Pallet::bill_in_force`]).
//!
//! # What it holds
//! [`Adjustments`], one at most a bill, until they are approved or withdrawn. Bills lie with the
//! ledger, the bill-register contract.

// Over 500 lines: the macro wants storage, events, errors and calls in one module,
// and their documentation is what clients read in the metadata.

#![forbid(unsafe_code)]

pub mod types;
pub mod weights;

mod adjustment;
mod batch;
mod changes;
mod machine;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

pub use pallet::*;
pub use types::{
    Adjustment, Mismatch, StatusBatch, StatusChange, StatusItem, SummaryBatch, SummaryItem,
};
pub use weights::WeightInfo;

use frame::{prelude::*, try_runtime::TryRuntimeError};

// A call is decoded once and consumed at once: what its largest variant takes
// costs nothing, and clients build it without boxes.
#[allow(clippy::large_enum_variant)]
#[frame::pallet]
pub mod pallet {
    use super::*;
    use billchain_primitives::{
        AccountId, BatchMode, BillKey, BillStatus, BillSummary, ClaimNo, Did, Element, Elements,
        ErrorIndex, Fen, GrantId, Hash, Moment, Reason, SceneId, Stamp, SummaryField,
        seams::{
            BillLedger, Contention, GrantProblem, Grants, ParticipantProblem, Participants,
            Policies, PolicyId, SceneProblem, Scenes, SummaryProblem, TransitionProblem,
            TransitionRules,
        },
    };
    use frame::traits::Time;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// What the runtime provides.
    #[pallet::config]
    pub trait Config:
        frame_system::Config<RuntimeEvent: From<Event<Self>>, AccountId = AccountId>
    {
        /// Where bills are kept.
        type Ledger: BillLedger;
        /// Who acts on the chain.
        type Participants: Participants;
        /// The business scenes.
        type Scenes: Scenes;
        /// The status machine as data.
        type Rules: TransitionRules;
        /// The authorisations of holders of bills.
        type Grants: Grants;
        /// The policies in force.
        type Policies: Policies;
        /// Who gets a bill that several want in one block.
        type Contention: Contention;
        /// Time of the block.
        type Time: Time<Moment = Moment>;
        /// Most adjustments that wait for their second administrator.
        #[pallet::constant]
        type MaxAdjustments: Get<u32>;
        /// Cost of the calls.
        type WeightInfo: WeightInfo;
    }

    /// Adjustments that wait for the second administrator.
    #[pallet::storage]
    pub type Adjustments<T: Config> = CountedStorageMap<_, Identity, BillKey, Adjustment>;

    /// What this pallet tells the world.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A pre-issued notice was paid and is a bill now.
        Confirmed {
            /// Code and number of the bill.
            key: BillKey,
            /// The participant that sent the transaction.
            operator: Did,
            /// Version that this made.
            version: u32,
        },
        /// A bill was voided.
        Voided {
            /// Code and number of the bill.
            key: BillKey,
            /// The participant that sent the transaction.
            operator: Did,
            /// Why.
            reason: Reason,
            /// Version that this made.
            version: u32,
        },
        /// A bill was locked for a claim.
        Locked {
            /// Code and number of the bill.
            key: BillKey,
            /// The participant that sent the transaction.
            operator: Did,
            /// The claimant, who holds the lock.
            holder: Did,
            /// Scene of the claim.
            scene: SceneId,
            /// Number of the claim.
            claim_no: ClaimNo,
            /// The grant that was used; `None`: the whitelist allowed it.
            grant: Option<GrantId>,
            /// Last moment of the lock; `None`: it has no end.
            expires: Option<Moment>,
            /// Version that this made.
            version: u32,
        },
        /// A holder gave its lock back.
        Unlocked {
            /// Code and number of the bill.
            key: BillKey,
            /// The participant that held the lock and sent the transaction.
            operator: Did,
            /// Why.
            reason: Reason,
            /// Status that followed.
            status: BillStatus,
            /// Version that this made.
            version: u32,
        },
        /// A lock whose time was over was released.
        LockExpired {
            /// Code and number of the bill.
            key: BillKey,
            /// The participant whose transaction touched the bill.
            operator: Did,
            /// The participant that had held the lock.
            holder: Did,
            /// Status that followed.
            status: BillStatus,
            /// Version that this made.
            version: u32,
        },
        /// An administrator locked a bill.
        AdminLocked {
            /// Code and number of the bill.
            key: BillKey,
            /// The administrator.
            operator: Did,
            /// Why.
            reason: Reason,
            /// SM3 of the evidence.
            evidence: [u8; 32],
            /// Version that this made.
            version: u32,
        },
        /// An administrator released a lock.
        AdminUnlocked {
            /// Code and number of the bill.
            key: BillKey,
            /// The administrator.
            operator: Did,
            /// The participant that had held the lock.
            holder: Option<Did>,
            /// Why.
            reason: Reason,
            /// SM3 of the evidence.
            evidence: [u8; 32],
            /// Status that followed.
            status: BillStatus,
            /// Version that this made.
            version: u32,
        },
        /// A bill was reimbursed, wholly or in part, and its lock released.
        Reimbursed {
            /// Code and number of the bill.
            key: BillKey,
            /// The participant that reimbursed.
            payer: Did,
            /// How much this time, in fen.
            amount: Fen,
            /// How much in all, in fen.
            reimbursed: Fen,
            /// Status that followed.
            status: BillStatus,
            /// Version that this made.
            version: u32,
        },
        /// The last reimbursement of a bill was taken back.
        UseReversed {
            /// Code and number of the bill.
            key: BillKey,
            /// The participant that had reimbursed.
            payer: Did,
            /// Why.
            reason: Reason,
            /// SM3 of the approval.
            approval: [u8; 32],
            /// How much remains reimbursed, in fen.
            reimbursed: Fen,
            /// Status that followed.
            status: BillStatus,
            /// Version that this made.
            version: u32,
        },
        /// A bill was reversed in red.
        RedReversed {
            /// Code and number of the reversed bill.
            key: BillKey,
            /// Its issuer, which sent the transaction.
            operator: Did,
            /// The red bill.
            red: BillKey,
            /// The bill over what was not refunded, if there is one.
            balance: Option<BillKey>,
            /// Why.
            reason: Reason,
            /// Version of the reversed bill that this made.
            version: u32,
        },
        /// Hashes that were missing were filled in.
        SummaryUpdated {
            /// Code and number of the bill.
            key: BillKey,
            /// Its issuer, which sent the transaction.
            operator: Did,
            /// SM3 of the PDF, if it was filled in.
            pdf_hash: Option<[u8; 32]>,
            /// SM3 of the place of the originals, if it was filled in.
            location_hash: Option<[u8; 32]>,
            /// Version that this made.
            version: u32,
        },
        /// A lock that stands was asked for again, by its holder and for the
        /// same claim. Nothing changed; this is the receipt of the first.
        LockRepeated {
            /// Code and number of the bill.
            key: BillKey,
            /// The participant that sent the transaction.
            operator: Did,
            /// The claimant, who holds the lock.
            holder: Did,
            /// Scene of the claim.
            scene: SceneId,
            /// Number of the claim.
            claim_no: ClaimNo,
            /// When, and in which transaction, the bill was locked.
            locked: Stamp,
            /// Last moment of the lock; `None`: it has no end.
            expires: Option<Moment>,
            /// Version that the first lock made.
            version: u32,
        },
        /// An item of a batch was refused; the others are not affected.
        BatchItemRefused {
            /// Its place in the batch, from 0.
            index: u16,
            /// Code and number of its bill.
            key: BillKey,
            /// Why it was refused: the error that the same call alone has.
            error: DispatchError,
        },
        /// A batch was worked off. Each item that was done has its own event.
        BatchCompleted {
            /// The participant that sent it.
            operator: Did,
            /// Number of items done.
            applied: u32,
            /// Number of items refused.
            refused: u32,
        },
        /// An administrator proposed to adjust a bill's status by hand.
        AdjustmentProposed {
            /// Code and number of the bill.
            key: BillKey,
            /// The administrator.
            operator: Did,
            /// Names the proposal: another administrator approves it by this.
            proposal: Hash,
            /// Status of the bill.
            from: BillStatus,
            /// Status it is to have.
            to: BillStatus,
            /// Why.
            reason: Reason,
            /// SM3 of the evidence.
            evidence: [u8; 32],
            /// Version of the bill that is to be adjusted.
            version: u32,
        },
        /// A proposal was taken back or turned down.
        AdjustmentWithdrawn {
            /// Code and number of the bill.
            key: BillKey,
            /// The administrator that did.
            operator: Did,
            /// The administrator that had proposed it.
            proposer: Did,
            /// The proposal.
            proposal: Hash,
            /// Why.
            reason: Reason,
        },
        /// Two administrators adjusted a bill's status.
        Adjusted {
            /// Code and number of the bill.
            key: BillKey,
            /// The administrator that proposed it.
            proposer: Did,
            /// The administrator that approved it.
            operator: Did,
            /// The proposal.
            proposal: Hash,
            /// Status before.
            from: BillStatus,
            /// Status that followed.
            status: BillStatus,
            /// Why.
            reason: Reason,
            /// SM3 of the evidence.
            evidence: [u8; 32],
            /// Version that this made.
            version: u32,
        },
    }

    /// Why a call is refused.
    #[pallet::error]
    pub enum Error<T> {
        /// The sender may not act, for this reason.
        Sender(ParticipantProblem),
        /// No bill has this code and number.
        BillNotFound,
        /// The bill has another version than the one expected: someone changed
        /// it meanwhile.
        StaleVersion,
        /// The transition rules of the scene do not let the sender change the
        /// bill so, for this reason.
        Transition(TransitionProblem),
        /// The transition rule in force leads to a state no bill may be in; an
        /// administrator has to correct the rule.
        RuleUnusable,
        /// A red bill can neither be locked nor reimbursed, voided or
        /// reversed.
        RedBillFixed,
        /// The bill's issuer is not the sender.
        NotIssuer,
        /// The bill's scene does not allow to void normal bills.
        VoidNotAllowed,
        /// The scene cannot be claimed in, for this reason.
        Scene(SceneProblem),
        /// The claimant is not on the scene's whitelist and has no grant.
        GrantRequired,
        /// Only a platform may lock on behalf of a user.
        NotPlatform,
        /// The participant that is to hold the lock has not the role of a
        /// user.
        HolderNotUser,
        /// The participant that is to hold the lock may not act, for this
        /// reason.
        Holder(ParticipantProblem),
        /// Another participant holds the lock; `bill_get` names it.
        LockedByOther,
        /// The claimant holds the lock already, for another claim or scene or
        /// with another grant.
        LockedForOtherClaim,
        /// An administrator locked the bill.
        LockedByAdministrator,
        /// The bill is not locked, or its lock expired.
        NotLocked,
        /// The lock's time is not over.
        LockNotExpired,
        /// The scene has reimbursed this bill.
        SceneClaimed,
        /// The scene wants a bill for itself, and this one is partly
        /// reimbursed.
        SceneExclusive,
        /// The bill has as many reimbursements as it can.
        TooManyReimbursements,
        /// The amount to reimburse is not positive.
        AmountNotPositive,
        /// The amount to reimburse is more than what remains of the total.
        AmountExceeded,
        /// The sender is not the payer of the last reimbursement.
        NotLastPayer,
        /// The hash of the evidence or approval is zero.
        EvidenceMissing,
        /// The red bill does not fit the bill it reverses, in this field.
        RedMismatch(Mismatch),
        /// The balance bill does not fit the bill it replaces, in this field.
        BalanceMismatch(Mismatch),
        /// The red bill cannot come onto the chain.
        RedBill(SummaryProblem),
        /// The balance bill cannot come onto the chain.
        BalanceBill(SummaryProblem),
        /// There is nothing to fill in.
        NothingToUpdate,
        /// The hash was filled in before; that is done once.
        AlreadyFilled,
        /// A hash to fill in is zero.
        HashZero,
        /// The grant that the lock names cannot be used, for this reason.
        Grant(GrantProblem),
        /// This effective policy refuses the lock or the reimbursement;
        /// `policy_get` shows it.
        PolicyDenied(PolicyId),
        /// The batch is empty.
        EmptyBatch,
        /// An item of an all-or-nothing batch was refused, so all were.
        BatchItem {
            /// Its place in the batch, from 0.
            index: u16,
            /// The error of this contract that refused it.
            error: ErrorIndex,
        },
        /// The dispute contract refused the lock of an item of an
        /// all-or-nothing batch, so all items were refused: it was signed too
        /// far from the block's time, or another claimant got the bill.
        BatchItemContended {
            /// Its place in the batch, from 0.
            index: u16,
        },
        /// This one of the five elements (五要素) is not the bill's.
        ElementMismatch(Element),
        /// The bill has the status already that it is to be adjusted to.
        NothingToAdjust,
        /// The bill cannot be in the status that it is to be adjusted to: one
        /// without a reimbursement is not reimbursed, only a payment notice is
        /// pre-issued, and a lock is an administrator's `AdminLock`.
        AdjustmentImpossible,
        /// An adjustment of this version of the bill waits already; withdraw
        /// it first.
        AdjustmentPending,
        /// As many adjustments wait as may.
        TooManyAdjustments,
        /// No adjustment of this bill waits.
        AdjustmentNotFound,
        /// Another adjustment of this bill waits than the one named.
        AdjustmentChanged,
        /// Who proposed an adjustment cannot approve it.
        SameAdministrator,
        /// The claim's scene requires this field, which the bill lacks. Its
        /// issuer can fill in the hashes of the PDF and of where the originals
        /// lie.
        FieldMissing(SummaryField),
        /// The transition rules refused an item of an all-or-nothing batch, so
        /// all items were refused.
        BatchItemTransition {
            /// Its place in the batch, from 0.
            index: u16,
            /// Why it was refused.
            problem: TransitionProblem,
        },
        /// The grant of an item of an all-or-nothing batch cannot be used, so
        /// all items were refused.
        BatchItemGrant {
            /// Its place in the batch, from 0.
            index: u16,
            /// Why it cannot be used.
            problem: GrantProblem,
        },
        /// The bill of an item of an all-or-nothing batch lacks a field that
        /// the claim's scene requires, so all items were refused.
        BatchItemFieldMissing {
            /// Its place in the batch, from 0.
            index: u16,
            /// The field.
            field: SummaryField,
        },
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            assert!(
                StatusChange::max_encoded_len() < 1024,
                "a change fits a transaction many times"
            );
            assert!(Adjustment::max_encoded_len() < 512, "an adjustment is small");
        }

        fn try_state(_: BlockNumberFor<T>) -> Result<(), TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Changes a bill's status.
        ///
        /// `expected_version`, if given, is the version the sender has seen;
        /// the release of an expired lock does not count. Conditions are those
        /// of [`StatusChange`] and of the transition rules.
        ///
        /// # Origin
        /// An active participant whom the transition rules let make the change.
        ///
        /// # Errors
        /// `Sender`, `BillNotFound`, `Transition`, `NotLocked`, `RedBillFixed`,
        /// `StaleVersion`, `EvidenceMissing`, `RuleUnusable`, `NotIssuer`,
        /// `VoidNotAllowed`, `Scene`, `GrantRequired`, `NotPlatform`, `HolderNotUser`,
        /// `Holder`, `LockedByOther`, `LockedForOtherClaim`, `LockedByAdministrator`,
        /// `LockNotExpired`, `SceneClaimed`, `SceneExclusive`, `TooManyReimbursements`,
        /// `FieldMissing`, `PolicyDenied`, `Grant`, `AmountNotPositive`,
        /// `AmountExceeded`, `NotLastPayer`.
        #[pallet::call_index(0)]
        #[pallet::weight(change.weight::<T::WeightInfo>())]
        pub fn change_status(
            origin: OriginFor<T>,
            key: BillKey,
            expected_version: Option<u32>,
            change: StatusChange,
        ) -> DispatchResult {
            Self::apply(
                &T::Participants::signer::<Error<T>>(origin)?,
                key,
                expected_version,
                change,
            )
        }

        /// Reverses a bill in red (冲红): adds the red bill over minus its
        /// total and, where not all is refunded, the balance bill.
        ///
        /// Both new bills name the reversed one as related.
        ///
        /// # Origin
        /// The bill's issuer.
        ///
        /// # Errors
        /// `Sender`, `BillNotFound`, `Transition`, `RedBillFixed`, `NotIssuer`,
        /// `StaleVersion`, `RedMismatch`, `BalanceMismatch`, `RuleUnusable`, `RedBill`,
        /// `BalanceBill`.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::red_reverse())]
        pub fn red_reverse(
            origin: OriginFor<T>,
            key: BillKey,
            expected_version: Option<u32>,
            red: BillSummary,
            balance: Option<BillSummary>,
            reason: Reason,
        ) -> DispatchResult {
            let sender = T::Participants::signer::<Error<T>>(origin)?;
            Self::reverse_in_red(sender, key, expected_version, red, balance, reason)
        }

        /// Fills in hashes that were not known when the bill was registered.
        /// Each can be filled in once, by the issuer.
        ///
        /// # Origin
        /// The bill's issuer.
        ///
        /// # Errors
        /// `Sender`, `BillNotFound`, `Transition`, `NotIssuer`, `StaleVersion`,
        /// `NothingToUpdate`, `HashZero`, `AlreadyFilled`.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::update_summary())]
        pub fn update_summary(
            origin: OriginFor<T>,
            key: BillKey,
            expected_version: Option<u32>,
            pdf_hash: Option<[u8; 32]>,
            location_hash: Option<[u8; 32]>,
        ) -> DispatchResult {
            let item = SummaryItem { key, expected_version, pdf_hash, location_hash };
            Self::fill(&T::Participants::signer::<Error<T>>(origin)?, item)
        }

        /// Changes the status of up to 500 bills.
        ///
        /// Items are worked off in their order, each under the rules of
        /// [`Self::change_status`]. What a refused one means for the others,
        /// `mode` says: under [`BatchMode::PerItem`] each refused one deposits
        /// [`Event::BatchItemRefused`].
        ///
        /// # Origin
        /// As for `change_status`, of every bill.
        ///
        /// # Errors
        /// `Sender`, `EmptyBatch`, `BatchItem`, `BatchItemTransition`,
        /// `BatchItemGrant`, `BatchItemFieldMissing`, `BatchItemContended`.
        #[pallet::call_index(3)]
        #[pallet::weight(types::weight_of_changes::<T::WeightInfo>(changes))]
        pub fn change_status_batch(
            origin: OriginFor<T>,
            changes: StatusBatch,
            mode: BatchMode,
        ) -> DispatchResult {
            let sender = T::Participants::signer::<Error<T>>(origin)?;
            Self::in_batch(&sender, changes.into_inner(), mode, |item| {
                let StatusItem { key, expected_version, change } = item;
                Self::apply(&sender, key, expected_version, change)
            })
        }

        /// Fills in hashes of up to 500 bills, each under the rules of
        /// [`Self::update_summary`]; `mode` as for
        /// [`Self::change_status_batch`].
        ///
        /// # Origin
        /// As for `update_summary`, of every bill.
        ///
        /// # Errors
        /// `Sender`, `EmptyBatch`, `BatchItem`, `BatchItemTransition`.
        #[pallet::call_index(4)]
        #[pallet::weight(
            T::WeightInfo::update_summary().saturating_mul(updates.len().max(1) as u64)
        )]
        pub fn update_summary_batch(
            origin: OriginFor<T>,
            updates: SummaryBatch,
            mode: BatchMode,
        ) -> DispatchResult {
            let sender = T::Participants::signer::<Error<T>>(origin)?;
            Self::in_batch(&sender, updates.into_inner(), mode, |item| Self::fill(&sender, item))
        }

        /// Proposes to adjust a bill's status by hand (手动票据状态调整), where
        /// the contracts could not do what they should have.
        ///
        /// The sender is an administrator and gives the five elements (五要素)
        /// of the bill. The bill can be in the status `to`: see
        /// [`Error::AdjustmentImpossible`]. A lock is dropped; reimbursements
        /// stay where the status has some, and count no more where it has none.
        ///
        /// # Origin
        /// An administrator.
        ///
        /// # Errors
        /// `Sender`, `BillNotFound`, `Transition`, `EvidenceMissing`,
        /// `ElementMismatch`, `StaleVersion`, `RedBillFixed`, `RuleUnusable`,
        /// `NothingToAdjust`, `AdjustmentImpossible`, `AdjustmentPending`,
        /// `TooManyAdjustments`.
        #[pallet::call_index(5)]
        #[pallet::weight(T::WeightInfo::propose_adjustment())]
        pub fn propose_adjustment(
            origin: OriginFor<T>,
            elements: Elements,
            expected_version: Option<u32>,
            to: BillStatus,
            reason: Reason,
            evidence: [u8; 32],
        ) -> DispatchResult {
            let sender = T::Participants::signer::<Error<T>>(origin)?;
            Self::propose(sender, elements, expected_version, to, reason, evidence)
        }

        /// Approves an adjustment and so carries it out. The sender is another
        /// administrator than the proposer; the bill has not changed since.
        ///
        /// # Origin
        /// Another administrator than the proposer.
        ///
        /// # Errors
        /// `Sender`, `AdjustmentNotFound`, `AdjustmentChanged`, `BillNotFound`,
        /// `Transition`, `SameAdministrator`, `StaleVersion`, `RedBillFixed`,
        /// `RuleUnusable`, `NothingToAdjust`, `AdjustmentImpossible`.
        #[pallet::call_index(6)]
        #[pallet::weight(T::WeightInfo::approve_adjustment())]
        pub fn approve_adjustment(
            origin: OriginFor<T>,
            key: BillKey,
            proposal: Hash,
        ) -> DispatchResult {
            Self::approve(T::Participants::signer::<Error<T>>(origin)?, key, proposal)
        }

        /// Takes an adjustment back or turns it down. Any administrator may.
        ///
        /// # Origin
        /// An administrator.
        ///
        /// # Errors
        /// `Sender`, `Transition`, `AdjustmentNotFound`, `AdjustmentChanged`.
        #[pallet::call_index(7)]
        #[pallet::weight(T::WeightInfo::withdraw_adjustment())]
        pub fn withdraw_adjustment(
            origin: OriginFor<T>,
            key: BillKey,
            proposal: Hash,
            reason: Reason,
        ) -> DispatchResult {
            Self::withdraw(T::Participants::signer::<Error<T>>(origin)?, key, proposal, reason)
        }
    }
}

impl<T> From<billchain_primitives::seams::ParticipantProblem> for Error<T> {
    fn from(problem: billchain_primitives::seams::ParticipantProblem) -> Self {
        Self::Sender(problem)
    }
}
