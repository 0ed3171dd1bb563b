//! The bills as other contracts see them, and the node-local index that
//! follows them.

use crate::{
    Bills, Config, Event, FieldRuleSets, Pallet, Touched,
    required::check_required,
    rules::{Numbering, unsound},
    types::check_fields,
};
use billchain_primitives::{
    Bill, BillKey, BillKind, BillState, BillStatus, BillSummary, LockPurpose, Operation, Receipt,
    SceneId, Stamp, SummaryFields,
    history::{Cause, Entry, NO_VERSION, VersionBody, VersionRecord},
    index, lists,
    outbox::{Fact, Subject, Topic},
    seams::{
        AccessNodePolicy, AccessNodes, AccessProblem, Allotments, BillLedger, Census, ColdReads,
        Outbox, SceneProblem, Scenes, SummaryProblem, Totals,
    },
};
use codec::Encode;
use frame::{
    arithmetic::ArithmeticError, deps::sp_io::offchain_index, prelude::*, traits::Time,
    try_runtime::TryRuntimeError,
};

impl<T: Config> BillLedger for Pallet<T> {
    fn bill(key: &BillKey) -> Option<Bill> {
        let bill = Bills::<T>::get(key)?;
        T::ColdReads::charge(bill.state.updated);
        Some(bill)
    }

    fn contains(key: &BillKey) -> bool {
        Self::bill(key).is_some()
    }

    fn open(summary: BillSummary, status: BillStatus, entry: Entry) -> Result<(), SummaryProblem> {
        let numbering = Self::numbering_of(&summary);
        Self::put_new(summary, status, entry, numbering)
    }

    fn advance(mut bill: Bill, entry: Entry) -> Result<Bill, ArithmeticError> {
        bill.state.version = bill.state.version.checked_add(1).ok_or(ArithmeticError::Overflow)?;
        // What changed is said of what really stands there.
        let before = Bills::<T>::get(bill.summary.key);
        Ok(Self::write(before.as_ref(), bill, entry))
    }
}

impl<T: Config> Census for Pallet<T> {
    fn hot() -> impl Iterator<Item = Bill> {
        Bills::<T>::iter_values()
    }

    fn find(key: &BillKey) -> Option<Bill> {
        Bills::<T>::get(key)
    }
}

impl<T: Config> Pallet<T> {
    /// The operation that brings a bill, if the scene's rules and the bills at hand
    /// let it come.
    fn ensure_admissible(
        summary: &BillSummary,
        entry: &Entry,
    ) -> Result<Operation, SummaryProblem> {
        if summary.issuer != entry.operator {
            return Err(SummaryProblem::NotIssuer);
        }
        let Cause::Operation(operation) = entry.cause else {
            return Err(SummaryProblem::KindNotAllowed);
        };
        check_fields(summary, operation, T::Time::now())?;
        let rules = T::Scenes::active(summary.scene).map_err(|problem| match problem {
            SceneProblem::NotFound => SummaryProblem::SceneNotFound,
            SceneProblem::Inactive => SummaryProblem::SceneInactive,
        })?;
        check_required(summary, entry.cause, &rules)?;
        if rules.access_node == AccessNodePolicy::Required {
            T::AccessNodes::ensure_access(&summary.issuer).map_err(|problem| match problem {
                AccessProblem::NotLinked => SummaryProblem::AccessNodeNotLinked,
                AccessProblem::NodeInactive => SummaryProblem::AccessNodeInactive,
            })?;
        }
        if <Self as BillLedger>::contains(&summary.key) {
            return Err(SummaryProblem::AlreadyExists);
        }
        Self::charge_new(&summary.key);
        Ok(operation)
    }

    /// Charges a new bill for the question whether it is there, and for its group, if that may be
    /// cold and come back with it.
    ///
    /// Where others of its hundred numbers are, its group is taken for cold unless the bill of the
    /// number before is at hand: whoever issues number by number pays nothing.
    fn charge_new(key: &BillKey) {
        T::ColdReads::charge_missing();
        if !T::ColdReads::is_any() || !T::Totals::has_near(key) {
            return;
        }
        let before = key.number.before().map(|number| BillKey { number, ..*key });
        // One that may be cold itself is charged when it is read.
        if before.and_then(|before| Self::bill(&before)).is_none() {
            T::ColdReads::charge(0);
        }
    }

