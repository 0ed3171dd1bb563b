//! Follows the others: what they say shows where they are, and its votes are
//! theirs. A validator that misbehaves and votes is worse than one that does not.

use std::collections::BTreeSet;

use super::{Mouth, Scene};
use crate::member::Member;
use crate::network::Heard;
use crate::wire::{Kind, Statement, Vote};

/// Whether it votes as the others do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Votes {
    /// It does.
    AsOthers,
    /// It casts its own.
    ItsOwn,
}

/// See the module's documentation.
pub struct Follow {
    votes: Votes,
    scene: Scene,
    voted: BTreeSet<(u64, u32, bool)>,
}

impl Follow {
    /// Has heard nothing yet.
    pub fn new(votes: Votes) -> Self {
        Self { votes, scene: Scene::default(), voted: BTreeSet::new() }
    }

    /// Where the others are.
    pub fn scene(&self) -> Scene {
        self.scene
    }

    /// Listens; whether the others are in a new round. Votes for the first that it
    /// hears being voted for.
    pub fn heard(&mut self, member: &Member, heard: &Heard, out: &mut Mouth) -> bool {
        let Heard::Statement(statement) = heard else { return false };
        let (height, round, signer) = match statement {
            Statement::Vote(vote) => (vote.height, vote.round, vote.voter),
            Statement::Proposal(said) => (said.height, said.round, said.proposer),
        };
        if signer == member.address {
            return false;
        }
        let new = (height, round) > (self.scene.height, self.scene.round);
        if new {
            self.scene = Scene { height, round };
            self.voted.retain(|(voted, ..)| *voted + 2 > height);
        }
        if let Statement::Vote(Vote { kind, value, .. }) = statement
            && self.votes == Votes::AsOthers
            && self.voted.insert((height, round, *kind == Kind::Precommit))
        {
            out.state(Statement::Vote(member.vote(*kind, height, round, *value)));
        }
        new
    }
}
