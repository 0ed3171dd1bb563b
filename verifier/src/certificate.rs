//! The certificate: what it says, and all that proves it.

mod earlier;
mod totals;

use crate::{
    Bill, Change, Digest, Refusal, Tally,
    bill::{self, Key, PREFIX},
    decision::{Decision, SetChange, Validators},
    header::Header,
    inclusion::Path,
    place::Roots,
    reader::Reader,
    sm3,
    version::VersionHead,
};
use alloc::{boxed::Box, vec::Vec};

/// Longest certificate.
pub const MAX_BYTES: usize = 1 << 20;

/// What a certificate begins with.
pub(crate) const MAGIC: [u8; 4] = *b"BCPF";

/// The format that this program knows.
pub(crate) const FORMAT: u8 = 2;

/// What a certificate says, by the byte that follows the format.
pub(crate) const PRESENT: u8 = 1;
pub(crate) const ABSENT: u8 = 2;
pub(crate) const NUMBERS: u8 = 3;
pub(crate) const MONTH: u8 = 4;
pub(crate) const VERSION: u8 = 5;

/// Where its chain starts.
pub(crate) const AT_GENESIS: u8 = 0;
pub(crate) const LATER: u8 = 1;

/// Where the transaction of a version lies.
pub(crate) const NO_TRANSACTION: u8 = 0;
pub(crate) const SAME_BLOCK: u8 = 1;
pub(crate) const EARLIER_BLOCK: u8 = 2;
pub(crate) const NOT_SHOWN: u8 = 3;

/// What a certificate proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proved<'a> {
    /// Hash of the chain's genesis.
    pub genesis: Digest,
    /// The block whose hash was trusted: the genesis, or the checkpoint.
    pub from: Block,
    /// The block after which it was so. Of two certificates, that of the higher block is the
    /// newer one.
    pub block: Block,
    /// What was so.
    pub statement: Statement<'a>,
}

/// A block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Its number.
    pub number: u32,
    /// Its hash.
    pub hash: Digest,
}

/// What the chain held after the block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Statement<'a> {
    /// The bill.
    Present {
        /// As it was.
        bill: Box<Bill<'a>>,
        /// The transaction that made its version; none if a block did by itself, or the block
        /// is before the checkpoint or not shown.
        transaction: Option<Transaction>,
    },
    /// No bill had this code and number.
    Absent {
        /// 票据代码, 8 digits.
        code: &'a str,
        /// 票据号码, 10 digits.
        number: &'a str,
    },
    /// The bills of a range of numbers (号段).
    Numbers {
        /// 票据代码, 8 digits.
        code: &'a str,
        /// The first number, 10 digits.
        first: &'a str,
        /// The last number, 10 digits; not below the first.
        last: &'a str,
        /// All bills that have a number of the range, each once.
        tally: Tally,
        /// Numbers of the range that no bill has.
        missing: u64,
    },
    /// The bills that an issuer issued in a month (开票月份), by their issue date.
    Month {
        /// DID of the issuer.
        issuer: &'a str,
        /// The month, yyyymm.
        month: &'a str,
        /// All its bills.
        tally: Tally,
    },
    /// An earlier version of a bill (历史版本).
    Version {
        /// The bill as it was then.
        bill: Box<Bill<'a>>,
        /// What made it so.
        change: Box<Change<'a>>,
        /// The transaction that made it so; none if it is not shown, a block did by itself, or
        /// the block is before the checkpoint.
        transaction: Option<Transaction>,
        /// The bill as it is.
        present: Box<Bill<'a>>,
    },
}

/// A transaction of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// The block.
    pub block: Block,
    /// Its place in the block.
    pub index: u32,
    /// SM3 of its bytes.
    pub hash: Digest,
}

/// What `certificate` proves to whoever trusts that `genesis` is the hash of the chain's
/// first block.
///
/// # Errors
/// Whatever is wrong with it: a certificate proves all that it says, or nothing. One that starts
/// at a later change of the validators proves nothing from the genesis on.
pub fn verify<'a>(certificate: &'a [u8], genesis: &Digest) -> Result<Proved<'a>, Refusal> {
    check(certificate, Trusted::Genesis(genesis))
}

