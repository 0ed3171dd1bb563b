//! What a transaction's calls say that its events do not: whole bills, terms, documents.

use super::Motion;
use billchain_primitives::{BillKey, BillSummary, Did, Operation};
use billchain_runtime::RuntimeCall;
use std::collections::HashMap;

/// Calls within calls that are looked at; the chain admits 1,024 of a transaction.
const MAX_CALLS: usize = 1_024;
/// Bills that a failed transaction's refusal is told of.
pub(crate) const MAX_REFUSED: usize = 1_024;

/// All calls of a transaction, those within others and within motions that it closes among them.
pub(crate) fn flatten<'a>(
    call: &'a RuntimeCall,
    motions: &'a HashMap<[u8; 32], Motion>,
) -> Vec<&'a RuntimeCall> {
    let (mut all, mut left) = (Vec::new(), vec![call]);
    while let Some(call) = left.pop() {
        if all.len() >= MAX_CALLS {
            break;
        }
        all.push(call);
        use pallet_collective::Call as Council;
        use pallet_utility::Call as Utility;
        match call {
            RuntimeCall::Utility(
                Utility::batch { calls }
                | Utility::batch_all { calls }
                | Utility::force_batch { calls },
            ) => left.extend(calls.iter().rev()),
            RuntimeCall::Utility(Utility::if_else { main, fallback }) => {
                left.push(fallback);
                left.push(main);
            }
            // One vote is enough for a motion whose threshold says so.
            RuntimeCall::Council(Council::propose { proposal, .. }) => left.push(proposal),
            RuntimeCall::Council(Council::close { proposal_hash, .. }) => {
                if let Some(motion) = motions.get(proposal_hash.as_fixed_bytes()) {
                    left.push(&motion.call);
                }
            }
            _ => {}
        }
    }
    all
}

/// A bill that a call brings, and how.
#[derive(Clone, Debug)]
pub(crate) struct Brought<'a> {
    pub(crate) summary: &'a BillSummary,
    pub(crate) operation: Operation,
}

/// The bills that calls bring, by their keys.
pub(crate) fn brought<'a>(calls: &[&'a RuntimeCall]) -> HashMap<BillKey, Vec<Brought<'a>>> {
    use pallet_bill_register::Call as Register;
    use pallet_bill_update::Call as Update;
    let mut found: HashMap<BillKey, Vec<Brought<'a>>> = HashMap::new();
    let mut note = |summary: &'a BillSummary, operation| {
        found.entry(summary.key).or_default().push(Brought { summary, operation });
    };
    for call in calls.iter().copied() {
        match call {
            RuntimeCall::BillRegister(Register::register { summary }) => {
                note(summary, Operation::Register);
            }
            RuntimeCall::BillRegister(Register::register_batch { bills, .. }) => {
                bills.iter().for_each(|summary| note(summary, Operation::Register));
            }
            RuntimeCall::BillRegister(Register::pre_issue { notice }) => {
                note(notice, Operation::PreIssue);
            }
            RuntimeCall::BillUpdate(Update::red_reverse { red, balance, .. }) => {
                note(red, Operation::RedReverse);
                balance.iter().for_each(|summary| note(summary, Operation::RedReverse));
            }
            _ => {}
        }
    }
    found
}

/// The bills that calls ask something of.
pub(crate) fn asked(calls: &[&RuntimeCall]) -> Vec<BillKey> {
    use pallet_authorization::Call as Grant;
    use pallet_bill_register::Call as Register;
    use pallet_bill_update::Call as Update;
    let mut keys = Vec::new();
    for call in calls {
        match call {
            RuntimeCall::BillRegister(
                Register::register { summary } | Register::pre_issue { notice: summary },
            ) => keys.push(summary.key),
            RuntimeCall::BillRegister(Register::register_batch { bills, .. }) => {
                keys.extend(bills.iter().map(|summary| summary.key));
            }
            RuntimeCall::BillRegister(
                Register::confirm { key }
                | Register::void { key, .. }
                | Register::link_party { key, .. }
                | Register::update_link { key, .. },
            )
            | RuntimeCall::BillUpdate(
                Update::change_status { key, .. }
                | Update::red_reverse { key, .. }
                | Update::update_summary { key, .. }
                | Update::approve_adjustment { key, .. }
                | Update::withdraw_adjustment { key, .. },
            )
            | RuntimeCall::Dispute(pallet_dispute::Call::open_case { key, .. })
            | RuntimeCall::BillVerify(pallet_bill_verify::Call::report_mismatch { key, .. })
            | RuntimeCall::Authorization(Grant::record_use { bill: key, .. }) => keys.push(*key),
            RuntimeCall::BillUpdate(Update::change_status_batch { changes, .. }) => {
                keys.extend(changes.iter().map(|item| item.key));
            }
            RuntimeCall::BillUpdate(Update::update_summary_batch { updates, .. }) => {
                keys.extend(updates.iter().map(|item| item.key));
            }
            RuntimeCall::BillUpdate(Update::propose_adjustment { elements, .. }) => {
                keys.push(elements.codes.key);
            }
            _ => {}
        }
    }
    keys.sort();
    keys.dedup();
    keys.truncate(MAX_REFUSED);
    keys
}

/// The registration of a participant that a call holds.
pub(crate) fn registration<'a>(
    calls: &[&'a RuntimeCall],
    did: &Did,
) -> Option<&'a pallet_participant::Registration> {
    calls.iter().copied().find_map(|call| match call {
        RuntimeCall::Participant(pallet_participant::Call::register { registration })
            if registration.did == *did =>
        {
            Some(registration)
        }
        _ => None,
    })
}
