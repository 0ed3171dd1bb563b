//! Registration of bills on the chain: 票据登记上链智能合约.
//!
//! Fulfils these rows of the tender's list:
//! - 220 票据摘要数据上链模块: 提供票据上链合约方法，组装票据上链字段 … 字段校验操作：校验票据字段业务规则.
//! - 221 票据链上索引模块: 将票据的唯一标识及关键信息（如票据三码、开票方等）转化为区块链可识别的key-value结构.
//! - 222 “票据-参与方”关联管理模块: 根据票据索引，查询该票据所关联的参与方.
//! - 196: 支持一次性开具多张电子票据 … 一个批次最多只能接收500笔.
//! - 219: what the scene of a bill requires of it.
//! - 217: the access nodes (业务接入节点) of the issuer, where the scene asks for
//!   one.
//! - 199: 预开具电子缴款书 … 缴款确认后生成完整电子缴款书 … 作废预开具未缴款的电子缴款书.
//!
//! # What it holds
//! One state entry a bill, [`Bills`], under code and number, which are unique
//! in law: the issuer's summary, the status, the lock, the reimbursements and
//! the hash of the newest version. The pallet is the [`BillLedger`]: other
//! contracts change bills through it only, so every change gets a version, a
//! link of the version chain and entries in the node-local index.
//!
//! # What it promises
//! A bill stands under a key once. Its summary passed the field rules when it
//! came onto the chain. Who may do what, and where it leads, is data of the
//! permissions contract.
//!
//! The effective policies of a bill's scene let it come: [`Policies`] is asked
//! for every bill that is registered or pre-issued, in a batch for each. Red
//! and balance bills take back what is there already, and are not asked about.
//!
//! # What it does not do
//! It neither locks nor reimburses; that is the bill-update contract. Red
//! bills and balance bills come from there, too, with the bill they reverse.
//!
//! [`Policies`]: billchain_primitives::traits::Policies
//! [`BillLedger`]: billchain_primitives::traits::BillLedger

#![forbid(unsafe_code)]

pub mod types;
pub mod weights;

mod ledger;
#[cfg(test)]
mod mock;
mod required;
#[cfg(test)]
mod tests;

pub use pallet::*;
pub use types::{Batch, BatchMode, MAX_BATCH};
pub use weights::WeightInfo;

use frame::{prelude::*, try_runtime::TryRuntimeError};

