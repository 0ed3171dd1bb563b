//! Many registrations in one transaction.

use crate::{
    Batch, BatchMode, Config, Error, Event, Pallet,
    registration::{Refusal, Way},
};
use billchain_primitives::{
    BillKey, BillSummary,
    seams::{ActiveParticipant, PolicyRefusal},
};
use frame::prelude::*;

/// What became of the bills of a batch.
#[derive(Default)]
struct Tally {
    registered: u32,
    refused: u32,
    repeated: u32,
}

impl<T: Config> Pallet<T> {
    /// Registers `bills` in their order.
    pub(crate) fn open_batch(
        sender: ActiveParticipant,
        bills: Batch,
        mode: BatchMode,
    ) -> DispatchResult {
        ensure!(!bills.is_empty(), Error::<T>::EmptyBatch);
        let mut tally = Tally::default();
        for (index, summary) in (0_u16..).zip(bills) {
            Self::open_item(&sender, index, summary, mode, &mut tally)?;
        }
        let Tally { registered, refused, repeated } = tally;
        let issuer = sender.did;
        Self::deposit_event(Event::BatchCompleted { issuer, registered, refused, repeated });
        Ok(())
    }

    fn open_item(
        sender: &ActiveParticipant,
        index: u16,
        summary: BillSummary,
        mode: BatchMode,
        tally: &mut Tally,
    ) -> Result<(), Error<T>> {
        if Self::note_repeated(&summary, Way::REGISTER, sender, Some(index)) {
            tally.repeated += 1;
            return Ok(());
        }
        let key = summary.key;
        match (Self::admit(summary, Way::REGISTER, sender), mode) {
            (Ok(()), _) => tally.registered += 1,
            // The storage layer of the call takes back what was written.
            (Err(refusal), BatchMode::AllOrNothing) => return Err(refusal_of_all(index, refusal)),
            (Err(refusal), BatchMode::PerItem) => {
                tally.refused += 1;
                Self::deposit_event(refusal_of_one(index, key, refusal));
            }
        }
        Ok(())
    }
}

/// What a refused bill leaves that does not affect the others.
fn refusal_of_one<T: Config>(index: u16, key: BillKey, refusal: Refusal) -> Event<T> {
    match refusal {
        Refusal::Summary(problem) => Event::BatchItemRefused { index, key, problem },
        Refusal::Field(field) => Event::BatchItemFieldRefused { index, key, field },
        Refusal::Policy(PolicyRefusal { policy, version }) => {
            Event::BatchItemDenied { index, key, policy, version }
        }
    }
}

/// The error of a batch all of which is refused for this bill.
fn refusal_of_all<T>(index: u16, refusal: Refusal) -> Error<T> {
    match refusal {
        Refusal::Summary(problem) => Error::BatchItem { index, problem },
        Refusal::Field(field) => Error::BatchItemFieldRule { index, field },
        Refusal::Policy(_) => Error::BatchItemDenied { index },
    }
}