/// What `certificate` proves to whoever trusts that `checkpoint` is the hash of a block of the
/// chain whose header names validators: the genesis or a later change.
///
/// What the certificate says of the chain before that block is read, and not believed: no
/// signature there is checked, and no transaction there is proved. The genesis in the result is
/// that which the validators of the head signed for.
///
/// # Errors
/// Whatever is wrong with it; also if the checkpoint is not in it.
pub fn verify_from<'a>(certificate: &'a [u8], checkpoint: &Digest) -> Result<Proved<'a>, Refusal> {
    check(certificate, Trusted::Checkpoint(checkpoint))
}

/// The block that the checker trusts, by its hash.
#[derive(Clone, Copy)]
enum Trusted<'a> {
    /// The first one.
    Genesis(&'a Digest),
    /// The first one, or a change of the validators.
    Checkpoint(&'a Digest),
}

fn check<'a>(certificate: &'a [u8], trusted: Trusted<'_>) -> Result<Proved<'a>, Refusal> {
    let mut reader = Reader::new(certificate, "certificate");
    if certificate.len() > MAX_BYTES {
        return Err(reader.refusal("it is longer than 1 MiB"));
    }
    if reader.array()? != MAGIC {
        return Err(reader.refusal("it does not begin with BCPF"));
    }
    let found = reader.byte()?;
    if found != FORMAT {
        return Err(Refusal::Format { found });
    }
    let kind = reader.byte()?;
    let (chain, from) = Chain::read(&mut reader, trusted)?;
    let head = chain.head(&mut reader)?;
    let roots = Roots::read_of(&head.state_root, &mut reader)?;
    let statement = match kind {
        PRESENT => present(&mut reader, &chain, &head, &roots)?,
        ABSENT => absent(&mut reader, &roots)?,
        NUMBERS => totals::numbers(&mut reader, &roots)?,
        MONTH => totals::month(&mut reader, &roots)?,
        VERSION => earlier::version(&mut reader, &chain, &head, &roots)?,
        _ => return Err(reader.refusal("what it says is of an unknown kind")),
    };
    reader.end()?;
    let block = Block { number: head.number, hash: head.hash };
    Ok(Proved { genesis: chain.genesis, from, block, statement })
}

/// Who decides the blocks of a chain.
struct Chain {
    genesis: Digest,
    /// The block that is trusted, once it was read. Decisions after it are checked.
    from: Option<Block>,
    /// From the genesis on, or from the change at which the certificate starts, each with the
    /// block that named them.
    sets: Vec<(Block, Validators)>,
}

impl Chain {
    /// Reads where the chain starts, the number of headers (2) that named other validators after
    /// that, and each with its decision, in the order of blocks; also the block that is trusted.
    fn read(reader: &mut Reader<'_>, trusted: Trusted<'_>) -> Result<(Self, Block), Refusal> {
        let (mut chain, trusted) = Self::start(reader, trusted)?;
        for _ in 0..reader.u16()? {
            let (header, change) = chain.decided(reader)?;
            let Some(SetChange { previous, validators }) = change else {
                return Err(reader.refusal("a header between names no validators"));
            };
            let (number, expected) = (header.number, chain.last_change());
            if number <= expected {
                return Err(Refusal::Gap { number, previous, expected });
            }
            chain.push(&header, validators, trusted);
        }
        let start = chain.sets.first().map(|(block, _)| *block);
        match (chain.from, start) {
            (Some(from), _) => Ok((chain, from)),
            (None, Some(Block { number, hash })) if number > 0 => {
                Err(Refusal::StartsLater { number, hash })
            }
            (None, _) => Err(Refusal::Checkpoint { expected: *trusted }),
        }
    }

    /// Reads the genesis' header, and the header of the change at which the certificate starts,
    /// if that is another block (1); also the hash that is trusted.
    fn start<'t>(
        reader: &mut Reader<'_>,
        trusted: Trusted<'t>,
    ) -> Result<(Self, &'t Digest), Refusal> {
        let genesis = Header::read(reader.bytes()?)?;
        let trusted = match trusted {
            Trusted::Genesis(expected) if genesis.hash != *expected => {
                return Err(Refusal::OtherChain { found: genesis.hash, expected: *expected });
            }
            Trusted::Genesis(hash) | Trusted::Checkpoint(hash) => hash,
        };
        let (0, Some(change)) = (genesis.number, genesis.set_change) else {
            return Err(reader.refusal("the genesis has another number than 0, or no validators"));
        };
        let first = SetChange::read(change)?.validators;
        let mut chain = Self { genesis: genesis.hash, from: None, sets: Vec::new() };
        match reader.byte()? {
            AT_GENESIS => chain.push(&genesis, first, trusted),
            LATER => {
                let header = Header::read(reader.bytes()?)?;
                let (1.., Some(change)) = (header.number, header.set_change) else {
                    let why = "the block at which it starts has the number 0, or no validators";
                    return Err(reader.refusal(why));
                };
                chain.push(&header, SetChange::read(change)?.validators, trusted);
            }
            _ => return Err(reader.refusal("whether it starts at the genesis is not said")),
        }
        Ok((chain, trusted))
    }

    /// Adds the validators that a block named; from the trusted one on, decisions are checked.
    fn push(&mut self, header: &Header<'_>, validators: Validators, trusted: &Digest) {
        let block = Block { number: header.number, hash: header.hash };
        if block.hash == *trusted {
            self.from = Some(block);
        }
        self.sets.push((block, validators));
    }

    /// The block at which the certificate starts; 0 for the genesis. Nobody in it decides that
    /// block, or one before.
    fn first(&self) -> u32 {
        self.sets.first().map_or(0, |(block, _)| block.number)
    }

    /// The block of the last change; 0 for the genesis.
    fn last_change(&self) -> u32 {
        self.sets.last().map_or(0, |(block, _)| block.number)
    }

    /// Reads the header after whose block it was so, and its decision. No change after it is
    /// there.
    fn head<'a>(&self, reader: &mut Reader<'a>) -> Result<Header<'a>, Refusal> {
        let (header, _) = self.decided(reader)?;
        if header.number <= self.last_change() {
            let what = "a change of the validators is not before the certificate's block";
            return Err(Refusal::Contradiction { what });
        }
        Ok(header)
    }

    /// Reads a header and its decision, which the validators of its height made, and the
    /// others that it names. If it does, it names the change before it, too. Who decided a block
    /// before the trusted one is not checked.
    fn decided<'a>(
        &self,
        reader: &mut Reader<'a>,
    ) -> Result<(Header<'a>, Option<SetChange>), Refusal> {
        let header = Header::read(reader.bytes()?)?;
        let decision = Decision::read(reader)?;
        // A change counts from the next block on.
        let at = self.sets.partition_point(|(block, _)| block.number < header.number);
        let Some((last, validators)) = at.checked_sub(1).and_then(|at| self.sets.get(at)) else {
            let what = "nobody decides the block at which it starts, or one before";
            return Err(Refusal::Contradiction { what });
        };
        let same = self.sets.get(at).filter(|(block, _)| block.number == header.number);
        if same.is_some_and(|(block, _)| block.hash != header.hash) {
            let what = "another block has the number of a change of the validators";
            return Err(Refusal::Contradiction { what });
        }
        let change = header.set_change.map(SetChange::read).transpose()?;
        if let Some(SetChange { previous, .. }) = change
            && previous != last.number
        {
            let (number, expected) = (header.number, last.number);
            return Err(Refusal::Gap { number, previous, expected });
        }
        if self.from.is_some_and(|from| header.number > from.number) {
            decision.verify(&self.genesis, &header, validators)?;
        }
        Ok((header, change))
    }

    /// Whether the block of this number named validators, as far as they count for the head.
    fn changes_at(&self, number: u32) -> bool {
        self.sets.binary_search_by_key(&number, |(block, _)| block.number).is_ok()
    }

    /// Whether a block of this number, whose header was read, is one of the chain.
    fn holds(&self, number: u32) -> bool {
        self.from.is_some_and(|from| number >= from.number)
    }
}

