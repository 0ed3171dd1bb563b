//! The participants a chain begins with, checked whole before they are
//! written.

use crate::{Config, GenesisConfig, Pallet, ParticipantKind, Schemes};
use billchain_primitives::SignatureScheme;
use frame::prelude::*;
use std::collections::BTreeSet;

impl<T: Config> Default for GenesisConfig<T> {
    /// No participants, SM2 alone.
    fn default() -> Self {
        Self { participants: Vec::new(), schemes: vec![SignatureScheme::Sm2], phantom: PhantomData }
    }
}

impl<T: Config> GenesisConfig<T> {
    /// Everything that is wrong with the configuration, each with the entry it
    /// concerns; empty if it can be built.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if !self.schemes.contains(&SignatureScheme::Sm2) {
            problems.push("schemes: expected SM2 among the signature schemes".into());
        }
        if self.schemes.len() > 4 {
            problems.push(format!("schemes: expected at most 4, found {}", self.schemes.len()));
        }
        let most = T::MaxParticipants::get() as usize;
        if self.participants.len() > most {
            let found = self.participants.len();
            problems.push(format!("participants: expected at most {most}, found {found}"));
        }
        let (mut dids, mut accounts, mut usccs) =
            (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for (at, entry) in self.participants.iter().enumerate() {
            let mut problem = |text: &str| {
                problems.push(format!("participants[{at}] ({}): {text}", entry.did));
            };
            if !dids.insert(&entry.did) {
                problem("the DID stands twice");
            }
            if !entry.roles.is_separate() {
                problem("the roles admin and auditor do not go together");
            }
            if !self.schemes.contains(&entry.public_key.scheme()) {
                problem("the scheme of publicKey is not among the admitted schemes");
            }
            if !entry.public_key.is_well_formed() {
                problem("publicKey is no key of its scheme");
            } else if !accounts.insert(entry.public_key.account_id()) {
                problem("publicKey is another participant's");
            }
            if let Some(hash) = entry.uscc_hash {
                if entry.kind == ParticipantKind::Person {
                    problem("a person has no usccHash");
                }
                if hash.is_zero() {
                    problem("usccHash is all zero");
                } else if !usccs.insert(hash) {
                    problem("usccHash is another participant's");
                }
            }
        }
        problems
    }

    /// Writes the configuration.
    ///
    /// # Panics
    /// If [`Self::problems`] finds any: FRAME's genesis has no other way to
    /// refuse. Whoever builds a chain spec asks for the problems first.
    pub(crate) fn write(&self) {
        let problems = self.problems();
        assert!(problems.is_empty(), "participant genesis: {}", problems.join("; "));
        Schemes::<T>::put(BoundedVec::truncate_from(self.schemes.clone()));
        for registration in &self.participants {
            Pallet::<T>::insert(registration.clone(), None);
        }
    }
}
