//! Judges the commit of the parent, and keeps who took part.

use crate::{
    COMMIT_DIGEST, CommitDigest, Config, Error, Event, Pallet, Record, Records, Seat, Seats,
    booking::{booked, find},
    left_out,
};
use billchain_primitives::{
    AccountId, BlockNumber, ConsensusDomain, Hash, LatePrecommit, MAX_LATE_BLOCKS, ParentCommit,
    is_precommit, seams::ConsensusKeys,
};
use frame::{deps::sp_runtime::DigestItem, prelude::*};

impl<T: Config> Pallet<T> {
    /// Judges the commit and books it.
    pub(crate) fn note(commit: &ParentCommit) -> Result<(), Error<T>> {
        let block = Self::block();
        let parent = block.saturating_sub(1);
        ensure!(parent > 0, Error::<T>::NothingToCommit);
        let seats = Seats::<T>::get();
        let signers = Self::judge(&seats, parent, commit)?;
        Self::judge_late(parent, &commit.late)?;

        let keys = T::Keys::keys();
        let powers = Self::powers(&keys);
        let before = Records::<T>::get();
        let left_out_now = left_out(&powers, &before, block);
        let voters: Vec<AccountId> = powers.iter().map(|(account, _)| account.clone()).collect();
        let records = booked(&seats, before.to_vec(), commit, &voters, block);
        if records[..] != before[..] {
            Self::announce(&left_out_now, &left_out(&powers, &records, block + 1), &records);
            Records::<T>::put(BoundedVec::truncate_from(records));
        }
        let next_seats = Self::seats_of(&keys, &left_out_now);
        if next_seats != seats {
            Seats::<T>::put(next_seats);
        }
        let turns = bits(&seats, |seat| seat.takes_turns);
        let digest = CommitDigest { round: commit.round, signers, turns };
        let item = DigestItem::Consensus(COMMIT_DIGEST, digest.encode());
        frame_system::Pallet::<T>::deposit_log(item);
        Ok(())
    }

    /// Whether validators with more than two thirds of the power signed; which ones, as
    /// bits by their seats.
    fn judge(seats: &[Seat], parent: BlockNumber, commit: &ParentCommit) -> Result<u64, Error<T>> {
        let in_order = commit.precommits.is_sorted_by(|a, b| a.signer < b.signer);
        ensure!(in_order, Error::<T>::OutOfOrder);
        let mut found = Vec::with_capacity(commit.precommits.len());
        for precommit in &commit.precommits {
            let seat = seats.iter().find(|seat| seat.validator == precommit.signer);
            let seat = seat.ok_or(Error::<T>::NotValidator)?;
            found.push((seat, precommit.signature));
        }
        let sum = |seats: &mut dyn Iterator<Item = &Seat>| {
            seats.fold(0_u64, |sum, seat| sum.saturating_add(seat.power))
        };
        let signed = sum(&mut found.iter().map(|(seat, _)| *seat));
        let total = sum(&mut seats.iter());
        // Powers are bounded, so that three times their sum fits.
        let is_enough = signed.saturating_mul(3) > total.saturating_mul(2);
        ensure!(is_enough, Error::<T>::TooFew);
        let about = (parent, commit.round, frame_system::Pallet::<T>::parent_hash());
        let domain = Self::domain();
        let is_signed = |(seat, signature): &(&Seat, [u8; 64])| {
            is_precommit(&domain, about, &seat.validator, &seat.key, *signature)
        };
        ensure!(found.iter().all(is_signed), Error::<T>::NotSigned);
        Ok(bits(seats, |seat| found.iter().any(|(signer, _)| signer.validator == seat.validator)))
    }

    /// Whether each late pre-commit is one.
    fn judge_late(parent: BlockNumber, late: &[LatePrecommit]) -> Result<(), Error<T>> {
        if late.is_empty() {
            return Ok(());
        }
        let in_order = late.is_sorted_by(|a, b| a.signer < b.signer);
        ensure!(in_order, Error::<T>::OutOfOrder);
        let domain = Self::domain();
        for LatePrecommit { signer, height, round, signature } in late {
            let back = parent.saturating_sub(*height);
            ensure!(*height > 0 && (1..=MAX_LATE_BLOCKS).contains(&back), Error::<T>::NotLate);
            let key = T::Keys::key_at(signer, *height).ok_or(Error::<T>::NotValidator)?;
            let hash = frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::from(*height));
            let about = (*height, *round, hash);
            let is_signed = is_precommit(&domain, about, signer, &key, *signature);
            ensure!(is_signed, Error::<T>::NotSigned);
        }
        Ok(())
    }

    /// The commit without late pre-commits that are none, or of which the chain would
    /// learn nothing. It asks for no signature: that was asked when they were heard.
    pub fn without_idle(mut commit: ParentCommit) -> ParentCommit {
        let records = Records::<T>::get();
        let parent = Self::block().saturating_sub(1);
        commit.late.retain(|late| {
            let back = parent.saturating_sub(late.height);
            let missed = find(&records, &late.signer).map_or(0, |at| records[at].missed);
            (1..=MAX_LATE_BLOCKS).contains(&back)
                // The commit at hand adds one to what was missed before.
                && missed.saturating_add(1) > back
                && T::Keys::key_at(&late.signer, late.height).is_some()
        });
        commit
    }

    /// The chain that signatures are for.
    fn domain() -> ConsensusDomain {
        // The genesis' hash stays on the chain for good.
        let genesis: Hash = frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero());
        ConsensusDomain::new(genesis)
    }

    /// Says who takes turns no more, and who again.
    fn announce(before: &[AccountId], after: &[AccountId], records: &[Record]) {
        for validator in after.iter().filter(|one| !before.contains(one)) {
            let record = records.iter().find(|record| record.validator == *validator);
            let (missed, failed) = record.map_or((0, 0), |record| (record.missed, record.failed));
            let validator = validator.clone();
            Self::deposit_event(Event::TurnsSuspended { validator, missed, failed });
        }
        for validator in before.iter().filter(|one| !after.contains(one)) {
            Self::deposit_event(Event::TurnsResumed { validator: validator.clone() });
        }
    }
}

/// A bit for each seat of which it holds.
fn bits(seats: &[Seat], holds: impl Fn(&Seat) -> bool) -> u64 {
    seats.iter().zip(0_u32..).fold(0, |bits, (seat, at)| {
        let bit = 1_u64.checked_shl(at).unwrap_or_default();
        if holds(seat) { bits | bit } else { bits }
    })
}
