//! Changes of bills on the chain: 票据更新上链智能合约.
//!
//! Fulfils these rows of the tender's list:
//! - 224 票据摘要数据更新模块: 提供票据信息更新合约方法 … 通过该合约更新票据信息及状态.
//! - 225 版本控制与差异记录: 每个数据版本生成唯一哈希值，通过链式结构关联历史版本，确保可追溯性.
//! - 226 票据状态变更合约模块: 合约状态变更与权限管理模块联动，基于权限和智能合约规则进行状态变更.
//! - 227 票据链上索引更新: 票据更新后重新建立链上票据索引Key-value.
//! - 119, 197: 冲红 … 返回两张票据，一张为负数的全量冲红票据，另一张为新开具的差额票据.
//! - 173, 174: locking for a claim, reimbursement and its result.
//! - 76, 130: a claimant locks with a valid grant of the bill's holder, or because it is on the
//!   scene's whitelist (白名单免授权).
//! - 223: 用票方对同一张票据进行锁定; who wins within a block, the dispute contract decides.
//!
//! # What it promises
//! - One holder at most has a bill locked; who comes second is refused, and
//!   [`Pallet::lock_in_force`] says who came first.
//! - The sum reimbursed never exceeds the total, and a scene reimburses once.
//! - A lock names the grant that allowed it, and the grant's history names the lock. What becomes
//!   of the grant later does not touch a lock that stands.
//! - A change that expects a version is refused if the bill has another.
//! - The effective policies of the claim's scene let every lock and every
//!   reimbursement happen, or it is refused with the policy's number.
//! - Every change makes one version of the bill's version chain.
//!
//! # How
//! Where an operation leads from a status, and for which roles, is data of the
//! permissions contract. Locks expire without a timer: one whose time is over
//! counts as released, and is when its bill is touched next. That release is a
//! version of its own, so a change on top of it makes two.
//!
//! # What it does not do
//! It keeps no state: bills lie with the ledger, the bill-register contract.

#![forbid(unsafe_code)]

pub mod types;
pub mod weights;

mod machine;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

pub use pallet::*;
pub use types::{Mismatch, StatusChange};
pub use weights::WeightInfo;

use frame::prelude::*;

// A call is decoded once and consumed at once: what its largest variant takes
// costs nothing, and clients build it without boxes.
#[allow(clippy::large_enum_variant)]
#[frame::pallet]
pub mod pallet {
    use super::*;
    use billchain_primitives::{
        AccountId, BillKey, BillKind, BillStatus, BillSummary, ClaimNo, Did, Fen, Moment,
        Operation, Reason, Role, SceneId,
        history::{Cause, Entry},
        traits::{
            ActiveParticipant, Bill, BillLedger, BillLocks, Contention, GrantId, Grants, Lock,
            LockPurpose, Participants, Policies, PolicyId, Scenes, SummaryProblem, TransitionRules,
        },
    };
    use frame::traits::Time;

