//! The blocks that anybody has made: what an application would say of each, and who
//! takes turns after it. Turns are booked by the chain's own rule, in `pallet-participation`.

use std::collections::BTreeMap;

use billchain_primitives::{AccountId, Hash, ParentCommit};
use bytes::Bytes;
use pallet_participation::{Record, Seat, booked, left_out};

use super::oracle::BlockId;
use crate::application::CheckMode;
use crate::types::{Address, BlockHash, ValidatorSet};

/// A proposed block's time may be so far ahead of the clock, or behind.
const AHEAD_MS: u64 = 5_000;
const BEHIND_MS: u64 = 17_000;

/// What an application says of a block.
pub(super) enum Judgement {
    Valid,
    Invalid,
    Untimely,
}

/// A block as the register has it.
struct Block {
    height: u64,
    parent: BlockId,
    valid: bool,
    time_ms: u64,
    after: Turns,
}

/// What the chain's state says of turns after a block.
#[derive(Clone)]
struct Turns {
    /// Who decides the block.
    seats: Vec<Seat>,
    records: Vec<Record>,
}

/// See the module's documentation.
pub(super) struct Register {
    blocks: BTreeMap<BlockId, Block>,
    validators: ValidatorSet,
    genesis: Turns,
}

impl Register {
    pub(super) fn new(validators: ValidatorSet) -> Self {
        let genesis = Turns { seats: seats(&validators, &[]), records: Vec::new() };
        Self { blocks: BTreeMap::new(), validators, genesis }
    }

    /// Takes a new block; gives its number. Without the commit of its parent nobody's
    /// turns change: nothing comes after such a block, but after the first.
    pub(super) fn add(
        &mut self,
        (height, parent): (u64, BlockId),
        valid: bool,
        time_ms: u64,
        commit: Option<&ParentCommit>,
    ) -> BlockId {
        let before = self.after(parent);
        let block = u32::try_from(height).expect("schedules are short");
        let after = Turns {
            seats: seats(&self.validators, &self.out(before, block)),
            records: match commit {
                Some(commit) => {
                    let voters: Vec<AccountId> =
                        self.powers().into_iter().map(|(account, _)| account).collect();
                    booked(&before.seats, before.records.clone(), commit, &voters, block)
                }
                None => before.records.clone(),
            },
        };
        let id = self.blocks.len() as BlockId + 1;
        self.blocks.insert(id, Block { height, parent, valid, time_ms, after });
        id
    }

    /// Who decides the block after this one.
    pub(super) fn validators_after(&self, id: BlockId) -> ValidatorSet {
        let next = u32::try_from(self.height(id) + 1).expect("schedules are short");
        let out = self.out(self.after(id), next);
        let out: Vec<Address> = out.iter().map(address_of).collect();
        self.validators.clone().without_turns(&out)
    }

    /// What an application whose chain ends with `head` says of a block.
    pub(super) fn judge(
        &self,
        now_ms: u64,
        id: BlockId,
        mode: CheckMode,
        head: BlockId,
    ) -> Judgement {
        let Some(block) = self.blocks.get(&id) else { return Judgement::Invalid };
        if !block.valid || block.height != self.height(head) + 1 || block.parent != head {
            return Judgement::Invalid;
        }
        let timely = now_ms.saturating_sub(BEHIND_MS)..=now_ms + AHEAD_MS;
        if mode == CheckMode::Proposal && !timely.contains(&block.time_ms) {
            return Judgement::Untimely;
        }
        Judgement::Valid
    }

    /// The last four blocks of this height.
    pub(super) fn last_of(&self, height: u64) -> Vec<BlockHash> {
        let of_height = |(id, block): (&BlockId, &Block)| (block.height == height).then_some(*id);
        self.blocks.iter().rev().filter_map(of_height).take(4).map(hash_of).collect()
    }

    fn height(&self, id: BlockId) -> u64 {
        self.blocks.get(&id).map_or(0, |block| block.height)
    }

    fn after(&self, id: BlockId) -> &Turns {
        self.blocks.get(&id).map_or(&self.genesis, |block| &block.after)
    }

    fn powers(&self) -> Vec<(AccountId, u64)> {
        let slice = self.validators.as_slice().iter();
        slice.map(|one| (account_of(one.address()), one.power())).collect()
    }

    fn out(&self, turns: &Turns, next: u32) -> Vec<AccountId> {
        left_out(&self.powers(), &turns.records, next)
    }
}

pub(super) fn hash_of(id: BlockId) -> BlockHash {
    Hash::from_low_u64_be(id).into()
}

pub(super) fn id_of(bytes: &[u8]) -> BlockId {
    u64::from_be_bytes(bytes.try_into().expect("blocks are their numbers"))
}

pub(super) fn bytes_of(id: BlockId) -> Bytes {
    id.to_be_bytes().to_vec().into()
}

fn account_of(address: &Address) -> AccountId {
    AccountId::new(*address.as_bytes())
}

fn address_of(account: &AccountId) -> Address {
    let bytes: &[u8; 32] = account.as_ref();
    Address::from(*bytes)
}

/// The seats in the order of turns; these take none.
fn seats(validators: &ValidatorSet, out: &[AccountId]) -> Vec<Seat> {
    let seat = |one: &crate::types::Validator| {
        let validator = account_of(one.address());
        let takes_turns = !out.contains(&validator);
        Seat { key: one.public_key().to_compressed(), power: one.power(), validator, takes_turns }
    };
    validators.as_slice().iter().map(seat).collect()
}
