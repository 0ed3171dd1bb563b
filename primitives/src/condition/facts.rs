//! What is known of a bill and an operation when conditions are evaluated.

use super::{Field, Guarded, Region, Value};
use crate::{BillSummary, ClaimNo, ConditionText, Did, Fen, IssueDate, IssueTime, Moment, SceneId};
use std::collections::BTreeMap;

/// Where an evaluation finds the values of fields.
pub trait Facts {
    /// The field's value, of the field's type; `None` if the operation has
    /// none. Deterministic.
    fn get(&self, field: Field) -> Option<Value>;
}

/// Facts by hand, for a simulation.
impl Facts for BTreeMap<Field, Value> {
    fn get(&self, field: Field) -> Option<Value> {
        BTreeMap::get(self, &field).cloned()
    }
}

/// What a claimant wants with a bill.
#[derive(Clone, Copy, Debug)]
pub struct ClaimFacts<'a> {
    /// Scene of the claim.
    pub scene: SceneId,
    /// 用票方: who holds the lock, or is to hold it.
    pub claimant: &'a Did,
    /// 报销单号.
    pub claim_no: &'a ClaimNo,
    /// Sum of the reimbursements so far.
    pub reimbursed: Fen,
    /// How much is to be reimbursed; `None`: the bill is to be locked.
    pub amount: Option<Fen>,
}

/// A bill and what is about to happen to it.
#[derive(Clone, Copy, Debug)]
pub struct BillFacts<'a> {
    /// What is about to happen.
    pub operation: Guarded,
    /// The bill.
    pub summary: &'a BillSummary,
    /// Who sends the transaction.
    pub operator: &'a Did,
    /// Time of the block.
    pub now: Moment,
    /// The claim, exactly when the operation is a lock or a reimbursement.
    pub claim: Option<ClaimFacts<'a>>,
}

impl BillFacts<'_> {
    /// Scene whose policies decide: the claim's where there is one, else the
    /// bill's.
    pub fn scene(&self) -> SceneId {
        self.claim.map_or(self.summary.scene, |claim| claim.scene)
    }
}

fn text(text: &str) -> Option<Value> {
    ConditionText::new(text).ok().map(Value::Text)
}

fn time_of_day(now: Moment) -> Option<Value> {
    const HOUR: u64 = 3_600;
    let second = (now / 1_000).checked_add(8 * HOUR)? % (24 * HOUR);
    let digits = second / HOUR * 10_000 + second / 60 % 60 * 100 + second % 60;
    IssueTime::new(u32::try_from(digits).ok()?).ok().map(Value::Time)
}

fn age_days(issued: IssueDate, now: Moment) -> Option<Value> {
    let today = i64::try_from(IssueDate::days_of_moment(now)).ok()?;
    let issued = i64::try_from(issued.days()).ok()?;
    today.checked_sub(issued).map(Value::Number)
}

impl Facts for BillFacts<'_> {
    fn get(&self, field: Field) -> Option<Value> {
        let Self { summary, claim, .. } = self;
        match field {
            Field::Scene => Some(Value::Scene(self.scene())),
            Field::BillScene => Some(Value::Scene(summary.scene)),
            Field::Now => Some(Value::Moment(self.now)),
            Field::TimeOfDay => time_of_day(self.now),
            Field::Operator => Some(Value::Did(self.operator.clone())),
            Field::Issuer => Some(Value::Did(summary.issuer.clone())),
            Field::IssuerUscc => text(summary.issuer_uscc.as_str()),
            Field::Region => {
                let [first, second, ..] = *summary.key.code.as_bytes();
                Region::new([first, second]).ok().map(Value::Region)
            }
            Field::BillType => text(summary.key.code.as_str().get(2..6)?),
            Field::BillCode => text(summary.key.code.as_str()),
            Field::BillNumber => text(summary.key.number.as_str()),
            Field::Kind => Some(Value::Kind(summary.kind)),
            Field::PayerType => Some(Value::Payer(summary.payer_type)),
            Field::IssueDate => Some(Value::Date(summary.issue_date)),
            Field::IssueTime => Some(Value::Time(summary.issue_time)),
            Field::AgeDays => age_days(summary.issue_date, self.now),
            Field::Total => Some(Value::Fen(summary.total)),
            Field::Claimant => Some(Value::Did(claim.as_ref()?.claimant.clone())),
            Field::ClaimNo => text(claim.as_ref()?.claim_no.as_str()),
            Field::Reimbursed => Some(Value::Fen(claim.as_ref()?.reimbursed)),
            Field::Remaining => {
                summary.total.checked_sub(claim.as_ref()?.reimbursed).map(Value::Fen)
            }
            Field::Amount => claim.as_ref()?.amount.map(Value::Fen),
        }
    }
}
