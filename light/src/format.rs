//! The state file's bytes. `docs/light-client.md` has them one by one.

use crate::{
    FileError, Fork, Knowledge,
    file::{FORMAT, MAX_BYTES},
    knowledge::read,
};
use billchain_primitives::sm3;
use billchain_verifier::{Block, Deciders, Digest};
use std::{collections::BTreeMap, path::Path};

/// What the file begins with.
const MAGIC: [u8; 4] = *b"BCLC";

impl Knowledge {
    /// The bytes of the state file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::from(MAGIC);
        bytes.push(FORMAT);
        bytes.extend(self.genesis);
        put_block(&mut bytes, &self.start);
        bytes.extend(self.time.to_be_bytes());
        // Two sets, 64 blocks and one fork are the most.
        bytes.push(self.sets.len() as u8);
        for set in &self.sets {
            put_block(&mut bytes, &set.named_in());
            put(&mut bytes, set.item());
        }
        bytes.push(self.known.len() as u8);
        self.known.values().for_each(|header| put(&mut bytes, header));
        match &self.fork {
            None => bytes.push(0),
            Some(fork) => {
                bytes.push(1);
                put(&mut bytes, &fork.first);
                put(&mut bytes, &fork.second);
            }
        }
        let digest = sm3(&bytes);
        bytes.extend(digest);
        bytes
    }

    /// Reads the bytes of a state file; `path` is for the error's words.
    ///
    /// # Errors
    /// They are damaged, or of another format.
    pub fn from_bytes(bytes: &[u8], path: &Path) -> Result<Self, FileError> {
        parse(bytes).map_err(|reason| FileError::Damaged { path: path.to_owned(), reason })
    }
}

fn put_block(bytes: &mut Vec<u8>, block: &Block) {
    bytes.extend(block.number.to_be_bytes());
    bytes.extend(block.hash);
}

fn put(bytes: &mut Vec<u8>, part: &[u8]) {
    // No part is longer than the largest answer of a server.
    bytes.extend((part.len() as u32).to_be_bytes());
    bytes.extend(part);
}

/// The rest of the file.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], String> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or("it is cut short")?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let (taken, rest) = self.0.split_first_chunk::<N>().ok_or("it is cut short")?;
        self.0 = rest;
        Ok(*taken)
    }

    fn byte(&mut self) -> Result<u8, String> {
        self.array().map(|[byte]| byte)
    }

    fn block(&mut self) -> Result<Block, String> {
        let number = self.array().map(u32::from_be_bytes)?;
        Ok(Block { number, hash: self.array()? })
    }

    fn part(&mut self) -> Result<&'a [u8], String> {
        let length = self.array().map(u32::from_be_bytes)?;
        self.take(usize::try_from(length).unwrap_or(usize::MAX))
    }

    /// A decided header, and the number of its block.
    fn header(&mut self) -> Result<(u32, Vec<u8>), String> {
        let bytes = self.part()?;
        let header = read(bytes).map_err(|lie| lie.to_string())?;
        Ok((header.block().number, bytes.to_vec()))
    }
}

fn parse(bytes: &[u8]) -> Result<Knowledge, String> {
    if bytes.len() > MAX_BYTES {
        return Err(format!("it has {} bytes, expected at most {MAX_BYTES}", bytes.len()));
    }
    let (content, digest) = bytes.split_last_chunk::<32>().ok_or("it is cut short")?;
    let mut reader = Reader(content);
    if reader.array()? != MAGIC {
        return Err("it does not begin with BCLC".into());
    }
    let format = reader.byte()?;
    if format != FORMAT {
        return Err(format!("it has format {format}, expected {FORMAT}"));
    }
    if sm3(content) != *digest {
        return Err("its digest is not that of its bytes".into());
    }
    let genesis: Digest = reader.array()?;
    let start = reader.block()?;
    let time = reader.array().map(u64::from_be_bytes)?;
    let sets = sets(&mut reader)?;
    let known = known(&mut reader)?;
    let fork = match reader.byte()? {
        0 => None,
        1 => {
            let ((number, first), (other, second)) = (reader.header()?, reader.header()?);
            if number != other || first == second {
                return Err("its fork is none".into());
            }
            Some(Box::new(Fork { number, first, second }))
        }
        other => return Err(format!("a fork is {other}, expected 0 or 1")),
    };
    if !reader.0.is_empty() {
        return Err("bytes follow its end".into());
    }
    Ok(Knowledge { genesis, start, sets, known, time, fork })
}

fn sets(reader: &mut Reader<'_>) -> Result<Vec<Deciders>, String> {
    let count = reader.byte()?;
    if !(1..=2).contains(&count) {
        return Err(format!("it has {count} sets of validators, expected 1 or 2"));
    }
    let mut sets: Vec<Deciders> = Vec::new();
    for _ in 0..count {
        let named_in = reader.block()?;
        let set = Deciders::read(named_in, reader.part()?).map_err(|error| error.to_string())?;
        if sets.last().is_some_and(|last| last.named_in().number != set.previous()) {
            return Err("its sets of validators do not follow one another".into());
        }
        sets.push(set);
    }
    Ok(sets)
}

fn known(reader: &mut Reader<'_>) -> Result<BTreeMap<u32, Vec<u8>>, String> {
    let count = usize::from(reader.byte()?);
    if !(1..=crate::MAX_KNOWN).contains(&count) {
        return Err(format!("it has {count} blocks, expected 1 to {}", crate::MAX_KNOWN));
    }
    let mut known = BTreeMap::new();
    for _ in 0..count {
        let (number, header) = reader.header()?;
        if known.last_key_value().is_some_and(|(last, _)| *last >= number) {
            return Err("its blocks are out of order".into());
        }
        known.insert(number, header);
    }
    Ok(known)
}

#[cfg(test)]
mod tests;
