//! Which calls are the chain's business.
//!
//! Everything a transaction can do is listed here by name. What FRAME's pallets
//! offer beside that — remarks, which write somebody's bytes into every node's
//! blocks for good; other senders' names; the root's acts on a chain that has no
//! root — is refused at the door, and wherever calls run within calls.

use crate::{RuntimeCall, rejection};
use frame_support::traits::Contains;
use pallet_bill_update::StatusChange;
use sp_runtime::transaction_validity::{InvalidTransaction, TransactionValidityError};

/// Most calls of a transaction, those within others counted: a motion over a
/// batch of 500 is far below.
pub const MAX_CALLS: usize = 1_024;

/// Most bills that a transaction's calls read, those of batches counted. Each may be
/// cold, which its call's weight does not hold: what it takes is added to the block's work
/// when it is read. So this bounds by how much one transaction leaves its block too full.
pub const MAX_BILLS: usize = 1_024;

/// The calls that may run, asked by FRAME for each call and each call within.
pub struct AdmittedCalls;

impl Contains<RuntimeCall> for AdmittedCalls {
    fn contains(call: &RuntimeCall) -> bool {
        use pallet_collective::Call as Council;
        use pallet_membership::Call as Membership;
        use pallet_utility::Call as Utility;
        match call {
            // None of them: remarks, and acts of the root.
            RuntimeCall::System(_) => false,
            // The proposer's, refused from anybody else by its class.
            RuntimeCall::Timestamp(call) => {
                matches!(call, pallet_timestamp::Call::set { .. })
            }
            RuntimeCall::Utility(call) => matches!(
                call,
                Utility::batch { .. }
                    | Utility::batch_all { .. }
                    | Utility::force_batch { .. }
                    | Utility::if_else { .. }
            ),
            RuntimeCall::Council(call) => matches!(
                call,
                Council::propose { .. }
                    | Council::vote { .. }
                    | Council::close { .. }
                    | Council::disapprove_proposal { .. }
                    | Council::kill { .. }
                    | Council::release_proposal_cost { .. }
            ),
            // Without the prime, who would vote for those that are silent.
            RuntimeCall::CouncilMembership(call) => matches!(
                call,
                Membership::add_member { .. }
                    | Membership::remove_member { .. }
                    | Membership::swap_member { .. }
                    | Membership::reset_members { .. }
                    | Membership::change_key { .. }
            ),
            // Our own contracts: every call of theirs. Reports of equivocations and
            // commits are the proposer's; their origin and their class refuse them from
            // anybody else.
            RuntimeCall::Validators(_)
            | RuntimeCall::Participation(_)
            | RuntimeCall::Performance(_)
            | RuntimeCall::Cooling(_)
            | RuntimeCall::Outbox(_)
            | RuntimeCall::Upgrade(_)
            | RuntimeCall::AccessLog(_)
            | RuntimeCall::Allotment(_)
            | RuntimeCall::Participant(_)
            | RuntimeCall::Permissions(_)
            | RuntimeCall::Scene(_)
            | RuntimeCall::BillRegister(_)
            | RuntimeCall::BillUpdate(_)
            | RuntimeCall::AccessNode(_)
            | RuntimeCall::Authorization(_)
            | RuntimeCall::Policy(_)
            | RuntimeCall::Dispute(_)
            | RuntimeCall::BillVerify(_) => true,
        }
    }
}

/// Refuses a transaction one of whose calls is not admitted, wherever it stands
/// in it, or that has too many of them, or of bills.
pub(crate) fn check(call: &RuntimeCall) -> Result<(), TransactionValidityError> {
    let mut left = Left { calls: MAX_CALLS, bills: MAX_BILLS };
    walk(call, &mut left)
        .map_err(|code| TransactionValidityError::Invalid(InvalidTransaction::Custom(code)))
}

/// What a transaction may still have.
struct Left {
    calls: usize,
    bills: usize,
}

/// Bills, grants and cases that a call reads by name, those of calls within not counted.
fn bills_of(call: &RuntimeCall) -> usize {
    use pallet_bill_register::Call as BillRegister;
    use pallet_bill_update::Call as BillUpdate;
    match call {
        RuntimeCall::BillRegister(BillRegister::register_batch { bills, .. }) => bills.len(),
        RuntimeCall::BillUpdate(BillUpdate::change_status { change, .. }) => read_by(change),
        RuntimeCall::BillUpdate(BillUpdate::change_status_batch { changes, .. }) => {
            changes.iter().map(|item| read_by(&item.change)).sum()
        }
        // A bill, its red one, and the balance bill.
        RuntimeCall::BillUpdate(BillUpdate::red_reverse { .. }) => 3,
        RuntimeCall::BillUpdate(BillUpdate::update_summary_batch { updates, .. }) => updates.len(),
        // Numbers among those that were used are looked up, up to so many.
        RuntimeCall::Allotment(pallet_allotment::Call::void { .. }) => {
            pallet_allotment::MAX_VOIDED_AMONG_USED as usize
        }
        RuntimeCall::Outbox(pallet_outbox::Call::retell { bills, .. }) => bills.len(),
        // A grant, or a case, and its bill.
        RuntimeCall::Authorization(_) | RuntimeCall::Dispute(_) => 2,
        RuntimeCall::BillRegister(_) | RuntimeCall::BillUpdate(_) | RuntimeCall::BillVerify(_) => 1,
        _ => 0,
    }
}

/// A bill, and the grant by which it is locked.
const fn read_by(change: &StatusChange) -> usize {
    match change {
        StatusChange::Lock { grant: Some(_), .. } => 2,
        _ => 1,
    }
}

fn walk(call: &RuntimeCall, left: &mut Left) -> Result<(), u8> {
    use pallet_utility::Call as Utility;
    left.calls = left.calls.checked_sub(1).ok_or(rejection::TOO_MANY_CALLS)?;
    left.bills = left.bills.checked_sub(bills_of(call)).ok_or(rejection::TOO_MANY_BILLS)?;
    if !AdmittedCalls::contains(call) {
        return Err(rejection::CALL_NOT_ADMITTED);
    }
    match call {
        RuntimeCall::Utility(
            Utility::batch { calls }
            | Utility::batch_all { calls }
            | Utility::force_batch { calls },
        ) => calls.iter().try_for_each(|call| walk(call, left)),
        RuntimeCall::Utility(Utility::if_else { main, fallback }) => {
            walk(main, left)?;
            walk(fallback, left)
        }
        RuntimeCall::Council(pallet_collective::Call::propose { proposal, .. }) => {
            walk(proposal, left)
        }
        _ => Ok(()),
    }
}