#[frame::pallet]
pub mod pallet {
    use super::*;
    use billchain_primitives::{
        AccountId, BillKey, BillKind, BillStatus, BillSummary, Did, Fen, Moment, Operation, Reason,
        SceneId, Target, Uscc,
        history::{Cause, Entry},
        rule::{BillFacts, Guarded},
        traits::{
            AccessNodes, ActiveParticipant, Bill, BillLedger, ParticipantProblem,
            ParticipantStatus, Participants, Policies, PolicyId, PolicyRefusal, RuleProblem,
            Scenes, SummaryProblem, TransitionRules,
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
    }

    /// Why a call is refused.
    #[pallet::error]
    pub enum Error<T> {
        /// The sender's account belongs to no participant.
        NotParticipant,
        /// The sender is a participant, but frozen.
        ParticipantFrozen,
        /// The sender is a participant, but cancelled.
        ParticipantCancelled,
        /// The sender's roles do not allow the operation.
        RoleForbidden,
        /// The transition rules know no such operation from the bill's status.
        IllegalTransition,
        /// The bill's status is final.
        FinalStatus,
        /// The transition rule in force leads to a status that this operation
        /// cannot bring about; an administrator has to correct the rule.
        RuleUnusable,
        /// A bill with this code and number is on the chain.
        AlreadyExists,
        /// There is no such scene.
        SceneNotFound,
        /// The scene is not active.
        SceneInactive,
        /// The bill's issuer is not the sender.
        NotIssuer,
        /// This call does not take a bill of this kind: `register` takes blue
        /// bills and paid notices, `pre_issue` notices; red bills come from
        /// `billUpdate.red_reverse`.
        KindNotAllowed,
        /// The total is negative, which only a red bill's may be.
        TotalOutOfRange,
        /// The issue date is later than tomorrow, in UTC+8.
        DateInFuture,
        /// The bill names a related bill; only red and balance bills do, and
        /// those come from `billUpdate.red_reverse`.
        RelatedNotAllowed,
        /// The hash of the XML original is zero.
        XmlHashMissing,
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
        /// The bill's scene asks for an access node, and none is linked to the
        /// issuer. An administrator links one.
        AccessNodeNotLinked,
        /// The bill's scene asks for an access node, and every one that is
        /// linked to the issuer is paused or disabled.
        AccessNodeInactive,
        /// This effective policy refuses the bill; `policy_get` shows it.
        PolicyDenied(PolicyId),
        /// An effective policy refuses a bill of an all-or-nothing batch, so
        /// all were refused; `policy_evaluate` says which policy.
        BatchItemDenied {
            /// The bill's place in the batch, from 0.
            index: u16,
        },
        /// The scene requires the payer's reference, which is zero.
        PayerRefMissing,
        /// The scene requires the hash of the business number, which is zero.
        BizNoHashMissing,
        /// The scene requires the hash of the PDF, which is zero.
        PdfHashMissing,
        /// The scene requires the hash of where the originals lie, which is
        /// zero.
        LocationHashMissing,
    }

    impl<T> From<SummaryProblem> for Error<T> {
        fn from(problem: SummaryProblem) -> Self {
            match problem {
                SummaryProblem::AlreadyExists => Self::AlreadyExists,
                SummaryProblem::SceneNotFound => Self::SceneNotFound,
                SummaryProblem::SceneInactive => Self::SceneInactive,
                SummaryProblem::NotIssuer => Self::NotIssuer,
                SummaryProblem::KindNotAllowed => Self::KindNotAllowed,
                SummaryProblem::TotalOutOfRange => Self::TotalOutOfRange,
                SummaryProblem::DateInFuture => Self::DateInFuture,
                SummaryProblem::RelatedNotAllowed => Self::RelatedNotAllowed,
                SummaryProblem::XmlHashMissing => Self::XmlHashMissing,
                SummaryProblem::AccessNodeNotLinked => Self::AccessNodeNotLinked,
                SummaryProblem::AccessNodeInactive => Self::AccessNodeInactive,
                SummaryProblem::PayerRefMissing => Self::PayerRefMissing,
                SummaryProblem::BizNoHashMissing => Self::BizNoHashMissing,
                SummaryProblem::PdfHashMissing => Self::PdfHashMissing,
                SummaryProblem::LocationHashMissing => Self::LocationHashMissing,
            }
        }
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
        /// once come this way.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::register())]
        pub fn register(origin: OriginFor<T>, summary: BillSummary) -> DispatchResult {
            Self::open_one(origin, summary, Operation::Register, Guarded::Register)
        }

        /// Puts up to 500 bills onto the chain.
        ///
        /// Bills are worked off in their order, each under the rules of
        /// [`Self::register`]. What a refused one means for the others, `mode`
        /// says: under [`BatchMode::PerItem`] each refused one deposits
        /// [`Event::BatchItemRefused`], or [`Event::BatchItemDenied`] where a
        /// policy refuses it.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::register_batch(bills.len() as u32))]
        pub fn register_batch(
            origin: OriginFor<T>,
            bills: Batch,
            mode: BatchMode,
        ) -> DispatchResult {
            let sender = Self::ensure_participant(origin)?;
            ensure!(!bills.is_empty(), Error::<T>::EmptyBatch);
            let status = Self::ensure_rule(None, Operation::Register, &sender)?;
            let entry = Entry::plain(Cause::Operation(Operation::Register), sender.did);

            let (mut registered, mut refused) = (0_u32, 0_u32);
            for (index, summary) in (0_u16..).zip(bills) {
                let key = summary.key;
                if let Err(refusal) = Self::judge(&summary, Guarded::Register, &entry.operator) {
                    ensure!(mode == BatchMode::PerItem, Error::<T>::BatchItemDenied { index });
                    refused += 1;
                    let PolicyRefusal { policy, version } = refusal;
                    Self::deposit_event(Event::BatchItemDenied { index, key, policy, version });
                    continue;
                }
                match (Self::open(summary, status, entry.clone()), mode) {
                    (Ok(()), _) => registered += 1,
                    // The storage layer of the call takes back what was written.
                    (Err(problem), BatchMode::AllOrNothing) => {
                        return Err(Error::<T>::BatchItem { index, problem }.into());
                    }
                    (Err(problem), BatchMode::PerItem) => {
                        refused += 1;
                        Self::deposit_event(Event::BatchItemRefused { index, key, problem });
                    }
                }
            }
            Self::deposit_event(Event::BatchCompleted {
                issuer: entry.operator,
                registered,
                refused,
            });
            Ok(())
        }

        /// Puts a payment notice (电子缴款书) onto the chain before it is paid.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::pre_issue())]
        pub fn pre_issue(origin: OriginFor<T>, notice: BillSummary) -> DispatchResult {
            Self::open_one(origin, notice, Operation::PreIssue, Guarded::PreIssue)
        }

        /// Makes a pre-issued notice, which was paid, a bill. Its issuer does.
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::confirm())]
        pub fn confirm(origin: OriginFor<T>, key: BillKey) -> DispatchResult {
            let (bill, operator) = Self::advance_notice(origin, key, Operation::Confirm, None)?;
            let (status, version) = (bill.state.status, bill.state.version);
            Self::deposit_event(Event::NoticeConfirmed { key, operator, status, version });
            Ok(())
        }

