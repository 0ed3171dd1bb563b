//! What is known of the chain, and how more comes to be known. Nothing here asks anybody: it
//! judges bytes that somebody gave.

use crate::{Failure, Fork, Lie, Update};
use billchain_verifier::{
    Block, DecidedHeader, Deciders, Digest, Statement, head_of, value_of, verify_from,
};
use frame_support::storage::storage_prefix;
use std::collections::BTreeMap;

/// Most blocks that are kept to tell a fork.
pub const MAX_KNOWN: usize = 64;

/// Most bytes of them.
const MAX_KNOWN_BYTES: usize = 512 << 10;

/// Sets of validators that are kept: the present one, and the one before it.
const MAX_SETS: usize = 2;

/// What is known of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Knowledge {
    pub(crate) genesis: Digest,
    /// The block that the user trusts.
    pub(crate) start: Block,
    /// Validators, each with the block that named them; ascending, never empty.
    pub(crate) sets: Vec<Deciders>,
    /// Decided headers by their numbers; never empty.
    pub(crate) known: BTreeMap<u32, Vec<u8>>,
    /// Time of the newest block whose state was proved, in milliseconds since 1970; 0 before.
    pub(crate) time: u64,
    pub(crate) fork: Option<Box<Fork>>,
}

/// A certificate that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The block after which it was so.
    pub block: Block,
    /// The checkpoint from which it was checked: the genesis, or a block that named validators.
    pub checkpoint: Block,
    /// Whether there is such a bill.
    pub exists: bool,
}

/// The key of the last change of the validators in the state.
pub(crate) fn last_change_key() -> Vec<u8> {
    storage_prefix(b"Participation", b"LastSetChange").to_vec()
}

/// The key of the block's time in the state.
pub(crate) fn time_key() -> Vec<u8> {
    storage_prefix(b"Timestamp", b"Now").to_vec()
}

/// What the state says of the last change of the validators; 0 stands for the genesis.
pub(crate) fn last_change(proof: &[u8], state_root: &Digest) -> Result<u32, Lie> {
    number(proof, &last_change_key(), state_root, "last change").map(u32::from_le_bytes)
}

/// A number in the state, lowest byte first; 0 if it is not there.
fn number<const N: usize>(
    proof: &[u8],
    key: &[u8],
    state_root: &Digest,
    what: &'static str,
) -> Result<[u8; N], Lie> {
    let value = value_of(proof, key, state_root).map_err(Lie::Proof)?;
    let Some(value) = value else { return Ok([0; N]) };
    let odd = || Lie::Form { what, reason: format!("expected {N} bytes, found {}", value.len()) };
    value.try_into().map_err(|_| odd())
}

/// A decided header that can be read.
pub(crate) fn read(bytes: &[u8]) -> Result<DecidedHeader<'_>, Lie> {
    DecidedHeader::read(bytes)
        .map_err(|refusal| Lie::Form { what: "header", reason: refusal.to_string() })
}

impl Knowledge {
    /// Knows what the user trusts: `start` with its decided header, and who decides the blocks
    /// after it.
    pub(crate) fn new(genesis: Digest, start: Block, header: Vec<u8>, set: Deciders) -> Self {
        let known = BTreeMap::from([(start.number, header)]);
        Self { genesis, start, sets: vec![set], known, time: 0, fork: None }
    }

    /// Hash of the chain's genesis.
    pub fn genesis(&self) -> Digest {
        self.genesis
    }

    /// The block that the user trusts.
    pub fn start(&self) -> Block {
        self.start
    }

    /// The newest known block.
    pub fn head(&self) -> Block {
        let last = self.known.last_key_value();
        last.and_then(|(_, bytes)| DecidedHeader::read(bytes).ok())
            .map_or(self.start, |header| header.block())
    }

    /// Time by the chain's clock, in milliseconds since 1970, of the newest block whose state
    /// was proved: the head, or shortly before it if a certificate brought the head.
    pub fn time(&self) -> Option<u64> {
        (self.time > 0).then_some(self.time)
    }

    /// Those who decide the blocks after the last change that is known.
    pub fn validators(&self) -> &Deciders {
        // There is one set at least.
        &self.sets[self.sets.len() - 1]
    }

    /// The checkpoint at which certificates may start: the block that named the oldest validators
    /// that are known still.
    pub fn checkpoint(&self) -> Block {
        self.sets.first().map_or(self.start, Deciders::named_in)
    }

    /// How many blocks are kept to tell a fork.
    pub fn known(&self) -> usize {
        self.known.len()
    }

    /// The fork that was shown, if one was.
    pub fn fork(&self) -> Option<&Fork> {
        self.fork.as_deref()
    }

    /// Takes what a server showed: all of it, or nothing but a fork. The server's head.
    ///
    /// # Errors
    /// It is not so, or too old to tell.
    pub fn apply(&mut self, update: &Update) -> Result<Block, Failure> {
        let mut next = self.clone();
        let applied = next.follow(update);
        match &applied {
            Ok(_) => *self = next,
            Err(_) => self.fork = next.fork,
        }
        applied
    }

    fn follow(&mut self, update: &Update) -> Result<Block, Failure> {
        for change in &update.changes {
            // Another server may have shown it meanwhile.
            if read(change)?.block().number >= self.validators().named_in().number {
                self.learn(change)?;
            }
        }
        let before = self.head();
        let head = self.learn(&update.head)?;
        let header = read(&update.head)?;
        let named = header.names().map_err(|refusal| not_decided(&head, refusal))?;
        let shown = match named {
            Some(_) => head.number,
            None => self.deciders(head.number)?.named_in().number,
        };
        let root = header.state_root();
        let proved = last_change(&update.last_change, &root)?;
        if proved != shown {
            return Err(Lie::Hidden { number: head.number, proved, shown }.into());
        }
        let time = number(&update.time, &time_key(), &root, "time").map(u64::from_le_bytes)?;
        if head.number >= before.number {
            self.time = time;
        }
        Ok(head)
    }

