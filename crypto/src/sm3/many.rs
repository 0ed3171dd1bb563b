//! Many inputs at once.
//!
//! Each of the processor's lanes has a message; when its last block is
//! compressed, the next message takes the lane. So lengths may differ, and what
//! is left when there are fewer messages than would pay is finished one by one.

use super::{Sm3, sm3};
#[cfg(target_arch = "x86_64")]
use super::{
    compress::{BLOCK_LEN, IV, compress},
    digest, padded,
    x86::{self, LANES, Level},
};

/// Messages for which all lanes together cost less than one after another.
#[cfg(target_arch = "x86_64")]
const MIN_MESSAGES: usize = 3;

/// The hashes of all messages, in their order: the same as hashing each by
/// itself, several times faster where the processor has AVX2 or AVX-512.
pub fn sm3_many<M: AsRef<[u8]>>(messages: &[M]) -> Vec<[u8; 32]> {
    #[cfg(target_arch = "x86_64")]
    {
        let level = Level::of_this_processor();
        if level >= Level::Avx2 && messages.len() >= MIN_MESSAGES {
            return by_lanes(level, MIN_MESSAGES, messages);
        }
    }
    messages.iter().map(|message| sm3(message.as_ref())).collect()
}

/// The hashes of two messages, each given in parts: of two Merkle nodes.
pub fn sm3_pair(left: &[&[u8]], right: &[&[u8]]) -> ([u8; 32], [u8; 32]) {
    // Two lanes of eight pay with AVX-512 only.
    #[cfg(target_arch = "x86_64")]
    if Level::of_this_processor() == Level::Avx512
        && let (Some(left), Some(right)) = (Short::new(left), Short::new(right))
        && left.count == right.count
    {
        return short_pair(&left, &right);
    }
    (sm3_parts(left), sm3_parts(right))
}

/// A message of two blocks at most, which Merkle nodes are, padded.
#[cfg(target_arch = "x86_64")]
struct Short {
    blocks: [[u8; BLOCK_LEN]; 2],
    count: usize,
}

#[cfg(target_arch = "x86_64")]
impl Short {
    /// Nothing if the parts together are longer.
    fn new(parts: &[&[u8]]) -> Option<Self> {
        let (mut buffer, mut length) = ([0; 2 * BLOCK_LEN], 0);
        // One byte and the length must fit behind the message.
        let room = buffer.len() - 9;
        for part in parts {
            let place = buffer[..room].get_mut(length..length + part.len())?;
            place.copy_from_slice(part);
            length += part.len();
        }
        buffer[length] = 0x80;
        let count = if length < BLOCK_LEN - 8 { 1 } else { 2 };
        let end = count * BLOCK_LEN;
        buffer[end - 8..end].copy_from_slice(&(8 * length as u64).to_be_bytes());
        let blocks = [*buffer.first_chunk()?, *buffer.last_chunk()?];
        Some(Self { blocks, count })
    }
}

/// Two messages of as many blocks, in the first two lanes.
#[cfg(target_arch = "x86_64")]
fn short_pair(left: &Short, right: &Short) -> ([u8; 32], [u8; 32]) {
    let mut states = IV.map(|word| [word; LANES]);
    for (left, right) in left.blocks.iter().zip(&right.blocks).take(left.count) {
        let mut blocks = [left; LANES];
        blocks[1] = right;
        x86::compress_lanes(Level::Avx512, &mut states, &blocks);
    }
    (digest(states.iter().map(|words| words[0])), digest(states.iter().map(|words| words[1])))
}

fn sm3_parts(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sm3::new();
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize()
}

/// A message on its way through a lane.
#[cfg(target_arch = "x86_64")]
struct Lane<'a> {
    /// Its place among the messages.
    message: usize,
    /// Whole blocks not compressed yet.
    blocks: &'a [[u8; BLOCK_LEN]],
    /// What comes after them, the padding included.
    last: [[u8; BLOCK_LEN]; 2],
    /// How many of these were compressed, and how many there are.
    last_done: usize,
    last_count: usize,
}

#[cfg(target_arch = "x86_64")]
impl<'a> Lane<'a> {
    fn new(message: usize, data: &'a [u8]) -> Self {
        let (blocks, rest) = data.as_chunks();
        let (last, last_count) = padded(rest, data.len() as u64);
        Self { message, blocks, last, last_done: 0, last_count }
    }

    /// The next block.
    fn block(&self) -> &[u8; BLOCK_LEN] {
        self.blocks.first().unwrap_or(&self.last[self.last_done])
    }

    /// Goes on to the next block; false if there is none.
    fn advance(&mut self) -> bool {
        match self.blocks {
            [_, rest @ ..] => self.blocks = rest,
            [] => self.last_done += 1,
        }
        self.last_done < self.last_count
    }

    /// Compresses all that is left.
    fn finish(&self, state: &mut [u32; 8]) {
        compress(state, self.blocks);
        compress(state, &self.last[self.last_done..self.last_count]);
    }
}

/// Hashes with lanes as long as at least `min` of them are taken.
#[cfg(target_arch = "x86_64")]
fn by_lanes<M: AsRef<[u8]>>(level: Level, min: usize, messages: &[M]) -> Vec<[u8; 32]> {
    const IDLE: [u8; BLOCK_LEN] = [0; BLOCK_LEN];
    let mut hashes = vec![[0; 32]; messages.len()];
    let mut waiting = messages.iter().enumerate().map(|(at, data)| Lane::new(at, data.as_ref()));
    let mut lanes: [Option<Lane<'_>>; LANES] = std::array::from_fn(|_| waiting.next());
    let mut states = IV.map(|word| [word; LANES]);
    while lanes.iter().flatten().count() >= min {
        let blocks = lanes.each_ref().map(|lane| lane.as_ref().map_or(&IDLE, Lane::block));
        x86::compress_lanes(level, &mut states, &blocks);
        for (place, slot) in lanes.iter_mut().enumerate() {
            let Some(lane) = slot else { continue };
            if !lane.advance() {
                hashes[lane.message] = digest(states.iter().map(|words| words[place]));
                *slot = waiting.next();
                states.iter_mut().zip(IV).for_each(|(words, initial)| words[place] = initial);
            }
        }
    }
    for (place, lane) in lanes.iter().enumerate() {
        let Some(lane) = lane else { continue };
        let mut state = states.map(|words| words[place]);
        lane.finish(&mut state);
        hashes[lane.message] = digest(state.into_iter());
    }
    hashes
}

#[cfg(test)]
pub(super) mod testing {
    //! Every way this processor has.

    #[cfg(target_arch = "x86_64")]
    use super::{Level, by_lanes};

    /// The hashes of all messages by every way, named.
    pub(in crate::sm3) fn every_way(messages: &[Vec<u8>]) -> Vec<(String, Vec<[u8; 32]>)> {
        let mut ways = vec![("chosen".into(), super::sm3_many(messages))];
        #[cfg(target_arch = "x86_64")]
        for level in [Level::Avx2, Level::Avx512] {
            if level <= Level::of_this_processor() {
                for min in [1, 2, 3, 8] {
                    ways.push((format!("{level:?}, {min}"), by_lanes(level, min, messages)));
                }
            }
        }
        ways
    }
}
