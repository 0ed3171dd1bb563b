//! Participants by the first byte of their account.

use crate::{account, seed_of};
use billchain_primitives::{
    AccountId, Did,
    seams::{ActiveParticipant, ParticipantProblem, Participants},
};
use core::marker::PhantomData;

/// The participants of a test: who has which seed, and who may not act.
pub trait Cast {
    /// The participant whose account begins with `seed`.
    fn participant(seed: u8) -> Result<ActiveParticipant, ParticipantProblem>;

    /// Its DID. A cast in which somebody may not act says whose it is.
    fn did_of(seed: u8) -> Option<Did> {
        Self::participant(seed).ok().map(|found| found.did)
    }
}

/// The participant contract with this cast.
pub struct Seeded<C>(PhantomData<C>);

impl<C: Cast> Seeded<C> {
    fn seed(did: &Did) -> Option<u8> {
        (0..=u8::MAX).find(|seed| C::did_of(*seed).as_ref() == Some(did))
    }
}

impl<C: Cast> Participants for Seeded<C> {
    fn active_by_account(account: &AccountId) -> Result<ActiveParticipant, ParticipantProblem> {
        C::participant(seed_of(account))
    }

    fn active_by_did(did: &Did) -> Result<ActiveParticipant, ParticipantProblem> {
        Self::seed(did).map_or(Err(ParticipantProblem::NotFound), C::participant)
    }

    fn account_of(did: &Did) -> Option<AccountId> {
        Self::seed(did).map(account)
    }
}
