//! What became of each bill of a registration, from the transaction and its
//! events.

use super::names;
use crate::{
    bill::bill,
    context::Context,
    error::{Answer, internal, unknown_block},
    substrate,
};
use billchain_executor::transaction;
use billchain_primitives::{Bill, BillSummary, Hash, seams::SummaryProblem};
use billchain_rpc_types::{BillItemView, BlockRef, ItemOutcome, ReceiptView};
use billchain_runtime::{BillRegister, Runtime, RuntimeCall, RuntimeEvent};
use codec::Decode;
use frame_support::traits::PalletInfoAccess;
use pallet_bill_register::{Call, Error, Event};
use sp_runtime::{DispatchError, ModuleError};

/// The bills that a call registers or pre-issues.
enum Bills {
    One(Box<BillSummary>),
    Batch(Vec<BillSummary>),
}

impl Bills {
    fn of(call: &RuntimeCall) -> Option<Self> {
        match call {
            RuntimeCall::BillRegister(
                Call::register { summary } | Call::pre_issue { notice: summary },
            ) => Some(Self::One(Box::new(summary.clone()))),
            RuntimeCall::BillRegister(Call::register_batch { bills, .. }) => {
                Some(Self::Batch(bills.to_vec()))
            }
            _ => None,
        }
    }
}

/// What became of a bill.
#[derive(Clone, Copy)]
enum Fate {
    Registered,
    Repeated,
    Refused(DispatchError),
    NotApplied,
}

/// What became of each bill of the transaction at `index` of block `number`,
/// which left `events`; empty if it registers none.
///
/// Calls within calls are not looked into: their events tell of them.
pub(crate) fn items(
    context: &Context,
    number: u32,
    index: u32,
    events: &[RuntimeEvent],
) -> Answer<Vec<BillItemView>> {
    let bytes =
        substrate::extrinsic(context, number, index)?.ok_or_else(|| unknown_block(number))?;
    let extrinsic = transaction::decode(&bytes)
        .map_err(|error| internal(format!("transaction {index} of block {number}: {error}")))?;
    let Some(bills) = Bills::of(extrinsic.function()) else { return Ok(Vec::new()) };
    let failure = events.iter().find_map(failure);
    // Each bill of a call that succeeded left one of these events, in order.
    let mut fates = events.iter().filter_map(fate);
    let (bills, fates): (Vec<_>, Vec<_>) = match bills {
        Bills::One(bill) => {
            (vec![*bill], vec![failure.map_or_else(|| left(&mut fates), Fate::Refused)])
        }
        Bills::Batch(bills) => {
            let fates = (0_u16..)
                .zip(&bills)
                .map(|(at, _)| match failure {
                    Some(error) => in_failed_batch(error, at),
                    None => left(&mut fates),
                })
                .collect();
            (bills, fates)
        }
    };
    let mut receipts = Receipts { context, known: None };
    (0_u32..)
        .zip(bills)
        .zip(fates)
        .map(|((index, bill), fate)| item(&mut receipts, index, &bill, fate))
        .collect()
}

fn left(fates: &mut impl Iterator<Item = Fate>) -> Fate {
    fates.next().unwrap_or(Fate::NotApplied)
}

fn failure(event: &RuntimeEvent) -> Option<DispatchError> {
    match event {
        RuntimeEvent::System(frame_system::Event::ExtrinsicFailed { dispatch_error, .. }) => {
            Some(*dispatch_error)
        }
        _ => None,
    }
}

fn fate(event: &RuntimeEvent) -> Option<Fate> {
    let RuntimeEvent::BillRegister(event) = event else { return None };
    let refused = |error: Error<Runtime>| Some(Fate::Refused(error.into()));
    match event {
        Event::BillRegistered { .. } => Some(Fate::Registered),
        Event::RegistrationRepeated { .. } => Some(Fate::Repeated),
        Event::BatchItemRefused { problem, .. } => refused(Error::Bill(*problem)),
        Event::BatchItemFieldRefused { field, .. } => refused(Error::FieldRule { field: *field }),
        Event::BatchItemDenied { policy, .. } => refused(Error::PolicyDenied(*policy)),
        _ => None,
    }
}

/// What the failure of a whole batch means for the bill at `at`.
fn in_failed_batch(failure: DispatchError, at: u16) -> Fate {
    let (index, error) = match own_error(failure) {
        Some(Error::BatchItem { index, problem }) => {
            (index, Error::<Runtime>::Bill(problem).into())
        }
        Some(Error::BatchItemFieldRule { index, field }) => {
            (index, Error::<Runtime>::FieldRule { field }.into())
        }
        Some(Error::BatchItemDenied { index }) => (index, failure),
        // No bill is at fault; the transaction's error says what is.
        _ => return Fate::NotApplied,
    };
    if index == at { Fate::Refused(error) } else { Fate::NotApplied }
}

/// The error, if it is one of the register contract.
fn own_error(error: DispatchError) -> Option<Error<Runtime>> {
    match error {
        DispatchError::Module(ModuleError { index, error, .. })
            if usize::from(index) == BillRegister::index() =>
        {
            Error::decode(&mut &error[..]).ok()
        }
        _ => None,
    }
}

fn item(
    receipts: &mut Receipts<'_>,
    index: u32,
    summary: &BillSummary,
    fate: Fate,
) -> Answer<BillItemView> {
    let (outcome, error) = match fate {
        Fate::Registered => (ItemOutcome::Registered, None),
        Fate::Repeated => (ItemOutcome::Repeated, None),
        Fate::Refused(error) => (ItemOutcome::Refused, Some(error)),
        Fate::NotApplied => (ItemOutcome::NotApplied, None),
    };
    let conflict =
        matches!(error.and_then(own_error), Some(Error::Bill(SummaryProblem::AlreadyExists)));
    let recorded = if conflict || outcome == ItemOutcome::Repeated {
        let stored = bill(receipts.context, &summary.key)?;
        stored.map(|bill| receipts.view(&bill)).transpose()?
    } else {
        None
    };
    Ok(BillItemView {
        index,
        code: summary.key.code,
        number: summary.key.number,
        outcome,
        content_hash: summary.content_hash().into(),
        error: error.as_ref().map(names::failure),
        recorded,
    })
}

/// Shows receipts; those of one transaction, which a batch sent again has, are
/// looked up once.
struct Receipts<'a> {
    context: &'a Context,
    known: Option<((u32, u32), ReceiptPlace)>,
}

#[derive(Clone, Copy)]
struct ReceiptPlace {
    block: Hash,
    transaction: Hash,
}

impl Receipts<'_> {
    fn view(&mut self, bill: &Bill) -> Answer<ReceiptView> {
        let (number, index) = (bill.receipt.block, bill.receipt.extrinsic);
        let place = match self.known {
            Some((at, place)) if at == (number, index) => place,
            _ => self.look_up(number, index)?,
        };
        self.known = Some(((number, index), place));
        Ok(ReceiptView {
            transaction: place.transaction,
            block: BlockRef { number, hash: place.block },
            index,
            version: 1,
            content_hash: bill.registered().content_hash().into(),
        })
    }

    fn look_up(&self, number: u32, index: u32) -> Answer<ReceiptPlace> {
        let missing = || unknown_block(number);
        let block = substrate::hash_of(self.context, number)?.ok_or_else(missing)?;
        let bytes = substrate::extrinsic(self.context, number, index)?.ok_or_else(missing)?;
        Ok(ReceiptPlace { block, transaction: transaction::transaction_hash(&bytes) })
    }
}
