//! Attacks with votes, proposals, and what those say that catch up.

use std::collections::BTreeSet;

use super::{Misbehave, Mouth, Scene, Target};
use crate::member::{Claim, Member};
use crate::network::Heard;
use crate::wire::{Kind, Part, Request, Statement, Status, StreamPart, Vote, encode};

/// Votes of each sort in a tick.
const FLOOD: u32 = 10;

/// See [`Attack::Equivocation`](super::Attack::Equivocation).
#[derive(Default)]
pub(super) struct Equivocation {
    done: BTreeSet<(u64, u32)>,
}

impl Misbehave for Equivocation {
    fn heard(&mut self, member: &Member, _: Scene, heard: &Heard, out: &mut Mouth) {
        let Heard::Statement(Statement::Vote(heard)) = heard else { return };
        let (height, round) = (heard.height, heard.round);
        if heard.voter == member.address || !self.done.insert((height, round)) {
            return;
        }
        self.done.retain(|(done, _)| *done + 2 > height);
        for kind in [Kind::Prevote, Kind::Precommit] {
            for value in [heard.value, None, Some(out.hash()), Some(out.hash())] {
                out.state(Statement::Vote(member.vote(kind, height, round, value)));
            }
        }
    }

    fn round(&mut self, member: &Member, scene: Scene, out: &mut Mouth) {
        let Scene { height, round } = scene;
        for (height, round) in [(height, round), (height, round + 1), (height + 1, 0)] {
            if !member.proposes(height, round) {
                continue;
            }
            for _ in 0..2 {
                let block = vec![out.next() as u8; 1_000];
                let claim = Claim::of(height, round, out.hash(), &block);
                let id = out.next().to_be_bytes().to_vec();
                let parts = [member.announce(&claim, None), Part::Data(block.into())];
                for (sequence, part) in (0..).zip(parts) {
                    out.part(StreamPart { id: id.clone(), sequence, part: Some(part) });
                }
                out.state(Statement::Proposal(member.proposal(height, round, claim.hash, None)));
            }
        }
    }
}

/// See [`Attack::Votes`](super::Attack::Votes).
pub(super) struct Flood;

impl Misbehave for Flood {
    fn tick(&mut self, member: &Member, scene: Scene, out: &mut Mouth) {
        let validators = member.validators.as_slice();
        for number in 0..FLOOD {
            let height = scene.height + u64::from(number % 3);
            let round = scene.round + (out.next() % 12) as u32;
            let own = member.vote(Kind::Prevote, height, round, Some(out.hash()));
            let voter = *validators[number as usize % validators.len()].address().as_bytes();
            // Signed, but something else.
            let Scene { height: now, round: current } = scene;
            let forged = Vote { voter, height: now, round: current, value: None, ..own.clone() };
            out.state(Statement::Vote(own));
            out.state(Statement::Vote(forged));
            let proposal = member.proposal(height, round, out.hash(), None);
            out.state(Statement::Proposal(proposal));
        }
    }
}

/// See [`Attack::CatchUp`](super::Attack::CatchUp).
pub(super) struct CatchUp;

impl Misbehave for CatchUp {
    fn tick(&mut self, member: &Member, scene: Scene, out: &mut Mouth) {
        let peer = member.network.public().to_peer_id().to_bytes();
        let tip = scene.height + 1_000 + out.next();
        out.say(Target::Status, encode(&Status { peer, tip, earliest: 1 }));
        for _ in 0..4 {
            let first = 1 + out.next() % scene.height.max(1);
            out.say(Target::Questions, encode(&Request { first, last: first + 63 }));
        }
    }
}
