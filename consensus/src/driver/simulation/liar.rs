//! What the lying validator does: it signs whatever helps it, to each of the
//! others something else, but only in its own name.

use billchain_primitives::ParentCommit;
use malachitebft_app_channel::app::consensus::SignedConsensusMsg;
use malachitebft_app_channel::app::types::core::{NilOrVal, Round as EngineRound, SignedMessage};

use super::node::{Message, announced};
use super::oracle::BlockId;
use super::register::{bytes_of, hash_of};
use super::world::{NODES, World};
use crate::types::{BlockValue, Height, Round};

impl World {
    /// What one of the others gets instead of this message.
    pub(super) fn twist(&mut self, liar: usize, message: &Message) -> Vec<Message> {
        match self.random.below(10) {
            0 => return Vec::new(),
            1..=4 => return vec![message.clone()],
            _ => {}
        }
        let own = self.addresses[liar];
        match message {
            Message::Consensus(SignedConsensusMsg::Vote(vote)) if vote.message.voter == own => {
                let mut vote = vote.message.clone();
                vote.value = match self.any_block(vote.height.get()) {
                    Some(hash) if self.random.percent(70) => NilOrVal::Val(hash),
                    _ => NilOrVal::Nil,
                };
                vec![Message::Consensus(SignedConsensusMsg::Vote(SignedMessage::new(
                    vote,
                    self.signature,
                )))]
            }
            Message::Consensus(SignedConsensusMsg::Proposal(proposal))
                if proposal.message.proposer == own =>
            {
                let mut proposal = proposal.message.clone();
                let height = proposal.height;
                let round = Round::try_from(proposal.round).expect("a proposal is of a round");
                let other = self.any_block(height.get()).filter(|_| self.random.percent(50));
                let mut messages = Vec::new();
                let hash = match other {
                    Some(hash) => hash,
                    None => {
                        let id = self.forge(liar, height);
                        messages.push(self.forged(liar, height, round, id));
                        hash_of(id)
                    }
                };
                proposal.value = BlockValue(hash);
                if self.random.percent(30) {
                    proposal.pol_round = match round.get() {
                        0 => EngineRound::Nil,
                        round => EngineRound::new(self.random.below(u64::from(round)) as u32),
                    };
                }
                let signed = SignedMessage::new(proposal, self.signature);
                messages.push(Message::Consensus(SignedConsensusMsg::Proposal(signed)));
                messages
            }
            other => vec![other.clone()],
        }
    }

    /// Announces blocks of its own for turns that are not its own, or not yet.
    pub(super) fn announce(&mut self, liar: usize) {
        let Some(height) = self.height(liar) else { return };
        let next = Height::new(height.get() + 1);
        for round in (0..=2).map(Round::new) {
            for height in [height, next] {
                for _ in 0..2 {
                    let id = self.forge(liar, height);
                    let message = self.forged(liar, height, round, id);
                    for to in 0..NODES {
                        if to != liar {
                            self.send(liar, to, message.clone());
                        }
                    }
                }
            }
        }
    }

    /// A block that is valid, invalid, or of a time that is not now.
    fn forge(&mut self, liar: usize, height: Height) -> BlockId {
        let parent = self.head(liar);
        let valid = self.random.percent(60);
        let time = match self.random.below(3) {
            0 => self.now_ms,
            1 => self.now_ms - 60_000,
            _ => self.now_ms + 60_000,
        };
        let commit = self.commit(liar, height);
        self.block((height.get(), parent), valid, time, commit.as_ref())
    }

    /// The commit of the liar's last block, of which it leaves out what it can.
    fn commit(&mut self, liar: usize, height: Height) -> Option<ParentCommit> {
        let mut commit = self.node(liar).filter(|node| node.height() == height)?.parent_commit()?;
        if commit.precommits.len() > 3 {
            let victim = self.random.below(4) as usize;
            commit.precommits.remove(victim);
        }
        if self.random.percent(50) {
            commit.late.clear();
        }
        Some(commit)
    }

    fn forged(&self, liar: usize, height: Height, round: Round, id: BlockId) -> Message {
        let (own, signature) = (self.addresses[liar], self.signature);
        Message::Block(announced(height, round, own, hash_of(id), signature), bytes_of(id))
    }
}