/// Reads the bill with its group, the hash of the version before (32), the head of its version
/// (its length, 2, and its bytes), and where the transaction is.
fn present<'a>(
    reader: &mut Reader<'a>,
    chain: &Chain,
    head: &Header<'_>,
    roots: &Roots,
) -> Result<Statement<'a>, Refusal> {
    let (bill, key) = current(reader, roots)?;
    let previous = reader.digest()?;
    let bytes = reader.bytes()?;
    let version = VersionHead::read(bytes)?;
    if sm3(&[&previous, bytes]) != bill.version_hash
        || version.key != key
        || version.version != bill.version
    {
        return Err(Refusal::Contradiction { what: "the version is not that of the bill" });
    }
    let transaction = match reader.byte()? {
        // The certificate starts after it: nobody could check its block.
        NOT_SHOWN if version.transaction.is_some() && version.block <= chain.first() => None,
        place => transaction(place, reader, chain, head, &version)?,
    };
    Ok(Statement::Present { bill, transaction })
}

/// Reads a bill (its length, 2, and its bytes), and its group, which is somewhere.
fn current<'a>(reader: &mut Reader<'a>, roots: &Roots) -> Result<(Box<Bill<'a>>, Key), Refusal> {
    let value = reader.bytes()?;
    let bill = Box::new(Bill::read(value)?);
    let Some(key) = value.first_chunk::<18>() else {
        return Err(reader.refusal("the bill is cut short"));
    };
    let group = roots.group(reader, &bill::shared(key))?;
    if group.and_then(|group| group.value(key[17])) != Some(sm3(&[value])) {
        return Err(Refusal::Contradiction { what: "the bill is not in its group" });
    }
    Ok((bill, *key))
}

