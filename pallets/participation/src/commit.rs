//! Judges the commit of the parent, and books who took part.

use crate::{
    COMMIT_DIGEST, CommitDigest, Config, Error, Event, Pallet, Record, Records, Seat, Seats,
    left_out, suspension,
};
use billchain_primitives::{
    AccountId, BlockNumber, ConsensusDomain, Hash, LatePrecommit, MAX_LATE_BLOCKS, ParentCommit,
    is_precommit, seams::ConsensusKeys, turn,
};
use frame::{deps::sp_runtime::DigestItem, prelude::*};

/// What a block knows before it books the commit that it brings.
struct Booking {
    /// The validators that decide the block at hand.
    keys: Vec<([u8; 33], u64)>,
    /// Those of them that take no turn in it.
    left_out: Vec<AccountId>,
    block: BlockNumber,
}

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
        let booking = Booking { keys, left_out: left_out_now, block };
        let records = booking.book(&seats, before.to_vec(), commit);
        if records[..] != before[..] {
            Self::announce(&booking.left_out, &left_out(&powers, &records, block + 1), &records);
            Records::<T>::put(BoundedVec::truncate_from(records));
        }
        let next_seats = Self::seats_of(&booking.keys, &booking.left_out);
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

impl Booking {
    /// The records after the commit of the parent, which `seats` decided; in the order
    /// of accounts, none that says nothing.
    fn book(&self, seats: &[Seat], before: Vec<Record>, commit: &ParentCommit) -> Vec<Record> {
        let votes = |validator: &AccountId| {
            self.keys.iter().any(|(key, _)| crate::account_of(key) == *validator)
        };
        let mut records = before;
        for seat in seats {
            if let Err(at) = find(&records, &seat.validator) {
                records.insert(at, Record::new(seat.validator.clone()));
            }
        }
        for record in &mut records {
            self.book_votes(seats, record, commit);
        }
        self.book_turns(seats, &mut records, commit.round);
        records.retain(|record| !record.is_blank() && votes(&record.validator));
        records
    }

    fn book_votes(&self, seats: &[Seat], record: &mut Record, commit: &ParentCommit) {
        let validator = &record.validator;
        if commit.precommits.iter().any(|one| one.signer == *validator) {
            record.missed = 0;
        } else if seats.iter().any(|seat| seat.validator == *validator) {
            record.missed = record.missed.saturating_add(1);
            record.missed_in_all = record.missed_in_all.saturating_add(1);
        }
        if let Some(late) = commit.late.iter().find(|one| one.signer == *validator) {
            let since = self.block.saturating_sub(1).saturating_sub(late.height);
            record.missed = record.missed.min(since);
        }
    }

    /// Whose turns at the parent failed, and whose did not.
    fn book_turns(&self, seats: &[Seat], records: &mut [Record], round: u32) {
        let order: Vec<&Seat> = seats.iter().filter(|seat| seat.takes_turns).collect();
        let height = u64::from(self.block.saturating_sub(1));
        let proposer = |round| order.get(turn(height, round, order.len()));
        // After that many rounds everybody has failed once.
        let failed = round.min(u32::try_from(order.len()).unwrap_or(u32::MAX));
        for round in 0..failed {
            if let Some(seat) = proposer(round)
                && let Ok(at) = find(records, &seat.validator)
            {
                let record = &mut records[at];
                record.failed = record.failed.saturating_add(1);
                let blocks = suspension(seats.len(), record.failed);
                record.out_until = self.block.saturating_add(blocks);
            }
        }
        if let Some(seat) = proposer(round)
            && let Ok(at) = find(records, &seat.validator)
        {
            records[at].failed = 0;
            records[at].out_until = 0;
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

fn find(records: &[Record], validator: &AccountId) -> Result<usize, usize> {
    records.binary_search_by(|record| record.validator.cmp(validator))
}