    /// [`BillLedger::open`] for who knows where the number comes from.
    pub(crate) fn put_new(
        summary: BillSummary,
        status: BillStatus,
        entry: Entry,
        numbering: Numbering,
    ) -> Result<(), SummaryProblem> {
        let operation = Self::ensure_admissible(&summary, &entry)?;
        // The last question, because a number that is used is written.
        if numbering == Numbering::Allotted {
            T::Allotments::use_number(&summary.issuer, &summary.key)?;
        }

        let state = BillState {
            status,
            version: 1,
            version_hash: NO_VERSION,
            lock: None,
            reimbursements: Default::default(),
            updated: 0,
        };
        let at = Self::stamp();
        let receipt = Receipt {
            operation,
            block: at.block,
            // Bills come by transactions, which have one.
            extrinsic: at.extrinsic.unwrap_or(u32::MAX),
            filled_in: SummaryFields::NONE,
        };
        let bill = Self::write(None, Bill { summary, state, receipt }, entry);
        Self::index(&bill.summary);

        let Bill { summary, state, .. } = bill;
        let BillSummary { key, kind, issuer, scene, total, related, issuer_uscc: uscc, .. } =
            summary;
        let version_hash = state.version_hash;
        Self::deposit_event(Event::BillRegistered {
            key,
            kind,
            status,
            issuer,
            scene,
            total,
            related,
            version_hash,
        });
        if !uscc.has_valid_check_digit() {
            Self::deposit_event(Event::UsccCheckDigitMismatch { key, uscc });
        }
        Ok(())
    }

    /// The transaction at hand.
    pub(crate) fn stamp() -> Stamp {
        Stamp {
            block: frame_system::Pallet::<T>::block_number().saturated_into(),
            extrinsic: frame_system::Pallet::<T>::extrinsic_index(),
            moment: T::Time::now(),
        }
    }

    /// Notes a new bill with the one it reverses or replaces.
    fn index(summary: &BillSummary) {
        let key = summary.key;
        if let Some(original) = summary.related {
            offchain_index::set(&index::related_key(&original, &key), &key.encode());
        }
    }

    /// Chains the version to the bill as it was `before`, stores the bill, counts it
    /// and notes both in the index. Nothing else writes bills.
    fn write(before: Option<&Bill>, bill: Bill, entry: Entry) -> Bill {
        let Bill { summary, state, receipt } = bill;
        let at = Self::stamp();
        let body = VersionBody {
            version: state.version,
            entry,
            at,
            summary,
            status: state.status,
            lock: state.lock,
            reimbursements: state.reimbursements,
        };
        let record = match before {
            Some(before) => VersionRecord::after(before, body),
            None => VersionRecord::first(body),
        };
        let bill = before.map_or_else(|| record.bill(receipt), |before| record.bill_after(before));
        let key = bill.summary.key;
        Bills::<T>::insert(key, &bill);
        T::Totals::changed(before, &bill);
        T::Outbox::tell(|| fact(before, &bill, &record.body.entry.cause));
        offchain_index::set(&index::history_key(&key, bill.state.version), &record.encode());
        if let Some(extrinsic) = at.extrinsic {
            let seq = Touched::<T>::mutate(|(last, count)| {
                if *last != extrinsic {
                    (*last, *count) = (extrinsic, 0);
                }
                let seq = *count;
                *count = count.saturating_add(1);
                seq
            });
            let entry = index::block_bills_key(at.block, extrinsic, seq);
            offchain_index::set(&entry, &key.encode());
        }
        Self::relist(before, &bill);
        bill
    }

