//! The status machine a chain begins with (domain rules of fiscal electronic
//! bills; tender rows 119, 173, 174, 197, 199, 220, 223, 232).

use crate::TransitionRuleKey;
use billchain_primitives::{BillStatus, Operation, Role, RoleSet, Target};

/// The table. What is not in it is refused; conditions beyond roles (amounts,
/// holders, scenes, times) are the bill-update contract's.
pub fn default_rules() -> Vec<(TransitionRuleKey, RoleSet, Target)> {
    use BillStatus::{
        Locked, Normal, PartlyReimbursed, PreIssued, RedReversed, Reimbursed, Voided,
    };
    let issuer: &[Role] = &[Role::Issuer];
    let claimant: &[Role] = &[Role::User, Role::Platform];
    let admin: &[Role] = &[Role::Admin];
    let anyone: &[Role] = &Role::ALL;
    let to = Target::Status;
    let table: [(Option<BillStatus>, Operation, &[Role], Target); 23] = [
        (None, Operation::Register, issuer, to(Normal)),
        (None, Operation::PreIssue, issuer, to(PreIssued)),
        (Some(PreIssued), Operation::Confirm, issuer, to(Normal)),
        (Some(PreIssued), Operation::Void, issuer, to(Voided)),
        (Some(Normal), Operation::Lock, claimant, to(Locked)),
        (Some(PartlyReimbursed), Operation::Lock, claimant, to(Locked)),
        // Idempotent: the same holder, the same claim.
        (Some(Locked), Operation::Lock, claimant, to(Locked)),
        (Some(Locked), Operation::Unlock, claimant, Target::BeforeLock),
        (Some(Locked), Operation::ExpireLock, anyone, Target::BeforeLock),
        (Some(Normal), Operation::AdminLock, admin, to(Locked)),
        (Some(PartlyReimbursed), Operation::AdminLock, admin, to(Locked)),
        (Some(Locked), Operation::AdminUnlock, admin, Target::BeforeLock),
        (Some(Locked), Operation::Reimburse, claimant, Target::Reimbursement),
        (Some(Reimbursed), Operation::ReverseUse, claimant, Target::BeforeReimbursement),
        (Some(PartlyReimbursed), Operation::ReverseUse, claimant, Target::BeforeReimbursement),
        // Status of the red and the balance bill that come with a reversal.
        (None, Operation::RedReverse, issuer, to(Normal)),
        (Some(Normal), Operation::RedReverse, issuer, to(RedReversed)),
        (Some(Normal), Operation::Void, issuer, to(Voided)),
        (Some(PreIssued), Operation::Adjust, admin, Target::Named),
        (Some(Normal), Operation::Adjust, admin, Target::Named),
        (Some(Locked), Operation::Adjust, admin, Target::Named),
        (Some(PartlyReimbursed), Operation::Adjust, admin, Target::Named),
        (Some(Reimbursed), Operation::Adjust, admin, Target::Named),
    ];
    table
        .into_iter()
        .map(|(from, operation, roles, target)| {
            (TransitionRuleKey::general(from, operation), RoleSet::of(roles), target)
        })
        .collect()
}
