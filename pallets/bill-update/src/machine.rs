//! The status machine: where a change leads is data of the transition rules;
//! what it does to lock and reimbursements, and its conditions, is here.

use crate::{Config, Error, Mismatch, Pallet, StatusChange};
use billchain_primitives::{
    Bill, BillKind, BillStatus, BillSummary, ClaimNo, Did, Fen, GrantId, Lock, LockPurpose, Moment,
    Operation, Reimbursement, Role, RoleSet, SceneId, Stamp, Target,
    condition::{BillFacts, ClaimFacts, Guarded},
    history::{Cause, Entry},
    seams::{
        ActiveParticipant, BillLedger, GrantUse, Grants, Participants, Policies, ReimbursementMode,
        SceneTerms, Scenes, TransitionProblem, TransitionRules, VoidPolicy,
    },
};
use frame::{prelude::*, traits::Time};

impl<T: Config> Pallet<T> {
    /// The bill after `change` by `sender`, not yet written; `None` if the bill
    /// says already what the change asks for. A lock of `bill` is in force.
    pub(crate) fn transition(
        bill: Bill,
        change: &StatusChange,
        sender: &ActiveParticipant,
        expected_version: Option<u32>,
    ) -> Result<Option<Bill>, Error<T>> {
        let from = bill.state.status;
        let scene = match change {
            StatusChange::Lock { scene, .. } => *scene,
            _ => bill.scene_of(change.operation()),
        };
        let target = match Self::rule(Some(from), change.operation(), sender.roles, scene) {
            Err(Error::Transition(TransitionProblem::IllegalTransition))
                if change.needs_lock() && from != BillStatus::Locked =>
            {
                return Err(Error::NotLocked);
            }
            other => other?,
        };
        ensure!(bill.summary.kind != BillKind::Red, Error::RedBillFixed);
        // Who contends for a locked bill learns of the lock, not of the version
        // that the lock made; a repeated lock succeeds whatever it expects.
        if let (StatusChange::Lock { scene, claim_no, on_behalf_of, grant, .. }, Some(lock)) =
            (change, &bill.state.lock)
        {
            let claim =
                LockPurpose::Claim { scene: *scene, claim_no: claim_no.clone(), grant: *grant };
            let wanted = on_behalf_of.as_ref().unwrap_or(&sender.did);
            Self::ensure_same_claim(lock, wanted, &claim)?;
            // Nobody else's lock is repeated in its name, except by a platform.
            Self::claimant(sender, on_behalf_of.as_ref())?;
            return Ok(None);
        }
        Self::ensure_version(&bill, expected_version)?;
        ensure!(change.evidence() != Some([0; 32]), Error::EvidenceMissing);
        Self::changed(bill, change, sender, target).map(Some)
    }

    /// The bill after a change that the rules allow: what each change asks for
    /// besides, and what it does to lock and reimbursements.
    fn changed(
        mut bill: Bill,
        change: &StatusChange,
        sender: &ActiveParticipant,
        target: Target,
    ) -> Result<Bill, Error<T>> {
        let from = bill.state.status;
        bill.state.status = match change {
            StatusChange::Confirm => {
                ensure!(bill.summary.issuer == sender.did, Error::NotIssuer);
                Self::named(target)?
            }
            StatusChange::Void { .. } => {
                ensure!(bill.summary.issuer == sender.did, Error::NotIssuer);
                if from != BillStatus::PreIssued {
                    let policy = Self::scene(bill.summary.scene)?.void;
                    ensure!(policy == VoidPolicy::Allowed, Error::VoidNotAllowed);
                }
                Self::named(target)?
            }
            StatusChange::Lock { scene, claim_no, on_behalf_of, grant, .. } => {
                let holder = Self::claimant(sender, on_behalf_of.as_ref())?;
                let lock = Self::claim(&bill, holder, *scene, claim_no.clone(), *grant)?;
                Self::judge(&bill, &lock, sender, None)?;
                bill.state.lock = Some(lock);
                Self::named(target)?
            }
            StatusChange::AdminLock { evidence, .. } => {
                bill.state.lock = Some(Lock {
                    holder: sender.did.clone(),
                    purpose: LockPurpose::Administrative { evidence: *evidence },
                    version: bill.state.version.saturating_add(1),
                    at: Self::stamp(),
                    expires: None,
                    before: from,
                });
                Self::named(target)?
            }
            StatusChange::Unlock { .. } => {
                Self::ensure_holder(&bill, sender)?;
                Self::release(&mut bill, target)?
            }
            StatusChange::ExpireLock => {
                // One whose time is over was released before this was asked.
                ensure!(bill.state.lock.is_none(), Error::LockNotExpired);
                return Err(Error::NotLocked);
            }
            StatusChange::AdminUnlock { .. } => Self::release(&mut bill, target)?,
            StatusChange::Reimburse { amount } => {
                Self::reimburse(&mut bill, sender, *amount, target)?
            }
            StatusChange::ReverseUse { .. } => Self::reverse_use(&mut bill, sender, target)?,
        };
        ensure!(bill.inconsistency().is_none(), Error::RuleUnusable);
        Ok(bill)
    }

