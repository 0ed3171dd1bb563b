//! What can be asked: by everybody, and by the other contracts.

use crate::{
    AccountToDid, Config, IDENTITY_CHALLENGE, Pallet, Participant, Participants, Schemes, UsccToDid,
};
use billchain_primitives::{
    AccountId, Did, Hash, Signature, SignatureScheme,
    seams::{ActiveParticipant, ParticipantProblem, Participants as Seam},
};

/// What can be asked.
impl<T: Config> Pallet<T> {
    /// At most `limit` participants after `after` in the order of the state,
    /// from the first without it, whatever their status.
    pub fn participants(after: Option<&Did>, limit: usize) -> Vec<(Did, Participant)> {
        let participants = match after {
            Some(after) => Participants::<T>::iter_from(Participants::<T>::hashed_key_for(after)),
            None => Participants::<T>::iter(),
        };
        participants.take(limit).collect()
    }

    /// The participant `did`, whatever its status.
    pub fn resolve(did: &Did) -> Option<Participant> {
        Participants::<T>::get(did)
    }

    /// The participant whose current key belongs to `account`, whatever its
    /// status.
    pub fn resolve_account(account: &AccountId) -> Option<(Did, Participant)> {
        let did = AccountToDid::<T>::get(account)?;
        let participant = Participants::<T>::get(&did)?;
        (participant.account == *account).then_some((did, participant))
    }

    /// The participant with this SM3 of a 统一社会信用代码, if it is not cancelled.
    pub fn resolve_uscc(uscc_hash: &Hash) -> Option<(Did, Participant)> {
        let did = UsccToDid::<T>::get(uscc_hash)?;
        let participant = Participants::<T>::get(&did)?;
        Some((did, participant))
    }

    /// Whether the active participant `did` answered `challenge`: `signature`
    /// is by its current key over [`IDENTITY_CHALLENGE`] followed by the
    /// challenge.
    pub fn verify_identity(
        did: &Did,
        challenge: &[u8],
        signature: &Signature,
    ) -> Result<bool, ParticipantProblem> {
        let participant = Self::active(did)?;
        let message = [IDENTITY_CHALLENGE, challenge].concat();
        Ok(signature.verify_payload(&message, &participant.account))
    }

    /// Whether keys of `scheme` are admitted.
    pub fn is_scheme_admitted(scheme: SignatureScheme) -> bool {
        Schemes::<T>::get().contains(&scheme)
    }

    fn active(did: &Did) -> Result<Participant, ParticipantProblem> {
        let participant = Participants::<T>::get(did).ok_or(ParticipantProblem::NotFound)?;
        participant.status.admit().map(|()| participant)
    }
}

impl<T: Config> Seam for Pallet<T> {
    fn active_by_account(account: &AccountId) -> Result<ActiveParticipant, ParticipantProblem> {
        let did = AccountToDid::<T>::get(account).ok_or(ParticipantProblem::NotFound)?;
        let participant = Participants::<T>::get(&did).ok_or(ParticipantProblem::NotFound)?;
        if participant.account != *account {
            return Err(ParticipantProblem::NotFound);
        }
        participant.status.admit()?;
        Ok(ActiveParticipant { did, roles: participant.roles })
    }

    fn active_by_did(did: &Did) -> Result<ActiveParticipant, ParticipantProblem> {
        let participant = Self::active(did)?;
        Ok(ActiveParticipant { did: did.clone(), roles: participant.roles })
    }

    fn account_of(did: &Did) -> Option<AccountId> {
        Participants::<T>::get(did).map(|participant| participant.account)
    }
}
