//! A block as a node tells it, checked: certificate, parent, root of the transactions, and events
//! that go with them.

use crate::{
    lie::{Failure, Lie},
    shape,
};
use billchain_primitives::{Hash, Header, Moment, Sm3Hasher, sm3, transaction_hashes};
use billchain_runtime::{RuntimeCall, RuntimeEvent, UncheckedExtrinsic};
use billchain_verifier::{DecidedHeader, Deciders, Digest};
use codec::{Decode, DecodeAll};
use frame_system::{EventRecord, Phase};
use sp_core::storage::StateVersion;
use sp_runtime::traits::Hash as _;

/// What is told of a block. Nothing is checked.
#[derive(Clone, Debug)]
pub struct Told {
    /// The number that was asked for.
    pub number: u32,
    /// The decided header.
    pub decided: Vec<u8>,
    /// The transactions, each with its length before it.
    pub body: Vec<Vec<u8>>,
    /// The value of `System.Events`.
    pub events: Vec<u8>,
    /// Who told it.
    pub node: String,
}

/// What makes a block's events believed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Belief {
    /// One node told them.
    Told = 0,
    /// Two nodes told the same.
    Agreed = 1,
    /// The state root proves them.
    Proved = 2,
}

/// A transaction of a block.
#[derive(Clone, Debug)]
pub struct Transaction {
    /// Its hash.
    pub hash: Hash,
    /// Its bytes with the length before them.
    pub bytes: Vec<u8>,
    /// What they encode.
    pub extrinsic: UncheckedExtrinsic,
}

/// A block whose header and transactions go together. Who decided it, [`Follower::accept`] checks.
#[derive(Clone, Debug)]
pub struct Block {
    /// Its number.
    pub number: u32,
    /// Its hash.
    pub hash: Hash,
    /// Its header.
    pub header: Header,
    /// The decided header.
    pub decided: Vec<u8>,
    /// Its time.
    pub time: Moment,
    /// Its transactions.
    pub transactions: Vec<Transaction>,
    /// Events, with their places in the block, by transaction; those of no transaction last.
    pub events: Vec<Vec<(u32, RuntimeEvent)>>,
    /// SM3 of the value of `System.Events`.
    pub events_hash: Hash,
    /// What makes the events believed.
    pub belief: Belief,
    /// Who told it.
    pub node: String,
}

impl Block {
    /// Reads what was told, and checks what can be checked without knowing the chain: that the
    /// transactions are those of the header, and that each has one end among the events.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(told: Told) -> Result<Self, Failure> {
        let Told { number, decided, body, events, node } = told;
        let form = |what: &'static str, reason: String| Lie::Form { what, block: number, reason };
        let (header, hash) = {
            let read = DecidedHeader::read(&decided)
                .map_err(|refusal| form("header", refusal.to_string()))?;
            let hash = Hash::from(read.block().hash);
            (header_in(&decided).ok_or_else(|| form("header", "it is cut off".into()))?, hash)
        };
        if header.number != number {
            return Err(Lie::OtherBlock { asked: number, given: header.number }.into());
        }
        let root = Sm3Hasher::ordered_trie_root(body.clone(), StateVersion::V1);
        if root != header.extrinsics_root {
            let (expected, found) = (header.extrinsics_root, root);
            let (expected, found) = (format!("{expected:?}"), format!("{found:?}"));
            return Err(Lie::Transactions { block: number, expected, found }.into());
        }
        let transactions = decoded(number, body)?;
        let events_hash = Hash::from(sm3(&events));
        let records = Vec::<EventRecord<RuntimeEvent, Hash>>::decode_all(&mut &events[..])
            .map_err(|error| form("events", error.to_string()))?;
        let events = by_transaction(number, transactions.len(), records)?;
        let time = time_of(&transactions);
        if time.is_none() && number > 0 {
            return Err(form("body", "no transaction sets the time".into()).into());
        }
        let belief = Belief::Told;
        let time = time.unwrap_or_default();
        Ok(Self {
            number,
            hash,
            header,
            decided,
            time,
            transactions,
            events,
            events_hash,
            belief,
            node,
        })
    }

    /// Events of the transaction at a place.
    pub fn events_of(&self, place: usize) -> &[(u32, RuntimeEvent)] {
        self.events.get(place).map_or(&[], Vec::as_slice)
    }

    /// Its month, yyyymm.
    pub fn month(&self) -> i64 {
        shape::month_of(self.time)
    }
}

/// The header in a decided header: two bytes of length, the highest first, and as many bytes.
fn header_in(decided: &[u8]) -> Option<Header> {
    let (length, rest) = decided.split_first_chunk::<2>()?;
    let bytes = rest.get(..usize::from(u16::from_be_bytes(*length)))?;
    Header::decode_all(&mut &bytes[..]).ok()
}

