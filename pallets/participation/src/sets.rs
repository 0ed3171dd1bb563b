//! Says in the header who decides the next block, when that changes.

use crate::{Config, LastSetChange, Pallet, SET_DIGEST, Seat, Seats, SetChange, types::Voters};
use billchain_primitives::seams::ConsensusKeys;
use frame::{deps::sp_runtime::DigestItem, prelude::*};

impl<T: Config> Pallet<T> {
    /// Names the validators of the next block if they are others than those of the block
    /// at hand, or have another power.
    pub(crate) fn tell_set_change() {
        let next = Self::voters(&Self::seats_of(&T::Keys::keys(), &[]));
        if next == Self::voters(&Seats::<T>::get()) {
            return;
        }
        let change = SetChange { previous: LastSetChange::<T>::get(), validators: next };
        LastSetChange::<T>::put(Self::block());
        let item = DigestItem::Consensus(SET_DIGEST, change.encode());
        frame_system::Pallet::<T>::deposit_log(item);
    }

    /// The digest item of the genesis: who decides the first block. The genesis is not
    /// executed, so whoever makes it asks for it. None if there is nobody.
    pub fn first_set() -> Option<DigestItem> {
        let validators = Self::voters(&Self::seats_of(&T::Keys::keys(), &[]));
        let change = SetChange { previous: 0, validators };
        let is_set = !change.validators.is_empty();
        is_set.then(|| DigestItem::Consensus(SET_DIGEST, change.encode()))
    }

    fn voters(seats: &[Seat]) -> Voters {
        BoundedVec::truncate_from(seats.iter().map(|seat| (seat.key, seat.power)).collect())
    }
}
