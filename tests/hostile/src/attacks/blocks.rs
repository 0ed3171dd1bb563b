//! Attacks with blocks and their announcements.

use std::collections::BTreeMap;

use billchain_primitives::Hash;
use bytes::Bytes;
use codec::{Compact, Encode};

use super::{Misbehave, Mouth, Scene};
use crate::member::{Claim, Member};
use crate::network::Heard;
use crate::wire::{Announcement, CHUNK, Part, Statement, StreamPart};

/// Streams of others that are remembered.
const STREAMS: usize = 64;
/// Transactions of a compact block that nobody has.
const WITHHELD: u32 = 2_000;

/// Opens a stream with an announcement, and sends the content, if any.
fn send(out: &mut Mouth, announced: Part, content: &[u8]) {
    let id = out.next().to_be_bytes().to_vec();
    out.part(StreamPart { id: id.clone(), sequence: 0, part: Some(announced) });
    for (sequence, chunk) in (1_u64..).zip(content.chunks(CHUNK)) {
        let part = Some(Part::Data(Bytes::copy_from_slice(chunk)));
        out.part(StreamPart { id: id.clone(), sequence, part });
    }
}

/// A block of nothing.
fn nothing(out: &mut Mouth, height: u64, round: u32) -> Claim {
    let (hash, content) = (out.hash(), out.hash().0);
    Claim { height, round, hash, size: 1_000, content }
}

/// See [`Attack::Announcements`](super::Attack::Announcements).
pub(super) struct Announcements;

impl Misbehave for Announcements {
    fn round(&mut self, member: &Member, scene: Scene, out: &mut Mouth) {
        for height in [scene.height, scene.height + 1] {
            for round in (0..3).flat_map(|round| [round; 3]) {
                let claim = nothing(out, height, round);
                send(out, member.announce(&claim, None), &[]);
            }
        }
    }
}

/// See [`Attack::Parts`](super::Attack::Parts).
pub(super) struct Parts;

impl Misbehave for Parts {
    fn tick(&mut self, member: &Member, scene: Scene, out: &mut Mouth) {
        for _ in 0..10 {
            let number = out.next();
            let (height, round) = (scene.height + number % 8, (number % 11) as u32);
            let claim = nothing(out, height, round);
            let compact = number.is_multiple_of(2).then_some(500);
            send(out, member.announce(&claim, compact), &[]);
        }
        let number = out.next();
        let part = Some(Part::Data(vec![number as u8; CHUNK / 2].into()));
        let id = (number % 1_000).to_be_bytes().to_vec();
        out.part(StreamPart { id, sequence: 1 + number % 40, part });
    }
}

/// A stream of somebody else.
struct Stream {
    announced: Announcement,
    compact: Option<u32>,
    content: Vec<u8>,
}

impl Stream {
    fn is_complete(&self) -> bool {
        self.content.len() >= self.compact.unwrap_or(self.announced.size) as usize
    }
}

/// See [`Attack::LateBlocks`](super::Attack::LateBlocks).
#[derive(Default)]
pub(super) struct LateBlocks {
    streams: BTreeMap<Vec<u8>, Stream>,
}

impl Misbehave for LateBlocks {
    fn heard(&mut self, member: &Member, _: Scene, heard: &Heard, out: &mut Mouth) {
        let Heard::Part { id, part } = heard else { return };
        let (announced, compact) = match part {
            Part::Init(announced, _) => (announced, None),
            Part::InitCompact(announced, _, size) => (announced, Some(*size)),
            Part::Data(data) => {
                let Some(stream) = self.streams.get_mut(id) else { return };
                // They come in order from one that is honest.
                stream.content.extend_from_slice(data);
                if stream.is_complete()
                    && let Some(stream) = self.streams.remove(id)
                {
                    again(member, &stream, out);
                }
                return;
            }
        };
        if announced.proposer == member.address {
            return;
        }
        if self.streams.len() >= STREAMS {
            self.streams.clear();
        }
        let stream = Stream { announced: announced.clone(), compact, content: Vec::new() };
        self.streams.insert(id.clone(), stream);
    }
}

/// The same block for later rounds of the member, under wrong hashes.
fn again(member: &Member, stream: &Stream, out: &mut Mouth) {
    let Announcement { height, round, size, content, .. } = stream.announced;
    for round in (round + 1..round + 4).filter(|round| member.proposes(height, *round)) {
        for _ in 0..2 {
            let claim = Claim { height, round, hash: out.hash(), size, content };
            send(out, member.announce(&claim, stream.compact), &stream.content);
        }
    }
}

/// See [`Attack::Withheld`](super::Attack::Withheld).
pub(super) struct Withheld;

impl Misbehave for Withheld {
    fn round(&mut self, member: &Member, Scene { height, round }: Scene, out: &mut Mouth) {
        for (height, round) in (round..round + 3).map(|round| (height, round)) {
            if member.proposes(height, round) {
                withhold(member, height, round, out);
            }
        }
        if member.proposes(height + 1, 0) {
            withhold(member, height + 1, 0, out);
        }
    }
}

fn withhold(member: &Member, height: u64, round: u32, out: &mut Mouth) {
    let compact = compact_of_nothing(height, out);
    let claim = Claim { size: 200 * WITHHELD, ..nothing(out, height, round) };
    send(out, member.announce(&claim, Some(compact.len() as u32)), &compact);
    out.state(Statement::Proposal(member.proposal(height, round, claim.hash, None)));
}

/// A header, and hashes of transactions that do not exist.
fn compact_of_nothing(height: u64, out: &mut Mouth) -> Vec<u8> {
    let mut bytes = Hash::zero().encode();
    Compact(height as u32).encode_to(&mut bytes);
    (Hash::zero(), Hash::zero(), Vec::<u8>::new()).encode_to(&mut bytes);
    Compact(WITHHELD).encode_to(&mut bytes);
    for _ in 0..WITHHELD {
        (0_u8, out.hash()).encode_to(&mut bytes);
    }
    bytes
}