    #[pallet::pallet]
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
        /// Cost of the calls.
        type WeightInfo: WeightInfo;
    }

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
        /// No bill has this code and number.
        BillNotFound,
        /// The bill has another version than the one expected: someone changed
        /// it meanwhile.
        StaleVersion,
        /// The transition rules know no such operation from the bill's status.
        IllegalTransition,
        /// The bill's status is final: nothing may follow.
        FinalStatus,
        /// The sender's roles do not allow the operation.
        RoleForbidden,
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
        /// There is no such scene.
        SceneNotFound,
        /// The scene is not active.
        SceneInactive,
        /// The claimant is not on the scene's whitelist and has no grant.
        GrantRequired,
        /// Only a platform may lock on behalf of a user.
        NotPlatform,
        /// The participant that is to hold the lock has not the role of a
        /// user.
        HolderNotUser,
        /// The participant that is to hold the lock does not exist or is not
        /// active.
        HolderNotActive,
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
        /// No grant has the id that the lock names.
        GrantNotFound,
        /// The grant authorises another participant than the claimant.
        GrantWrongSubject,
        /// The grant was revoked.
        GrantRevoked,
        /// The grant is frozen; its holder can activate it.
        GrantFrozen,
        /// The grant's time has not begun.
        GrantNotYetValid,
        /// The grant's time is over.
        GrantExpired,
        /// The grant's holder is frozen or cancelled.
        GrantHolderNotActive,
        /// The holder's key was replaced after the grant was registered: the
        /// holder has to authorise anew.
        GrantHolderKeyChanged,
        /// The claimant's key was replaced after the grant was registered: the
        /// holder has to authorise anew.
        GrantSubjectKeyChanged,
        /// The grant is for other bills or another scene.
        GrantOutOfScope,
        /// The grant's history is full: the holder has to authorise anew.
        GrantExhausted,
        /// This effective policy refuses the lock or the reimbursement;
        /// `policy_get` shows it.
        PolicyDenied(PolicyId),
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            assert!(
                StatusChange::max_encoded_len() < 1024,
                "a change fits a transaction many times"
            );
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Changes a bill's status.
        ///
        /// `expected_version`, if given, is the version the sender has seen;
        /// the release of an expired lock does not count. Conditions are those
        /// of [`StatusChange`] and of the transition rules.
        #[pallet::call_index(0)]
        #[pallet::weight(match change.grant() {
            Some(_) => T::WeightInfo::lock_with_grant(),
            None => T::WeightInfo::change_status(),
        })]
        pub fn change_status(
            origin: OriginFor<T>,
            key: BillKey,
            expected_version: Option<u32>,
            change: StatusChange,
        ) -> DispatchResult {
            Self::apply(Self::participant(origin)?, key, expected_version, change)
        }

        /// Reverses a bill in red (冲红): adds the red bill over minus its
        /// total and, where not all is refunded, the balance bill.
        ///
        /// The sender is the bill's issuer. Both new bills name the reversed
        /// one as related.
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
            const OPERATION: Operation = Operation::RedReverse;
            let sender = Self::participant(origin)?;
            let bill = T::Ledger::bill(&key).ok_or(Error::<T>::BillNotFound)?;
            let seen = bill.state.version;
            let (mut blue, released) = Self::settle(bill, &sender.did)?;
            let expired = Self::note_expiry(&blue, released, &sender.did);

            let target = Self::rule(Some(blue.state.status), OPERATION, sender.roles)?;
            ensure!(blue.summary.kind != BillKind::Red, Error::<T>::RedBillFixed);
            ensure!(blue.summary.issuer == sender.did, Error::<T>::NotIssuer);
            let current = if expired { seen } else { blue.state.version };
            ensure!(expected_version.is_none_or(|v| v == current), Error::<T>::StaleVersion);
            Self::ensure_reversal_fits(&blue.summary, &red, balance.as_ref())?;
            blue.state.status = Self::named(target)?;
            ensure!(blue.state.status == BillStatus::RedReversed, Error::<T>::RuleUnusable);
            ensure!(blue.inconsistency().is_none(), Error::<T>::RuleUnusable);
            let opening = Self::named(Self::rule(None, OPERATION, sender.roles)?)?;
            ensure!(opening == BillStatus::Normal, Error::<T>::RuleUnusable);

            let entry = Entry::reasoned(OPERATION, sender.did.clone(), reason.clone());
            let (red_key, balance_key) = (red.key, balance.as_ref().map(|balance| balance.key));
            T::Ledger::open(red, opening, entry.clone()).map_err(Error::<T>::RedBill)?;
            if let Some(balance) = balance {
                T::Ledger::open(balance, opening, entry.clone())
                    .map_err(Error::<T>::BalanceBill)?;
            }
            let version = T::Ledger::advance(blue, entry)?.state.version;
            Self::deposit_event(Event::RedReversed {
                key,
                operator: sender.did,
                red: red_key,
                balance: balance_key,
                reason,
                version,
            });
            Ok(())
        }

        /// Fills in hashes that were not known when the bill was registered.
        /// Each can be filled in once, by the issuer.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::update_summary())]
        pub fn update_summary(
            origin: OriginFor<T>,
            key: BillKey,
            expected_version: Option<u32>,
            pdf_hash: Option<[u8; 32]>,
            location_hash: Option<[u8; 32]>,
        ) -> DispatchResult {
            let sender = Self::participant(origin)?;
            let mut bill = T::Ledger::bill(&key).ok_or(Error::<T>::BillNotFound)?;
            ensure!(!bill.state.status.is_final(), Error::<T>::FinalStatus);
            ensure!(sender.roles.contains(Role::Issuer), Error::<T>::RoleForbidden);
            ensure!(bill.summary.issuer == sender.did, Error::<T>::NotIssuer);
            Self::ensure_version(&bill, expected_version)?;
            ensure!(pdf_hash.is_some() || location_hash.is_some(), Error::<T>::NothingToUpdate);
            for (field, given) in [
                (&mut bill.summary.pdf_hash, pdf_hash),
                (&mut bill.summary.location_hash, location_hash),
            ] {
                let Some(hash) = given else { continue };
                ensure!(hash != [0; 32], Error::<T>::HashZero);
                ensure!(*field == [0; 32], Error::<T>::AlreadyFilled);
                *field = hash;
            }
            let entry = Entry::plain(Cause::Summary, sender.did.clone());
            let version = T::Ledger::advance(bill, entry)?.state.version;
            Self::deposit_event(Event::SummaryUpdated {
                key,
                operator: sender.did,
                pdf_hash,
                location_hash,
                version,
            });
            Ok(())
        }
    }

    impl<T: Config> Pallet<T> {
        /// The lock of a bill, unless it is expired: who holds it, for what
        /// and until when. What an RPC shows to a claimant that was refused.
        pub fn lock_in_force(key: &BillKey) -> Option<Lock> {
            Self::bill_in_force(key)?.state.lock
        }

        /// The bill as the next transaction finds it: an expired lock counts
        /// as released, though the version is still the stored one.
        pub fn bill_in_force(key: &BillKey) -> Option<Bill> {
            let bill = T::Ledger::bill(key)?;
            Some(match Self::settled(&bill, T::Time::now()) {
                Some((settled, _)) => settled,
                None => bill,
            })
        }

        fn apply(
            sender: ActiveParticipant,
            key: BillKey,
            expected_version: Option<u32>,
            change: StatusChange,
        ) -> DispatchResult {
            let bill = T::Ledger::bill(&key).ok_or(Error::<T>::BillNotFound)?;
            if let StatusChange::Lock { on_behalf_of, signed_at, .. } = &change {
                let claimant = on_behalf_of.as_ref().unwrap_or(&sender.did);
                T::Contention::admit(&key, claimant, *signed_at)?;
            }
            let seen = bill.state.version;
            let (bill, released) = Self::settle(bill, &sender.did)?;
            let expired = Self::note_expiry(&bill, released, &sender.did);
            if expired && change == StatusChange::ExpireLock {
                ensure!(expected_version.is_none_or(|v| v == seen), Error::<T>::StaleVersion);
                return Ok(());
            }
            // Who saw the version before the release saw all there was to see.
            let expected =
                expected_version.map(|v| if expired && v == seen { bill.state.version } else { v });
            let before = bill.state.lock.clone();
            let Some(bill) = Self::transition(bill, &change, &sender, expected)? else {
                return Ok(());
            };
            let entry = Entry {
                cause: Cause::Operation(change.operation()),
                operator: sender.did.clone(),
                reason: change.reason().cloned(),
                evidence: change.evidence(),
            };
            let bill = T::Ledger::advance(bill, entry)?;
            // A refusal takes back what was written: the call has its own
            // storage layer.
            if change.grant().is_some() {
                Self::use_grant(&bill)?;
            }
            if let (StatusChange::Lock { .. }, Some(lock)) = (&change, &bill.state.lock) {
                T::Contention::won(&key, &lock.holder);
            }
            Self::announce(&bill, change, sender.did, before);
            Ok(())
        }

        fn note_expiry(bill: &Bill, released: Option<Lock>, operator: &Did) -> bool {
            let Some(Lock { holder, .. }) = released else { return false };
            Self::deposit_event(Event::LockExpired {
                key: bill.summary.key,
                operator: operator.clone(),
                holder,
                status: bill.state.status,
                version: bill.state.version,
            });
            true
        }

        fn announce(bill: &Bill, change: StatusChange, operator: Did, before: Option<Lock>) {
            let key = bill.summary.key;
            let (status, version) = (bill.state.status, bill.state.version);
            let event = match change {
                StatusChange::Confirm => Event::Confirmed { key, operator, version },
                StatusChange::Void { reason } => Event::Voided { key, operator, reason, version },
                StatusChange::Lock { .. } => {
                    let Some(Lock {
                        holder,
                        purpose: LockPurpose::Claim { scene, claim_no, grant },
                        expires,
                        ..
                    }) = bill.state.lock.clone()
                    else {
                        return;
                    };
                    Event::Locked {
                        key,
                        operator,
                        holder,
                        scene,
                        claim_no,
                        grant,
                        expires,
                        version,
                    }
                }
                StatusChange::Unlock { reason } => {
                    Event::Unlocked { key, operator, reason, status, version }
                }
                // Announced when the bill was settled.
                StatusChange::ExpireLock => return,
                StatusChange::AdminLock { reason, evidence } => {
                    Event::AdminLocked { key, operator, reason, evidence, version }
                }
                StatusChange::AdminUnlock { reason, evidence } => {
                    let holder = before.map(|lock| lock.holder);
                    Event::AdminUnlocked {
                        key,
                        operator,
                        holder,
                        reason,
                        evidence,
                        status,
                        version,
                    }
                }
                StatusChange::Reimburse { amount } => {
                    let reimbursed = bill.reimbursed();
                    Event::Reimbursed { key, payer: operator, amount, reimbursed, status, version }
                }
                StatusChange::ReverseUse { reason, approval } => {
                    let reimbursed = bill.reimbursed();
                    Event::UseReversed {
                        key,
                        payer: operator,
                        reason,
                        approval,
                        reimbursed,
                        status,
                        version,
                    }
                }
            };
            Self::deposit_event(event);
        }
    }

    impl<T: Config> BillLocks for Pallet<T> {
        fn claimant(sender: &ActiveParticipant, user: Option<&Did>) -> Result<Did, DispatchError> {
            Ok(Self::claimant(sender, user)?)
        }

        fn admin_lock(
            sender: ActiveParticipant,
            key: BillKey,
            reason: Reason,
            evidence: [u8; 32],
        ) -> DispatchResult {
            Self::apply(sender, key, None, StatusChange::AdminLock { reason, evidence })
        }

        fn admin_unlock(
            sender: ActiveParticipant,
            key: BillKey,
            reason: Reason,
            evidence: [u8; 32],
        ) -> DispatchResult {
            Self::apply(sender, key, None, StatusChange::AdminUnlock { reason, evidence })
        }
    }
}