        /// Voids a pre-issued notice, which was not paid. Its issuer does.
        #[pallet::call_index(4)]
        #[pallet::weight(T::WeightInfo::void())]
        pub fn void(origin: OriginFor<T>, key: BillKey, reason: Reason) -> DispatchResult {
            let (bill, operator) =
                Self::advance_notice(origin, key, Operation::Void, Some(reason.clone()))?;
            let (status, version) = (bill.state.status, bill.state.version);
            Self::deposit_event(Event::NoticeVoided { key, operator, reason, status, version });
            Ok(())
        }
    }

    impl<T: Config> Pallet<T> {
        fn open_one(
            origin: OriginFor<T>,
            summary: BillSummary,
            operation: Operation,
            guarded: Guarded,
        ) -> DispatchResult {
            let sender = Self::ensure_participant(origin)?;
            let status = Self::ensure_rule(None, operation, &sender)?;
            Self::judge(&summary, guarded, &sender.did)
                .map_err(|refusal| Error::<T>::PolicyDenied(refusal.policy))?;
            let entry = Entry::plain(Cause::Operation(operation), sender.did);
            Self::open(summary, status, entry).map_err(Error::<T>::from)?;
            Ok(())
        }

        /// Whether the policies of the bill's scene let it come.
        fn judge(
            summary: &BillSummary,
            operation: Guarded,
            operator: &Did,
        ) -> Result<(), PolicyRefusal> {
            let now = T::Time::now();
            T::Policies::evaluate(&BillFacts { operation, summary, operator, now, claim: None })
        }

        fn advance_notice(
            origin: OriginFor<T>,
            key: BillKey,
            operation: Operation,
            reason: Option<Reason>,
        ) -> Result<(Bill, Did), DispatchError> {
            let sender = Self::ensure_participant(origin)?;
            let mut bill = Bills::<T>::get(key).ok_or(Error::<T>::BillNotFound)?;
            let status = Self::ensure_rule(Some(bill.state.status), operation, &sender)?;
            // A normal bill is voided under its scene's policy, which is the
            // bill-update contract's affair.
            ensure!(bill.state.status == BillStatus::PreIssued, Error::<T>::NotPreIssued);
            ensure!(bill.summary.issuer == sender.did, Error::<T>::NotIssuer);
            bill.state.status = status;
            ensure!(bill.inconsistency().is_none(), Error::<T>::RuleUnusable);
            let cause = Cause::Operation(operation);
            let entry = Entry { cause, operator: sender.did, reason, evidence: None };
            let operator = entry.operator.clone();
            Ok((Self::advance(bill, entry)?, operator))
        }

        fn ensure_participant(origin: OriginFor<T>) -> Result<ActiveParticipant, DispatchError> {
            let account = ensure_signed(origin)?;
            T::Participants::active_by_account(&account).map_err(|problem| {
                match problem {
                    ParticipantProblem::NotActive(ParticipantStatus::Frozen) => {
                        Error::<T>::ParticipantFrozen
                    }
                    ParticipantProblem::NotActive(ParticipantStatus::Cancelled) => {
                        Error::<T>::ParticipantCancelled
                    }
                    ParticipantProblem::NotActive(ParticipantStatus::Active)
                    | ParticipantProblem::NotFound => Error::<T>::NotParticipant,
                }
                .into()
            })
        }

        fn ensure_rule(
            from: Option<BillStatus>,
            operation: Operation,
            sender: &ActiveParticipant,
        ) -> Result<BillStatus, Error<T>> {
            match T::Rules::check(from, operation, sender.roles) {
                Ok(Target::Status(status)) => Ok(status),
                Ok(_) => Err(Error::<T>::RuleUnusable),
                Err(RuleProblem::FinalStatus) => Err(Error::<T>::FinalStatus),
                Err(RuleProblem::IllegalTransition) => Err(Error::<T>::IllegalTransition),
                Err(RuleProblem::RoleForbidden) => Err(Error::<T>::RoleForbidden),
            }
        }
    }
}