    /// Moves the bill in the lists of the index: those it left, those it came
    /// to. Entries that stay are not written again.
    fn relist(before: Option<&Bill>, after: &Bill) {
        let (before, after) =
            (before.map(lists::entries).unwrap_or_default(), lists::entries(after));
        for gone in before.iter().filter(|entry| after.binary_search(entry).is_err()) {
            offchain_index::clear(gone);
        }
        for new in after.iter().filter(|entry| before.binary_search(entry).is_err()) {
            offchain_index::set(new, &[]);
        }
    }

    /// Checks what always holds, of hot bills and of those that are cold by the
    /// [`Totals`]:
    /// - a bill lies under its own key, has a version, and came by a block that
    ///   is not to come;
    /// - nothing is filled in in a bill's first version, and what was filled in
    ///   is there;
    /// - it is consistent in itself: see [`Bill::inconsistency`];
    /// - its lock was made by one of its versions;
    /// - a red or balance bill names a bill of the same issuer that was
    ///   reversed in red; a red bill's total is minus that bill's;
    /// - no other bill names a related one;
    /// - field rules are sound and have a version;
    /// - links are of bills that exist: see [`Links`](crate::Links).
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        for (key, bill) in Bills::<T>::iter() {
            ensure!(key == bill.summary.key, "a bill lies under its own key");
            Self::try_bill(&bill)?;
        }
        let mut cold = Ok(());
        T::Totals::for_each_cold(|bill| {
            if cold.is_ok() {
                cold = Self::try_bill(bill);
            }
        });
        cold?;
        for set in FieldRuleSets::<T>::iter_values() {
            ensure!(set.version >= 1, "versions of field rules begin at 1");
            ensure!(unsound(&set.rules).is_none(), "field rules are sound");
        }
        Self::try_links()
    }

    /// Checks what always holds of a bill.
    fn try_bill(bill: &Bill) -> Result<(), TryRuntimeError> {
        ensure!(bill.state.version >= 1, "versions begin at 1");
        ensure!(bill.receipt.block <= Self::stamp().block, "a bill came by a known block");
        let filled_in = bill.receipt.filled_in;
        ensure!(
            bill.state.version > 1 || filled_in == SummaryFields::NONE,
            "nothing is filled in in a bill's first version"
        );
        ensure!(filled_in.missing(&bill.summary).is_none(), "what was filled in is there");
        if let Some(broken) = bill.inconsistency() {
            return Err(TryRuntimeError::Other(broken));
        }
        if let Some(lock) = &bill.state.lock {
            let made = (2..=bill.state.version).contains(&lock.version);
            ensure!(made, "a lock was made by a version of its bill");
        }
        let Some(related) = bill.summary.related else {
            ensure!(bill.summary.kind != BillKind::Red, "a red bill names its blue one");
            return Ok(());
        };
        let original = Bills::<T>::get(related).ok_or("a related bill exists")?;
        ensure!(
            original.state.status == BillStatus::RedReversed,
            "the original of a red or balance bill is reversed"
        );
        ensure!(original.summary.issuer == bill.summary.issuer, "and of the same issuer");
        ensure!(
            bill.summary.kind != BillKind::Red
                || bill.summary.total == original.summary.total.negated(),
            "a red bill takes back exactly its original"
        );
        Ok(())
    }
}

/// What systems outside may have to hear of a version of a bill.
fn fact(before: Option<&Bill>, after: &Bill, cause: &Cause) -> Fact {
    let (summary, state) = (&after.summary, &after.state);
    // The claim's scene: of the lock that there is or was, or of the reimbursement that is taken
    // back.
    let taken_back = || Some(before?.state.reimbursements.last()?.scene);
    let lock = claimed_in(after).or_else(|| claimed_in(before?));
    Fact {
        topic: Topic::of_version(cause, before.is_none()),
        subject: Subject::Bill(summary.key),
        version: state.version,
        scene: Some(summary.scene),
        claim: lock.or_else(taken_back),
        digest: state.version_hash,
    }
}

/// In which scene a bill is locked.
fn claimed_in(bill: &Bill) -> Option<SceneId> {
    match &bill.state.lock.as_ref()?.purpose {
        LockPurpose::Claim { scene, .. } => Some(*scene),
        LockPurpose::Administrative { .. } => None,
    }
}