    /// Releases the lock of `bill` if its time is over and the rules have it
    /// released; this makes a version of its own. Returns the bill as it is
    /// then, and the lock that was released.
    pub(crate) fn settle(
        bill: Bill,
        operator: &Did,
    ) -> Result<(Bill, Option<Lock>), DispatchError> {
        let Some((mut settled, lock)) = Self::settled(&bill, T::Time::now()) else {
            return Ok((bill, None));
        };
        let cause = Cause::Operation(Operation::ExpireLock);
        settled = T::Ledger::advance(settled, Entry::plain(cause, operator.clone()))?;
        Ok((settled, Some(lock)))
    }

    /// The bill without its lock, if that is over at `now`.
    pub(crate) fn settled(bill: &Bill, now: Moment) -> Option<(Bill, Lock)> {
        let lock = bill.state.lock.clone().filter(|lock| lock.is_expired(now))?;
        // Anyone may expire a lock, so the roles do not matter here.
        let (status, scene) = (Some(bill.state.status), bill.scene_of(Operation::ExpireLock));
        let target = Self::rule(status, Operation::ExpireLock, RoleSet::ALL, scene).ok()?;
        let mut bill = bill.clone();
        bill.state.status = Self::release(&mut bill, target).ok()?;
        bill.inconsistency().is_none().then_some((bill, lock))
    }

    /// Whether the red and the balance bill fit the bill they reverse.
    pub(crate) fn ensure_reversal_fits(
        blue: &BillSummary,
        red: &BillSummary,
        balance: Option<&BillSummary>,
    ) -> Result<(), Error<T>> {
        fit(blue, red, BillKind::Red, red.total == blue.total.negated())
            .map_err(Error::RedMismatch)?;
        match balance {
            Some(balance) => fit(blue, balance, blue.kind, balance.total <= blue.total)
                .map_err(Error::BalanceMismatch),
            None => Ok(()),
        }
    }

    pub(crate) fn ensure_version(bill: &Bill, expected: Option<u32>) -> Result<(), Error<T>> {
        let current = expected.is_none_or(|expected| expected == bill.state.version);
        ensure!(current, Error::StaleVersion);
        Ok(())
    }

    /// The transaction that runs.
    pub(crate) fn stamp() -> Stamp {
        Stamp {
            block: frame_system::Pallet::<T>::block_number().saturated_into(),
            extrinsic: frame_system::Pallet::<T>::extrinsic_index(),
            moment: T::Time::now(),
        }
    }

    pub(crate) fn rule(
        from: Option<BillStatus>,
        operation: Operation,
        roles: RoleSet,
        scene: SceneId,
    ) -> Result<Target, Error<T>> {
        T::Rules::check(from, operation, roles, scene).map_err(Error::Transition)
    }

