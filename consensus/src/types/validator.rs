//! Validators and validator sets.

use std::sync::Arc;

use billchain_crypto::sm2::PublicKey;
use billchain_primitives::{turn, turn_order};
use malachitebft_app_channel::app::types::core;
use thiserror::Error;

use super::{Address, BillContext, Height, Round};

/// Most validators a set may have. It bounds certificates and everything else
/// that carries one entry a validator.
pub const MAX_VALIDATORS: usize = billchain_primitives::MAX_VALIDATORS as usize;

/// A validator: its key, the address derived from it, and its voting power.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validator {
    address: Address,
    public_key: PublicKey,
    power: u64,
}

impl Validator {
    /// The validator with this key and power.
    pub fn new(public_key: PublicKey, power: u64) -> Self {
        Self { address: Address::from_public_key(&public_key), public_key, power }
    }

    /// Address, derived from the key.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Key that checks this validator's votes.
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// Voting power.
    pub fn power(&self) -> u64 {
        self.power
    }
}

impl core::Validator<BillContext> for Validator {
    fn address(&self) -> &Address {
        &self.address
    }

    fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    fn voting_power(&self) -> core::VotingPower {
        self.power
    }
}

/// Why a list of validators is not a validator set.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ValidatorSetError {
    /// Nobody could decide a block.
    #[error("a validator set needs at least one validator")]
    Empty,
    /// More validators than the protocol carries.
    #[error("{found} validators, at most {max} are supported")]
    TooMany {
        /// Number given.
        found: usize,
        /// [`MAX_VALIDATORS`].
        max: usize,
    },
    /// The same key twice would count its power twice.
    #[error("validator {0} is listed twice")]
    Duplicate(Address),
    /// A validator without power can neither vote nor propose usefully.
    #[error("validator {0} has no voting power")]
    NoPower(Address),
    /// The sum of powers must fit with room for thirds.
    #[error("total voting power is too large")]
    PowerTooLarge,
}

/// The validators of one height: unique, by descending power and then by
/// ascending address, so that every node has them in one order. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidatorSet {
    validators: Arc<[Validator]>,
    /// Indices of those that take turns to propose; never empty.
    turns: Arc<[usize]>,
    total_power: u64,
}

impl ValidatorSet {
    /// Checks and sorts `validators`.
    pub fn new(validators: impl IntoIterator<Item = Validator>) -> Result<Self, ValidatorSetError> {
        let mut list: Vec<Validator> = validators.into_iter().collect();
        if list.is_empty() {
            return Err(ValidatorSetError::Empty);
        }
        if list.len() > MAX_VALIDATORS {
            return Err(ValidatorSetError::TooMany { found: list.len(), max: MAX_VALIDATORS });
        }
        list.sort_by_key(|validator| validator.address);
        if let Some(pair) = list.windows(2).find(|pair| pair[0].address == pair[1].address) {
            return Err(ValidatorSetError::Duplicate(pair[0].address));
        }
        if let Some(idle) = list.iter().find(|validator| validator.power == 0) {
            return Err(ValidatorSetError::NoPower(idle.address));
        }
        let total_power = list
            .iter()
            .try_fold(0u64, |sum, validator| sum.checked_add(validator.power))
            .filter(|total| total.checked_mul(3).is_some())
            .ok_or(ValidatorSetError::PowerTooLarge)?;
        list.sort_by(|a, b| {
            turn_order((a.power, a.address.as_bytes()), (b.power, b.address.as_bytes()))
        });
        Ok(Self { turns: (0..list.len()).collect(), validators: list.into(), total_power })
    }

    /// The same set, but these take no turns to propose. They vote as before. If
    /// nobody would be left, everybody takes turns.
    pub fn without_turns(mut self, left_out: &[Address]) -> Self {
        let turns: Vec<usize> = (0..self.validators.len())
            .filter(|index| !left_out.contains(&self.validators[*index].address))
            .collect();
        if !turns.is_empty() {
            self.turns = turns.into();
        }
        self
    }

    /// The validators in protocol order.
    pub fn as_slice(&self) -> &[Validator] {
        &self.validators
    }

    /// The validator with this address, if it is in the set.
    pub fn get(&self, address: &Address) -> Option<&Validator> {
        self.validators.iter().find(|validator| &validator.address == address)
    }

    /// Sum of all voting powers.
    pub fn total_power(&self) -> u64 {
        self.total_power
    }

    /// Who proposes in this round: validators take turns, one a round, and the
    /// first round's proposer moves on with every height.
    pub fn proposer(&self, height: Height, round: Round) -> &Validator {
        let turn = turn(height.get(), round.get(), self.turns.len());
        &self.validators[self.turns[turn]]
    }
}

impl core::ValidatorSet<BillContext> for ValidatorSet {
    fn count(&self) -> usize {
        self.validators.len()
    }

    fn total_voting_power(&self) -> core::VotingPower {
        self.total_power
    }

    fn get_by_address(&self, address: &Address) -> Option<&Validator> {
        self.get(address)
    }

    fn get_by_index(&self, index: usize) -> Option<&Validator> {
        self.validators.get(index)
    }
}