fn decoded(number: u32, body: Vec<Vec<u8>>) -> Result<Vec<Transaction>, Failure> {
    let hashes = transaction_hashes(&body);
    let transactions = body.into_iter().zip(hashes).enumerate().map(|(place, (bytes, hash))| {
        let (extrinsic, _) = UncheckedExtrinsic::decode_measured(&bytes).map_err(|error| {
            // The root is right, so this is no lie of the node.
            let reason = format!("transaction {place}: {error}");
            Failure::OtherRules { block: number, reason }
        })?;
        Ok(Transaction { hash, bytes, extrinsic })
    });
    transactions.collect()
}

/// Each transaction ends exactly once, so none is hidden among the events.
fn by_transaction(
    number: u32,
    transactions: usize,
    records: Vec<EventRecord<RuntimeEvent, Hash>>,
) -> Result<Vec<Vec<(u32, RuntimeEvent)>>, Lie> {
    let wrong = |reason: String| Lie::Events { block: number, reason };
    let mut events: Vec<Vec<(u32, RuntimeEvent)>> = vec![Vec::new(); transactions + 1];
    let mut ends = vec![0_u32; transactions];
    for (place, record) in (0_u32..).zip(records) {
        let at = match record.phase {
            Phase::ApplyExtrinsic(at) => usize::try_from(at).unwrap_or(usize::MAX),
            Phase::Initialization | Phase::Finalization => transactions,
        };
        let list = events.get_mut(at).ok_or_else(|| {
            wrong(format!("an event is of transaction {at}, of which there are {transactions}"))
        })?;
        if let (RuntimeEvent::System(event), Some(end)) = (&record.event, ends.get_mut(at)) {
            use frame_system::Event as E;
            *end +=
                u32::from(matches!(event, E::ExtrinsicSuccess { .. } | E::ExtrinsicFailed { .. }));
        }
        list.push((place, record.event));
    }
    match ends.iter().position(|end| *end != 1) {
        None => Ok(events),
        Some(at) => Err(wrong(format!("transaction {at} ends {} times", ends[at]))),
    }
}

fn time_of(transactions: &[Transaction]) -> Option<Moment> {
    transactions.iter().find_map(|transaction| match transaction.extrinsic.function() {
        RuntimeCall::Timestamp(pallet_timestamp::Call::set { now }) => Some(*now),
        _ => None,
    })
}

/// Follows the chain: who decides the next block, and which one it follows.
#[derive(Clone, Debug)]
pub struct Follower {
    genesis: Digest,
    number: u32,
    hash: Hash,
    deciders: Deciders,
}

impl Follower {
    /// Stands at a block that was accepted, or at the genesis, which names its validators.
    pub fn new(genesis: Digest, number: u32, hash: Hash, deciders: Deciders) -> Self {
        Self { genesis, number, hash, deciders }
    }

    /// Takes the next block: decided by those who have to decide it, and after the last one.
    /// Returns whether its header names others for the blocks after it.
    ///
    /// # Errors
    /// What is wrong with it. Nothing changed then.
    pub fn accept(&mut self, block: &Block) -> Result<bool, Lie> {
        let number = block.number;
        if block.header.parent_hash != self.hash || number != self.number.saturating_add(1) {
            return Err(Lie::Parent { block: number, known: format!("{:?}", self.hash) });
        }
        let not_decided = |refusal| Lie::NotDecided { block: number, refusal };
        let read = DecidedHeader::read(&block.decided).map_err(not_decided)?;
        self.deciders.check(&self.genesis, &read).map_err(not_decided)?;
        let named = read.names().map_err(not_decided)?;
        let changed = named.is_some();
        (self.number, self.hash) = (number, block.hash);
        if let Some(named) = named {
            self.deciders = named;
        }
        Ok(changed)
    }

    /// Who decides the next block.
    pub fn deciders(&self) -> &Deciders {
        &self.deciders
    }

    /// The last block.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Its hash.
    pub fn hash(&self) -> Hash {
        self.hash
    }
}

/// Whether a header that is not asked for by its block is decided: its block and its root of the
/// state, for whoever proves something of the state after it.
///
/// # Errors
/// It is not decided by those who decide now.
pub fn decided_root(follower: &Follower, decided: &[u8]) -> Result<(u32, Hash, Digest), Lie> {
    let read = DecidedHeader::read(decided)
        .map_err(|refusal| Lie::NotDecided { block: follower.number, refusal })?;
    let number = read.block().number;
    let refused = |refusal| Lie::NotDecided { block: number, refusal };
    follower.deciders.check(&follower.genesis, &read).map_err(refused)?;
    Ok((number, Hash::from(read.block().hash), read.state_root()))
}

/// The validators that a `BCVS` item names, in the order of their seats.
pub fn voters_of(item: &[u8]) -> Option<Vec<([u8; 33], u64)>> {
    let change = pallet_participation::SetChange::decode(&mut &item[..]).ok()?;
    Some(change.validators.into_inner())
}