    pub(crate) fn named(target: Target) -> Result<BillStatus, Error<T>> {
        match target {
            Target::Status(status) => Ok(status),
            _ => Err(Error::RuleUnusable),
        }
    }

    fn scene(scene: SceneId) -> Result<SceneTerms, Error<T>> {
        T::Scenes::active(scene).map_err(Error::Scene)
    }

    /// Who holds a lock that `sender` asks for.
    pub(crate) fn claimant(
        sender: &ActiveParticipant,
        user: Option<&Did>,
    ) -> Result<Did, Error<T>> {
        let Some(user) = user.filter(|user| **user != sender.did) else {
            ensure!(sender.roles.contains(Role::User), Error::HolderNotUser);
            return Ok(sender.did.clone());
        };
        ensure!(sender.roles.contains(Role::Platform), Error::NotPlatform);
        let user = T::Participants::active_by_did(user).map_err(Error::Holder)?;
        ensure!(user.roles.contains(Role::User), Error::HolderNotUser);
        Ok(user.did)
    }

    fn claim(
        bill: &Bill,
        holder: Did,
        scene: SceneId,
        claim_no: ClaimNo,
        grant: Option<GrantId>,
    ) -> Result<Lock, Error<T>> {
        let rules = Self::scene(scene)?;
        // Whether a grant allows the claim, `use_grant` asks when all else is
        // checked.
        let allowed = grant.is_some() || T::Rules::is_whitelisted(scene, &holder);
        ensure!(allowed, Error::GrantRequired);
        let earlier = &bill.state.reimbursements;
        ensure!(earlier.iter().all(|r| r.scene != scene), Error::SceneClaimed);
        ensure!(
            earlier.is_empty() || rules.mode == ReimbursementMode::Cumulative,
            Error::SceneExclusive
        );
        ensure!(!earlier.is_full(), Error::TooManyReimbursements);
        Self::ensure_complete(bill, &rules)?;
        let at = Self::stamp();
        // A period beyond the end of time is no limit.
        let expires = at.moment.checked_add(rules.lock_period_ms);
        let purpose = LockPurpose::Claim { scene, claim_no, grant };
        // The ledger refuses a change of the last version there can be.
        let version = bill.state.version.saturating_add(1);
        Ok(Lock { holder, purpose, version, at, expires, before: bill.state.status })
    }

    /// Whether the bill has what the scene of a claim requires.
    fn ensure_complete(bill: &Bill, claim: &SceneTerms) -> Result<(), Error<T>> {
        claim
            .required
            .missing(&bill.summary)
            .map_or(Ok(()), |field| Err(Error::FieldMissing(field)))
    }

    /// Uses the grant that the lock of `bill`, just written, names.
    pub(crate) fn use_grant(bill: &Bill) -> Result<(), Error<T>> {
        let Some(Lock {
            holder: subject,
            purpose: LockPurpose::Claim { scene, grant: Some(grant), .. },
            ..
        }) = &bill.state.lock
        else {
            return Ok(());
        };
        let version = bill.state.version;
        let usage = GrantUse { subject, bill: &bill.summary, version, scene: *scene };
        T::Grants::use_for_lock(grant, usage).map_err(Error::Grant)
    }

    /// Whether the policies of the claim's scene let the bill be locked, or
    /// `amount` of it be reimbursed, under `lock`.
    fn judge(
        bill: &Bill,
        lock: &Lock,
        sender: &ActiveParticipant,
        amount: Option<Fen>,
    ) -> Result<(), Error<T>> {
        let LockPurpose::Claim { scene, ref claim_no, .. } = lock.purpose else {
            return Err(Error::LockedByAdministrator);
        };
        let operation = if amount.is_some() { Guarded::Reimburse } else { Guarded::Lock };
        let claim = ClaimFacts {
            scene,
            claimant: &lock.holder,
            claim_no,
            reimbursed: bill.reimbursed(),
            amount,
        };
        T::Policies::evaluate(&BillFacts {
            operation,
            summary: &bill.summary,
            operator: &sender.did,
            now: T::Time::now(),
            claim: Some(claim),
        })
        .map_err(|refusal| Error::PolicyDenied(refusal.policy))
    }

