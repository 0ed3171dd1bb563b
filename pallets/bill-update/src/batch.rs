//! Many changes in one transaction.

use crate::{Config, Error, Event, Pallet, StatusItem, SummaryItem};
use billchain_primitives::{BatchMode, BillKey, ErrorIndex, seams::ActiveParticipant};
use codec::Decode;
use frame::{
    deps::{
        frame_support::{storage::with_storage_layer, traits::PalletInfoAccess},
        sp_runtime::ModuleError,
    },
    prelude::*,
};

/// An item of a batch.
pub(crate) trait Item {
    /// The bill it is about.
    fn key(&self) -> BillKey;
}

impl Item for StatusItem {
    fn key(&self) -> BillKey {
        self.key
    }
}

impl Item for SummaryItem {
    fn key(&self) -> BillKey {
        self.key
    }
}

impl<T: Config> Pallet<T> {
    /// Works off `items` in their order.
    pub(crate) fn in_batch<I: Item>(
        sender: &ActiveParticipant,
        items: Vec<I>,
        mode: BatchMode,
        mut act: impl FnMut(I) -> DispatchResult,
    ) -> DispatchResult {
        ensure!(!items.is_empty(), Error::<T>::EmptyBatch);
        let (mut applied, mut refused) = (0_u32, 0_u32);
        for (index, item) in (0_u16..).zip(items) {
            let key = item.key();
            // A refused item takes back what it wrote before it was refused.
            match (with_storage_layer(|| act(item)), mode) {
                (Ok(()), _) => applied += 1,
                (Err(error), BatchMode::AllOrNothing) => {
                    return Err(Self::refusal_of_all(index, error));
                }
                (Err(error), BatchMode::PerItem) => {
                    refused += 1;
                    Self::deposit_event(Event::BatchItemRefused { index, key, error });
                }
            }
        }
        let operator = sender.did.clone();
        Self::deposit_event(Event::BatchCompleted { operator, applied, refused });
        Ok(())
    }

    /// The error of a batch all of which is refused for this one of an item.
    fn refusal_of_all(index: u16, error: DispatchError) -> DispatchError {
        let DispatchError::Module(ModuleError { index: pallet, error: bytes, .. }) = error else {
            return error;
        };
        if usize::from(pallet) != <Self as PalletInfoAccess>::index() {
            // No other contract than the dispute contract refuses a change.
            return Error::<T>::BatchItemContended { index }.into();
        }
        match Error::<T>::decode(&mut &bytes[..]) {
            Ok(Error::Transition(problem)) => Error::<T>::BatchItemTransition { index, problem },
            Ok(Error::Grant(problem)) => Error::<T>::BatchItemGrant { index, problem },
            Ok(Error::FieldMissing(field)) => Error::<T>::BatchItemFieldMissing { index, field },
            _ => Error::<T>::BatchItem { index, error: ErrorIndex(bytes[0]) },
        }
        .into()
    }
}
