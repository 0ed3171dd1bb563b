//! Says in the header who decides the next block, when that changes.

use crate::{Config, LastSetChange, Pallet, SET_DIGEST, Seat, Seats, SetChange};
use billchain_primitives::seams::ConsensusKeys;
use frame::{deps::sp_runtime::DigestItem, prelude::*};

impl<T: Config> Pallet<T> {
    /// Names the validators of the next block if they are others than those of the block
    /// at hand, or have another power.
    pub(crate) fn tell_set_change() {
        let voters = |seat: &Seat| (seat.key, seat.power);
        let next = Self::seats_of(&T::Keys::keys(), &[]);
        let now = Seats::<T>::get();
        if next.iter().map(voters).eq(now.iter().map(voters)) {
            return;
        }
        let validators = next.iter().map(voters).collect();
        let change = SetChange {
            previous: LastSetChange::<T>::get(),
            validators: BoundedVec::truncate_from(validators),
        };
        LastSetChange::<T>::put(Self::block());
        let item = DigestItem::Consensus(SET_DIGEST, change.encode());
        frame_system::Pallet::<T>::deposit_log(item);
    }
}