    fn ensure_same_claim(
        lock: &Lock,
        claimant: &Did,
        wanted: &LockPurpose,
    ) -> Result<(), Error<T>> {
        if let LockPurpose::Administrative { .. } = lock.purpose {
            return Err(Error::LockedByAdministrator);
        }
        ensure!(lock.holder == *claimant, Error::LockedByOther);
        ensure!(lock.purpose == *wanted, Error::LockedForOtherClaim);
        Ok(())
    }

    /// The scene of the claim for which `sender` holds the lock.
    fn ensure_holder(bill: &Bill, sender: &ActiveParticipant) -> Result<SceneId, Error<T>> {
        let lock = bill.state.lock.as_ref().ok_or(Error::NotLocked)?;
        let LockPurpose::Claim { scene, .. } = lock.purpose else {
            return Err(Error::LockedByAdministrator);
        };
        ensure!(lock.holder == sender.did, Error::LockedByOther);
        Ok(scene)
    }

    fn release(bill: &mut Bill, target: Target) -> Result<BillStatus, Error<T>> {
        let lock = bill.state.lock.take().ok_or(Error::NotLocked)?;
        match target {
            Target::BeforeLock => Ok(lock.before),
            other => Self::named(other),
        }
    }

    fn reimburse(
        bill: &mut Bill,
        sender: &ActiveParticipant,
        amount: Fen,
        target: Target,
    ) -> Result<BillStatus, Error<T>> {
        let scene = Self::ensure_holder(bill, sender)?;
        let rules = Self::scene(scene)?;
        Self::ensure_complete(bill, &rules)?;
        let remaining =
            bill.summary.total.checked_sub(bill.reimbursed()).ok_or(Error::AmountExceeded)?;
        ensure!(amount > Fen::ZERO, Error::AmountNotPositive);
        ensure!(amount <= remaining, Error::AmountExceeded);
        if let Some(lock) = &bill.state.lock {
            Self::judge(bill, lock, sender, Some(amount))?;
        }
        let lock = bill.state.lock.take().ok_or(Error::NotLocked)?;
        let reimbursement =
            Reimbursement { payer: lock.holder, scene, amount, before: lock.before };
        bill.state
            .reimbursements
            .try_push(reimbursement)
            .map_err(|_| Error::TooManyReimbursements)?;
        match target {
            Target::Reimbursement
                if amount < remaining && rules.mode == ReimbursementMode::Cumulative =>
            {
                Ok(BillStatus::PartlyReimbursed)
            }
            Target::Reimbursement => Ok(BillStatus::Reimbursed),
            other => Self::named(other),
        }
    }

    fn reverse_use(
        bill: &mut Bill,
        sender: &ActiveParticipant,
        target: Target,
    ) -> Result<BillStatus, Error<T>> {
        // Only the last one, so that each `before` stays true.
        let last = bill.state.reimbursements.pop().ok_or(Error::RuleUnusable)?;
        ensure!(last.payer == sender.did, Error::NotLastPayer);
        match target {
            Target::BeforeReimbursement => Ok(last.before),
            other => Self::named(other),
        }
    }
}

fn fit(
    blue: &BillSummary,
    new: &BillSummary,
    kind: BillKind,
    total_fits: bool,
) -> Result<(), Mismatch> {
    let checks = [
        (new.kind == kind, Mismatch::Kind),
        (new.related == Some(blue.key), Mismatch::Related),
        (new.issuer == blue.issuer, Mismatch::Issuer),
        (new.issuer_uscc == blue.issuer_uscc, Mismatch::IssuerUscc),
        (new.scene == blue.scene, Mismatch::Scene),
        (total_fits, Mismatch::Total),
    ];
    match checks.into_iter().find(|(fits, _)| !fits) {
        Some((_, mismatch)) => Err(mismatch),
        None => Ok(()),
    }
}