    /// Takes a block that is decided by the validators of its height, and the validators that
    /// it names.
    ///
    /// # Errors
    /// It is not, or too old to tell; or another block of its height is known, and both are
    /// kept as evidence then.
    pub fn learn(&mut self, bytes: &[u8]) -> Result<Block, Failure> {
        let decided = read(bytes)?;
        let block = decided.block();
        if self.contradicts(&block) {
            self.judge(&decided)?;
            let first = self.known.get(&block.number).cloned().unwrap_or_default();
            let fork = Fork { number: block.number, first, second: bytes.to_vec() };
            self.fork = Some(Box::new(fork.clone()));
            return Err(Failure::Forked(Box::new(fork)));
        }
        if self.known.contains_key(&block.number) {
            return Ok(block);
        }
        self.judge(&decided)?;
        let named = decided.names().map_err(|refusal| not_decided(&block, refusal))?;
        if let Some(set) = named {
            let last = self.validators().named_in().number;
            if block.number < last {
                // The set that decided it is not the last one, and others came right after.
                let (number, previous) = (block.number, set.previous());
                return Err(Lie::Changes { number, previous, known: last }.into());
            }
            self.sets.push(set);
            let more = self.sets.len().saturating_sub(MAX_SETS);
            self.sets.drain(..more);
            // Those who were replaced decide no later block, whatever they signed.
            self.known.retain(|number, _| *number < block.number);
        }
        self.known.insert(block.number, bytes.to_vec());
        self.forget();
        Ok(block)
    }

    /// Whether a known block has this number and another hash.
    fn contradicts(&self, block: &Block) -> bool {
        let known = self.known.get(&block.number);
        known
            .and_then(|bytes| DecidedHeader::read(bytes).ok())
            .is_some_and(|known| known.block().hash != block.hash)
    }

    /// That the validators of its height decided a block.
    fn judge(&self, decided: &DecidedHeader<'_>) -> Result<(), Failure> {
        let block = decided.block();
        let set = self.deciders(block.number)?;
        let checked = set.check(&self.genesis, decided);
        checked.map_err(|refusal| not_decided(&block, refusal).into())
    }

    /// Those who decide the block with this number.
    fn deciders(&self, number: u32) -> Result<&Deciders, Failure> {
        let set = self.sets.iter().rev().find(|set| set.named_in().number < number);
        let oldest = self.sets.first().map_or(0, |set| set.named_in().number);
        set.ok_or(Failure::Old { number, oldest })
    }

    /// Lets go of the oldest blocks, when there are too many, but of those that named
    /// validators.
    fn forget(&mut self) {
        let bytes = |known: &BTreeMap<u32, Vec<u8>>| known.values().map(Vec::len).sum::<usize>();
        while self.known.len() > MAX_KNOWN || bytes(&self.known) > MAX_KNOWN_BYTES {
            let newest = self.known.last_key_value().map(|(number, _)| *number);
            let names = |number: u32| self.sets.iter().any(|set| set.named_in().number == number);
            let old = self.known.keys().copied().find(|number| !names(*number));
            match old.filter(|old| newest.is_some_and(|newest| *old < newest)) {
                Some(old) => self.known.remove(&old),
                None => return,
            };
        }
    }

    /// Takes a certificate of a bill: one that holds for whoever trusts the block with the hash
    /// `checkpoint`, which was known when it was asked for; is about the bill; and of a block that
    /// is decided by the validators that are known and at most `behind` blocks behind the newest.
    ///
    /// # Errors
    /// It is not so.
    pub fn accept(
        &mut self,
        certificate: &[u8],
        (code, number): (&str, &str),
        checkpoint: &Digest,
        behind: u32,
    ) -> Result<Accepted, Failure> {
        let proved = verify_from(certificate, checkpoint).map_err(Lie::Certificate)?;
        let (about, exists) = about(&proved.statement);
        if about != Some((code, number)) {
            let asked = format!("{code}-{number}");
            let given = about
                .map_or_else(|| "no bill".into(), |(code, number)| format!("bill {code}-{number}"));
            return Err(Lie::OtherBill { asked, given }.into());
        }
        // The certificate brings its own validators: here count those that are known.
        let head = head_of(certificate).map_err(Lie::Certificate)?;
        let (block, head) = (self.learn(head.bytes())?, self.head().number);
        if head - block.number > behind {
            return Err(Failure::Stale { block: block.number, head, most: behind });
        }
        Ok(Accepted { block, checkpoint: proved.from, exists })
    }
}

fn not_decided(block: &Block, refusal: billchain_verifier::Refusal) -> Lie {
    Lie::NotDecided { number: block.number, refusal }
}

/// Code and number of the bill that is meant, if one is, and whether it is there.
fn about<'a>(statement: &Statement<'a>) -> (Option<(&'a str, &'a str)>, bool) {
    if let Statement::Present { bill, .. } = statement {
        (Some((bill.code, bill.number)), true)
    } else if let Statement::Absent { code, number } = statement {
        (Some((*code, *number)), false)
    } else {
        (None, false)
    }
}

#[cfg(test)]
mod tests;
