//! Attacks with certificates of polkas.
//!
//! A node keeps one certificate of each peer for its driver, and lets a window of
//! them wait for its engine; each costs both the verification of its signatures.
//! So forged ones are made to cost the most: all signatures but the last are true,
//! as far as the height's votes were heard. Old ones are true throughout.

use std::collections::{BTreeMap, VecDeque};

use billchain_primitives::Hash;

use super::{Misbehave, Mouth, Scene};
use crate::member::Member;
use crate::network::Heard;
use crate::wire::{Address, Kind, Polka, Signature, Statement};

/// Certificates of each sort, and proposals, in a tick.
const FLOOD: u32 = 10;
/// Old certificates that are repeated.
const OLD: usize = 64;
/// Rounds of a height that are claimed for.
const ROUNDS: u64 = 12;

type Voters = BTreeMap<Address, Signature>;

/// See [`Attack::Polkas`](super::Attack::Polkas).
#[derive(Default)]
pub(super) struct Polkas {
    /// First votes of the height at hand, by round and block.
    votes: BTreeMap<(u32, Hash), Voters>,
    height: u64,
    old: VecDeque<Polka>,
}

impl Misbehave for Polkas {
    fn heard(&mut self, member: &Member, scene: Scene, heard: &Heard, _: &mut Mouth) {
        if scene.height > self.height {
            self.height = scene.height;
            self.votes.clear();
        }
        let Heard::Statement(Statement::Vote(vote)) = heard else { return };
        let (Kind::Prevote, Some(value)) = (vote.kind, vote.value) else { return };
        if vote.height != self.height {
            return;
        }
        let voters = self.votes.entry((vote.round, value)).or_insert_with(|| {
            let own = member.vote(Kind::Prevote, vote.height, vote.round, Some(value));
            BTreeMap::from([(member.address, own.signature)])
        });
        let is_new = voters.insert(vote.voter, vote.signature).is_none();
        if is_new && 3 * voters.len() > 2 * addresses(member).count() {
            let signatures = voters.clone().into_iter().collect();
            self.old.push_back(Polka { height: vote.height, round: vote.round, value, signatures });
            if self.old.len() > OLD {
                self.old.pop_front();
            }
        }
    }

    fn tick(&mut self, member: &Member, scene: Scene, out: &mut Mouth) {
        for number in 0..FLOOD {
            let heard = self.votes.last_key_value().filter(|_| number % 2 == 0);
            let forged = match heard {
                Some((at, voters)) => almost(member, self.height, *at, voters, out),
                None => made_up(member, scene, out),
            };
            out.polka(&forged);
            if let Some(old) = self.pick(out) {
                out.polka(old);
            }
            let round = scene.round + (out.next() % ROUNDS) as u32 + 1;
            let claimed = (out.next() % u64::from(round)) as u32;
            let proposal = member.proposal(scene.height, round, out.hash(), Some(claimed));
            out.state(Statement::Proposal(proposal));
        }
    }
}

impl Polkas {
    /// An old one, each in turn.
    fn pick(&self, out: &mut Mouth) -> Option<&Polka> {
        let turn = out.next() as usize;
        self.old.get(turn % self.old.len().max(1))
    }
}

/// The members' addresses.
fn addresses(member: &Member) -> impl Iterator<Item = Address> {
    member.validators.as_slice().iter().map(|validator| *validator.address().as_bytes())
}

/// Everybody's vote for a block that was voted for: those that were heard are true,
/// and the last is forged.
fn almost(
    member: &Member,
    height: u64,
    (round, value): (u32, Hash),
    heard: &Voters,
    out: &mut Mouth,
) -> Polka {
    let most = addresses(member).count() - 1;
    let mut signatures: Vec<_> = heard.clone().into_iter().take(most).collect();
    let is_new = |other: &Address| signatures.iter().all(|(voter, _)| voter != other);
    let last = addresses(member).find(is_new);
    signatures.extend(last.map(|last| (last, out.signature())));
    Polka { height, round, value, signatures }
}

/// A polka of a block that nobody knows, in some round: its own vote is true, and
/// the others' are forged.
fn made_up(member: &Member, Scene { height, round }: Scene, out: &mut Mouth) -> Polka {
    let (round, value) = (round + (out.next() % ROUNDS) as u32, out.hash());
    let own = member.vote(Kind::Prevote, height, round, Some(value));
    let others = addresses(member).filter(|other| *other != member.address);
    let forged = others.map(|other| (other, out.signature()));
    let signatures = [(member.address, own.signature)].into_iter().chain(forged).collect();
    Polka { height, round, value, signatures }
}
