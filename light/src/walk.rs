//! Ways backwards through headers that nobody has checked yet: from a server's last change of
//! the validators to the one that is known, and from a checkpoint to those who decide after it.
//! Both have a last step, whatever the server gives.

use crate::{Failure, Knowledge, Lie, knowledge::read};
use billchain_verifier::{Block, Digest};

/// Most changes of the validators that are taken at once.
pub const MAX_CHANGES: usize = 4_096;

/// Most bytes of them.
const MAX_CHANGE_BYTES: usize = 32 << 20;

/// Most blocks from a checkpoint back to the one that named its validators.
pub const MAX_PARENTS: usize = 4_096;

/// From a change of the validators back to the one that is known: each names the one before.
pub struct Walk {
    known: u32,
    wanted: Option<u32>,
    found: Vec<Vec<u8>>,
    bytes: usize,
}

impl Walk {
    /// Begins at block `last`, which is said to be the last change, and leads to block
    /// `known`. There is no way if it is not behind that.
    pub fn new(known: u32, last: u32) -> Self {
        let wanted = (last > known).then_some(last);
        Self { known, wanted, found: Vec::new(), bytes: 0 }
    }

    /// The block whose header is wanted next; none at the end.
    pub fn wanted(&self) -> Option<u32> {
        self.wanted
    }

    /// Takes the decided header of the wanted block.
    ///
    /// # Errors
    /// It is of another block, names no validators, or leads past the known change; or the way
    /// is too long.
    pub fn take(&mut self, bytes: Vec<u8>) -> Result<(), Failure> {
        let Some(asked) = self.wanted else { return Ok(()) };
        let (number, named) = {
            let header = read(&bytes)?;
            (header.block().number, header.names())
        };
        if number != asked {
            let (asked, given) = (asked.to_string(), number.to_string());
            return Err(Lie::OtherBlock { asked, given }.into());
        }
        let named = named.map_err(|refusal| Lie::NotDecided { number, refusal })?;
        let Some(set) = named else { return Err(Lie::NoChange { number }.into()) };
        let (previous, known) = (set.previous(), self.known);
        if previous < known || previous >= number {
            return Err(Lie::Changes { number, previous, known }.into());
        }
        if self.found.len() >= MAX_CHANGES || self.bytes + bytes.len() > MAX_CHANGE_BYTES {
            let what = "changes of the validators between the known block and its head";
            return Err(Failure::TooFar { what, most: MAX_CHANGES });
        }
        self.bytes += bytes.len();
        self.found.push(bytes);
        self.wanted = (previous > known).then_some(previous);
        Ok(())
    }

    /// The headers, ascending.
    pub fn forward(self) -> Vec<Vec<u8>> {
        let mut found = self.found;
        found.reverse();
        found
    }
}

/// From a block that the user trusts back to the one that named those who decide after it:
/// each header has the hash of the one before.
pub struct Descent {
    genesis: Digest,
    start: Option<(Block, Vec<u8>)>,
    wanted: Digest,
    steps: usize,
}

/// Where a descent is.
pub enum Step {
    /// Another header is wanted.
    More(Descent),
    /// Who decides is known.
    Done(Box<Knowledge>),
}

impl Descent {
    /// Begins at the block with the hash `trusted`, of the chain with this genesis; both may
    /// be one.
    pub fn new(genesis: Digest, trusted: Digest) -> Self {
        Self { genesis, start: None, wanted: trusted, steps: 0 }
    }

    /// Hash of the block whose header is wanted.
    pub fn wanted(&self) -> Digest {
        self.wanted
    }

    /// Takes the decided header of the wanted block.
    ///
    /// # Errors
    /// It is of another block, or names validators in another form; or the way is too long.
    pub fn take(mut self, bytes: Vec<u8>) -> Result<Step, Failure> {
        let (block, parent, named) = {
            let header = read(&bytes)?;
            (header.block(), header.parent(), header.names())
        };
        if block.hash != self.wanted {
            let hex = |hash: &Digest| format!("0x{}", hex::encode(hash));
            let (asked, given) = (hex(&self.wanted), hex(&block.hash));
            return Err(Lie::OtherBlock { asked, given }.into());
        }
        let named = named.map_err(|refusal| {
            let reason = format!("block {}: {refusal}", block.number);
            Lie::Form { what: "header", reason }
        })?;
        let (start, first) = self.start.take().unwrap_or((block, bytes));
        if let Some(set) = named {
            return Ok(Step::Done(Box::new(Knowledge::new(self.genesis, start, first, set))));
        }
        self.steps += 1;
        if self.steps > MAX_PARENTS || block.number == 0 {
            let what = "blocks from the checkpoint back to one that named its validators";
            return Err(Failure::TooFar { what, most: MAX_PARENTS });
        }
        Ok(Step::More(Self { start: Some((start, first)), wanted: parent, ..self }))
    }
}

#[cfg(test)]
mod tests;