/// Reads the transaction of a version, which lies at this place: of one in an earlier block, that
/// block's header and decision; and its path.
fn transaction(
    place: u8,
    reader: &mut Reader<'_>,
    chain: &Chain,
    head: &Header<'_>,
    version: &VersionHead,
) -> Result<Option<Transaction>, Refusal> {
    let earlier;
    let block = match place {
        NO_TRANSACTION => {
            return match version.transaction {
                None if version.block <= head.number => Ok(None),
                None => Err(Refusal::Contradiction { what: "the version is not made yet" }),
                Some(_) => Err(Refusal::Contradiction { what: "the transaction is left out" }),
            };
        }
        SAME_BLOCK => head,
        EARLIER_BLOCK => {
            let (block, change) = chain.decided(reader)?;
            if block.number >= head.number {
                let what = "the transaction's block is not before the certificate's";
                return Err(Refusal::Contradiction { what });
            }
            if change.is_some() && !chain.changes_at(block.number) {
                let what = "the transaction's block changes the validators, and is not listed";
                return Err(Refusal::Contradiction { what });
            }
            earlier = block;
            &earlier
        }
        NOT_SHOWN => {
            return Err(Refusal::Contradiction { what: "the transaction is left out" });
        }
        _ => return Err(reader.refusal("the transaction lies in an unknown place")),
    };
    let Some(index) = version.transaction.filter(|_| version.block == block.number) else {
        return Err(Refusal::Contradiction { what: "the version was made in another block" });
    };
    let hash = Path::read(reader)?.transaction(&block.extrinsics_root, index)?;
    let block = Block { number: block.number, hash: block.hash };
    Ok(chain.holds(block.number).then_some(Transaction { block, index, hash }))
}

/// Reads code and number (18), and what shows that no bill has them.
fn absent<'a>(reader: &mut Reader<'a>, roots: &Roots) -> Result<Statement<'a>, Refusal> {
    let (code, number) = (digits(reader, 8)?, digits(reader, 10)?);
    let Some((last, shared)) = number.as_bytes().split_last() else {
        return Err(reader.refusal("the number has no digits"));
    };
    let group = roots.group(reader, &[&PREFIX[..], code.as_bytes(), shared].concat())?;
    if group.is_some_and(|group| group.value(*last).is_some()) {
        return Err(Refusal::Contradiction { what: "the bill is in its group" });
    }
    Ok(Statement::Absent { code, number })
}

/// Reads so many digits.
fn digits<'a>(reader: &mut Reader<'a>, count: usize) -> Result<&'a str, Refusal> {
    let bytes = reader.take(count)?;
    match core::str::from_utf8(bytes) {
        Ok(text) if bytes.iter().all(u8::is_ascii_digit) => Ok(text),
        _ => Err(reader.refusal("a code, number or month has other characters than digits")),
    }
}

#[cfg(test)]
mod tests;
