//! Contention within a block: the order of its locks, and who won.

use crate::{
    Config, Contender, Contest, Contests, Error, Event, LockRequest, Pallet, Precedence,
    Resolution, Resolutions, types::resolution_key,
};
use billchain_primitives::{
    AccountId, BillKey, Did, Hash, Moment,
    seams::{ActiveParticipant, BillLocks, Contention, Participants, Scenes},
};
use codec::Encode;
use frame::{deps::sp_io::offchain_index, prelude::*, traits::Time};

/// A transaction asks for a lock that precedes one which an earlier
/// transaction of the block asked for. It cannot stand here in the block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OutOfOrder {
    /// The bill.
    pub key: BillKey,
}

impl<T: Config> Pallet<T> {
    /// Notes the locks that a transaction of `sender` asks for, before it runs
    /// and whatever becomes of it; refuses the transaction its place in the
    /// block if one of them precedes what was announced before.
    ///
    /// Requests that cannot succeed for reasons that the sender alone is the
    /// cause of, a wrong time or a claimant that it may not act for, take no
    /// part.
    pub fn announce(
        sender: &AccountId,
        transaction: Hash,
        requests: Vec<LockRequest>,
    ) -> Result<(), OutOfOrder> {
        let Ok(sender) = T::Participants::active_by_account(sender) else { return Ok(()) };
        let mut claims: Vec<(BillKey, Contender)> = requests
            .iter()
            .filter_map(|request| {
                Some((request.key, contender::<T>(&sender, transaction, request)?))
            })
            .collect();
        // Among its own requests a transaction is in order.
        claims.sort_by_key(|(_, contender)| contender.precedence);
        for (key, contender) in claims {
            Contests::<T>::try_mutate(key, |contest| match contest {
                Some(contest) if contender.precedence < contest.last => Err(OutOfOrder { key }),
                Some(contest) => {
                    contest.add(contender);
                    Ok(())
                }
                None => {
                    *contest = Some(Contest::of(contender));
                    Ok(())
                }
            })?;
        }
        Ok(())
    }

    /// Place of a request among those of its block; `None` if its time is out
    /// of bounds. Builders sort by it.
    pub fn precedence(request: &LockRequest, transaction: Hash) -> Option<Precedence> {
        let LockRequest { scene, signed_at, .. } = *request;
        // A claim in no active scene is refused, wherever it stands.
        let weight = T::Scenes::active(scene).map_or(0, |rules| rules.weight);
        is_timely::<T>(signed_at).then_some(Precedence { signed_at, weight, transaction })
    }

    /// Ends the contests of the block.
    pub(crate) fn resolve_all() {
        for (key, contest) in Contests::<T>::drain() {
            let Contest { contenders, unnamed, winner: Some(winner), .. } = contest else {
                continue;
            };
            if contenders.len() < 2 {
                continue;
            }
            let block = frame_system::Pallet::<T>::block_number().saturated_into();
            let moment = T::Time::now();
            let resolution = Resolution { block, moment, winner, contenders, unnamed };
            Resolutions::<T>::insert(key, &resolution);
            offchain_index::set(&resolution_key(&key, block), &resolution.encode());
            let Resolution { winner, contenders, unnamed, .. } = resolution;
            Self::deposit_event(Event::DisputeResolved { key, winner, contenders, unnamed });
        }
    }
}

impl<T: Config> Contention for Pallet<T> {
    fn admit(key: &BillKey, claimant: &Did, signed_at: Moment) -> DispatchResult {
        ensure!(is_timely::<T>(signed_at), Error::<T>::SignedTimeOutOfBounds);
        let winner = Contests::<T>::get(key).and_then(|contest| contest.winner);
        ensure!(winner.is_none_or(|winner| winner == *claimant), Error::<T>::DisputeLost);
        Ok(())
    }

    fn won(key: &BillKey, claimant: &Did) {
        Contests::<T>::mutate_extant(key, |contest| {
            contest.winner.get_or_insert_with(|| claimant.clone());
        });
    }
}

impl<S: Get<u32>> Contest<S> {
    fn of(first: Contender) -> Self {
        let mut contest = Self {
            last: first.precedence,
            contenders: BoundedVec::new(),
            unnamed: 0,
            winner: None,
        };
        contest.add(first);
        contest
    }

    fn add(&mut self, contender: Contender) {
        self.last = contender.precedence;
        let named = self.contenders.iter().any(|earlier| earlier.claimant == contender.claimant);
        if !named && self.contenders.try_push(contender).is_err() {
            self.unnamed = self.unnamed.saturating_add(1);
        }
    }
}

fn contender<T: Config>(
    sender: &ActiveParticipant,
    transaction: Hash,
    request: &LockRequest,
) -> Option<Contender> {
    let precedence = Pallet::<T>::precedence(request, transaction)?;
    let claimant = T::Locks::claimant(sender, request.on_behalf_of.as_ref()).ok()?;
    Some(Contender { claimant, scene: request.scene, precedence })
}

fn is_timely<T: Config>(signed_at: Moment) -> bool {
    let now = T::Time::now();
    let earliest = now.saturating_sub(T::MaxSignedBefore::get());
    (earliest..=now.saturating_add(T::MaxSignedAfter::get())).contains(&signed_at)
}
