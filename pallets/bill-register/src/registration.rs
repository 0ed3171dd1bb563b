//! How a new bill is judged, and how one that is sent again is recognised.

use crate::{BillField, Config, Error, Event, FieldRuleSets, Pallet, rules::Numbering};
use billchain_primitives::{
    BillStatus, BillSummary, Operation, Target,
    condition::{BillFacts, Guarded},
    history::{Cause, Entry},
    seams::{
        ActiveParticipant, BillLedger, Participants, Policies, PolicyRefusal, SummaryProblem,
        TransitionRules,
    },
};
use frame::{prelude::*, traits::Time};

/// How a bill is to come.
#[derive(Clone, Copy)]
pub(crate) struct Way {
    operation: Operation,
    guarded: Guarded,
}

impl Way {
    pub(crate) const REGISTER: Self =
        Self { operation: Operation::Register, guarded: Guarded::Register };
    pub(crate) const PRE_ISSUE: Self =
        Self { operation: Operation::PreIssue, guarded: Guarded::PreIssue };
}

/// Why a bill is refused.
pub(crate) enum Refusal {
    /// By the rules that hold for every bill.
    Summary(SummaryProblem),
    /// By a field rule.
    Field(BillField),
    /// By a policy.
    Policy(PolicyRefusal),
}

impl<T> From<Refusal> for Error<T> {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Summary(problem) => Self::Bill(problem),
            Refusal::Field(field) => Self::FieldRule { field },
            Refusal::Policy(refusal) => Self::PolicyDenied(refusal.policy),
        }
    }
}

impl<T: Config> Pallet<T> {
    pub(crate) fn open_one(origin: OriginFor<T>, summary: BillSummary, way: Way) -> DispatchResult {
        let sender = T::Participants::signer::<Error<T>>(origin)?;
        if Self::note_repeated(&summary, way, &sender, None) {
            return Ok(());
        }
        Self::admit(summary, way, &sender).map_err(Error::<T>::from)?;
        Ok(())
    }

    /// Whether this very registration has been made, by the same sender in the
    /// same way; if so, says by which transaction.
    ///
    /// Rules that came since are not asked: the answer is about what was done,
    /// and a sender that lost the first one has a right to it.
    pub(crate) fn note_repeated(
        summary: &BillSummary,
        way: Way,
        sender: &ActiveParticipant,
        index: Option<u16>,
    ) -> bool {
        // Only its issuer can have registered it.
        if summary.issuer != sender.did {
            return false;
        }
        let Some(bill) = Self::bill(&summary.key) else { return false };
        let receipt = bill.receipt;
        let same = receipt.operation == way.operation && bill.registered() == *summary;
        if same {
            Self::deposit_event(Event::RegistrationRepeated {
                index,
                key: summary.key,
                issuer: sender.did.clone(),
                block: receipt.block,
                extrinsic: receipt.extrinsic,
                content_hash: summary.content_hash(),
                version: bill.state.version,
            });
        }
        same
    }

    /// Puts a bill onto the chain if every rule lets it come. Writes nothing if
    /// one does not.
    pub(crate) fn admit(
        summary: BillSummary,
        way: Way,
        sender: &ActiveParticipant,
    ) -> Result<(), Refusal> {
        let (operator, now) = (&sender.did, T::Time::now());
        let status = Self::opening(&summary, way, sender).map_err(Refusal::Summary)?;
        let mut numbering = Numbering::Free;
        for scene in [None, Some(summary.scene)] {
            let Some(rules) = FieldRuleSets::<T>::get(scene) else { continue };
            if let Some(field) = rules.broken_by(&summary, now) {
                return Err(Refusal::Field(field));
            }
            if rules.asks_for_allotted_number(&summary) {
                numbering = Numbering::Allotted;
            }
        }
        let operation = way.guarded;
        let facts = BillFacts { operation, summary: &summary, operator, now, claim: None };
        T::Policies::evaluate(&facts).map_err(Refusal::Policy)?;
        let entry = Entry::plain(Cause::Operation(way.operation), operator.clone());
        Self::put_new(summary, status, entry, numbering).map_err(Refusal::Summary)
    }

    /// The status with which a new bill begins, by the rules of its scene.
    fn opening(
        summary: &BillSummary,
        way: Way,
        sender: &ActiveParticipant,
    ) -> Result<BillStatus, SummaryProblem> {
        match T::Rules::check(None, way.operation, sender.roles, summary.scene)? {
            Target::Status(status) => Ok(status),
            _ => Err(SummaryProblem::RuleUnusable),
        }
    }
}
