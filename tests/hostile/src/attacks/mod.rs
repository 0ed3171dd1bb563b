//! The attacks. Those on the consensus network are pure: what was heard, and that
//! time has passed, goes in, and what is said comes out.

mod blocks;
mod follow;
mod polkas;
mod votes;

use billchain_primitives::Hash;
use bytes::Bytes;
use clap::ValueEnum;

use crate::member::Member;
use crate::network::Heard;
use crate::wire::{Liveness, Polka, Signature, Statement, StreamPart, encode};
pub use follow::{Follow, Votes};

/// How a validator misbehaves. One that says nothing of its votes votes as the
/// others do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Attack {
    /// Votes as the others do, and lets its turns go by.
    Silence,
    /// Announces three blocks for each of the rounds 0 to 2 of this height and the
    /// next, and sends none.
    Announcements,
    /// Floods announcements of many heights and rounds, and parts of no stream.
    Parts,
    /// Announces others' blocks under wrong hashes for its own later rounds, so
    /// that each costs a check.
    LateBlocks,
    /// Announces compact blocks of transactions that nobody has.
    Withheld,
    /// Votes for two blocks and nil in each round, and proposes two blocks.
    Equivocation,
    /// Floods votes: its own for many rounds, and forged ones.
    Votes,
    /// Floods certificates of polkas, forged and old ones, and proposals for many
    /// rounds that claim one.
    Polkas,
    /// Says that it is far ahead, and asks for old blocks without end.
    CatchUp,
    /// Garbage for transactions, and the same questions for transactions again and
    /// again.
    Gossip,
    /// Floods gossipsub's control messages, disorderly ones, on one connection after the
    /// other.
    Mesh,
    /// Connects and disconnects without end, on both networks.
    Reconnect,
}

/// Where something is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// To all: votes and proposals.
    Votes,
    /// To all: what is repeated, certificates among it.
    Repeated,
    /// To all: parts of blocks.
    Parts,
    /// To all: how high one is.
    Status,
    /// To each: a request for decided blocks.
    Questions,
}

/// Something that is said.
#[derive(Clone, Debug)]
pub struct Said {
    /// Where.
    pub target: Target,
    /// The message.
    pub bytes: Bytes,
}

/// What the liar knows of the others.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scene {
    /// The height that they are deciding.
    pub height: u64,
    /// The round that they are in.
    pub round: u32,
}

/// A way to misbehave.
pub trait Misbehave: Send {
    /// Another validator said something. The scene includes it.
    fn heard(&mut self, _: &Member, _: Scene, _: &Heard, _: &mut Mouth) {}
    /// The others are in a new round.
    fn round(&mut self, _: &Member, _: Scene, _: &mut Mouth) {}
    /// 20 ms have passed.
    fn tick(&mut self, _: &Member, _: Scene, _: &mut Mouth) {}
}

impl Attack {
    /// What it does on the consensus network.
    pub fn conduct(self) -> Box<dyn Misbehave> {
        match self {
            Self::Announcements => Box::new(blocks::Announcements),
            Self::Parts => Box::new(blocks::Parts),
            Self::LateBlocks => Box::new(blocks::LateBlocks::default()),
            Self::Withheld => Box::new(blocks::Withheld),
            Self::Equivocation => Box::new(votes::Equivocation::default()),
            Self::Votes => Box::new(votes::Flood),
            Self::Polkas => Box::new(polkas::Polkas::default()),
            Self::CatchUp => Box::new(votes::CatchUp),
            Self::Silence | Self::Gossip | Self::Mesh | Self::Reconnect => Box::new(Nothing),
        }
    }
}

struct Nothing;

impl Misbehave for Nothing {}

/// Collects what is said, and makes up what is said about.
#[derive(Default)]
pub struct Mouth {
    said: Vec<Said>,
    counter: u64,
}

impl Mouth {
    /// Takes what was said.
    pub fn take(&mut self) -> Vec<Said> {
        std::mem::take(&mut self.said)
    }

    /// A number that was not used before.
    fn next(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    /// A hash of nothing.
    fn hash(&mut self) -> Hash {
        let mut bytes = [0xbb; 32];
        bytes[..8].copy_from_slice(&self.next().to_be_bytes());
        Hash::from(bytes)
    }

    /// A signature in form, of nothing.
    fn signature(&mut self) -> Signature {
        let mut bytes = [1; 64];
        bytes[32..40].copy_from_slice(&self.next().to_be_bytes());
        bytes
    }

    fn state(&mut self, statement: Statement) {
        self.say(Target::Votes, encode(&statement));
    }

    fn polka(&mut self, polka: &Polka) {
        self.say(Target::Repeated, encode(&Liveness::Polka(polka.clone())));
    }

    fn part(&mut self, part: StreamPart) {
        self.say(Target::Parts, encode(&part));
    }

    fn say(&mut self, target: Target, bytes: Bytes) {
        self.said.push(Said { target, bytes });
    }
}
