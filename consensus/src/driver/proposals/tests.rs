use billchain_crypto::sm2::{DEFAULT_ID, SecretKey};
use billchain_crypto::sm3::sm3;
use billchain_primitives::Hash;
use bytes::Bytes;

use super::*;
use crate::testing::peer;
use crate::types::SignedAnnouncement;

const H: Height = Height::new(8);
const NEXT: Height = Height::new(9);

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed(&[seed])
}

fn set_of(seeds: std::ops::Range<u8>) -> ValidatorSet {
    ValidatorSet::new(seeds.map(|seed| Validator::new(key(seed).public(), 1))).expect("a set")
}

/// A node's proposals and what it knows of the engine.
struct Node {
    proposals: Proposals<u8>,
    height: Height,
    round: Round,
    open: bool,
    missing: Option<BlockHash>,
    validators: ValidatorSet,
    support: Support,
}

macro_rules! view {
    ($node:expr) => {
        View {
            height: $node.height,
            round: $node.round,
            open: $node.open,
            missing: $node.missing,
            validators: &$node.validators,
            support: &$node.support,
        }
    };
}

impl Node {
    fn new() -> Self {
        Self {
            proposals: Proposals::default(),
            height: H,
            round: Round::FIRST,
            open: true,
            missing: None,
            validators: set_of(0..4),
            support: Support::default(),
        }
    }

    fn proposer(&self, height: Height, round: u32) -> Address {
        *self.validators.proposer(height, Round::new(round)).address()
    }

    fn judge(&mut self, announced: &Announcement) -> Result<Wanted, Refused> {
        self.proposals.judge(&view!(self), announced, |_| true)
    }

    /// Announced and complete.
    fn give(&mut self, announced: &Announcement) -> Result<Taken, Refused> {
        if self.judge(announced)? == Wanted::No {
            return Ok(Taken::Dropped);
        }
        self.proposals.complete(&view!(self), received(announced))
    }

    fn next(&mut self) -> Option<(Announcement, CheckMode)> {
        let (received, mode) = self.proposals.next_check(&view!(self))?;
        Some((received.announced.announcement, mode))
    }

    fn checked(&mut self, announced: &Announcement, verdict: Verdict<u8>) {
        self.proposals.checked(&view!(self), announced, verdict);
    }

    fn commit(&mut self, validators: ValidatorSet) -> Vec<Refused> {
        self.height = Height::new(self.height.get() + 1);
        self.round = Round::FIRST;
        self.validators = validators;
        self.proposals.committed(&view!(self))
    }

    fn has_current(&self) -> bool {
        self.proposals.has_current(&view!(self))
    }

    fn kept(&self) -> usize {
        self.proposals.kept()
    }
}

/// Block `byte` of this turn.
fn block(height: Height, round: u32, proposer: Address, byte: u8) -> Announcement {
    Announcement {
        height,
        round: Round::new(round),
        proposer,
        block_hash: Hash::repeat_byte(byte).into(),
        size: 1,
        content: sm3(&[byte]),
    }
}

fn received(announced: &Announcement) -> Received<u8> {
    let signature = key(0).sign(DEFAULT_ID, b"not looked at here");
    let announced = SignedAnnouncement { announcement: announced.clone(), signature };
    Received { announced, bytes: Bytes::from_static(b"x"), reply: 0 }
}

fn polka(hash: BlockHash, round: u32) -> Support {
    Support::of_rounds(&[(hash, Round::new(round))], &[])
}

/// Two announcements by each of the others for each round of the next height
/// closed those rounds to the honest proposers once.
#[test]
fn announcements_of_the_next_height_take_no_room_of_its_proposers() {
    let mut node = Node::new();
    let honest: Vec<Address> = (0..=ROUNDS_AHEAD).map(|round| node.proposer(NEXT, round)).collect();
    let everybody: Vec<Address> =
        node.validators.as_slice().iter().map(|validator| *validator.address()).collect();
    let mut byte = 0;
    for round in 0..=ROUNDS_AHEAD {
        for liar in everybody.iter().filter(|address| **address != honest[round as usize]) {
            for _ in 0..2 * PER_TURN {
                byte += 1;
                let _ = node.give(&block(NEXT, round, *liar, byte));
            }
        }
    }
    for round in 0..=ROUNDS_AHEAD {
        let announced = block(NEXT, round, honest[round as usize], 200 + round as u8);
        assert_eq!(node.give(&announced), Ok(Taken::Early), "round {round}");
    }
    // Then the height comes, and only the blocks of those whose turn it is count.
    let refused = node.commit(set_of(0..4));
    assert_eq!(refused.len(), 3 * 3, "the turns of the others");
    assert!(node.has_current());
    assert_eq!(node.next().map(|(next, _)| next.proposer), Some(honest[0]));
}

#[test]
fn of_the_next_height_whoever_is_a_validator_now_may_propose() {
    let mut node = Node::new();
    let stranger = Address::from_public_key(&key(77).public());
    assert_eq!(node.judge(&block(NEXT, 0, stranger, 1)), Err(Refused::NotValidator(stranger)));
    // The block being decided takes validators away: the turn moves on.
    let later = set_of(0..3);
    let proposer = *later.proposer(NEXT, Round::FIRST).address();
    assert_ne!(proposer, node.proposer(NEXT, 0), "the change moves the turn");
    assert_eq!(node.give(&block(NEXT, 0, proposer, 2)), Ok(Taken::Early));
    assert!(node.commit(later).is_empty());
    assert!(node.has_current());
}

#[test]
fn announcements_are_judged_by_height_round_turn_and_signature() {
    let mut node = Node::new();
    node.round = Round::new(70);
    let turn = |round| node.validators.proposer(H, Round::new(round)).address();
    let (now, ahead, far) = (*turn(70), *turn(72), *turn(73));
    let (behind, gone) = (*turn(6), *turn(5));
    let refused = |found, current| {
        Err(Refused::Round { found: Round::new(found), current: Round::new(current) })
    };
    let not_its_turn = Err(Refused::NotItsTurn { found: ahead, expected: now });
    let table = [
        ("the height before", block(Height::new(7), 0, now, 1), Ok(Wanted::No)),
        ("two heights on", block(Height::new(10), 0, now, 1), Ok(Wanted::No)),
        ("this round", block(H, 70, now, 1), Ok(Wanted::Yes)),
        ("two rounds on", block(H, 72, ahead, 1), Ok(Wanted::Yes)),
        ("three rounds on", block(H, 73, far, 1), refused(73, 70)),
        ("a failed round", block(H, 6, behind, 1), Ok(Wanted::Yes)),
        ("a round long ago", block(H, 5, gone, 1), refused(5, 70)),
        ("another's turn", block(H, 70, ahead, 1), not_its_turn),
        ("the next height's third round on", block(NEXT, 3, now, 1), refused(3, 0)),
    ];
    for (what, announced, expected) in table {
        assert_eq!(node.judge(&announced), expected, "{what}");
    }
    let forged = block(H, 70, now, 2);
    let judged = node.proposals.judge(&view!(node), &forged, |_| false);
    assert_eq!(judged, Err(Refused::Signature(now)));
    let own = |node: &Node| node.proposals.turns[&(H, node.round, now)].len();
    assert_eq!(own(&node), 1, "a forged announcement takes no room");
}

#[test]
fn a_proposer_has_room_for_a_double_proposal_and_for_no_more() {
    let mut node = Node::new();
    let proposer = node.proposer(H, 0);
    for byte in 0..PER_TURN as u8 {
        assert_eq!(node.give(&block(H, 0, proposer, byte)), Ok(Taken::Now));
    }
    let more = block(H, 0, proposer, 9);
    assert_eq!(node.give(&more), Err(Refused::TooMany(proposer)));
    let next = node.proposer(H, 1);
    assert_eq!(node.give(&block(H, 1, next, 10)), Ok(Taken::Now), "another's turn");
}

#[test]
fn what_one_proposer_keeps_here_is_bounded_and_takes_nothing_from_others() {
    let mut node = Node::new();
    node.round = Round::new(40);
    let liar = node.proposer(H, 0);
    let mut byte = 0;
    // All the turns it had, and those of the next height.
    for (height, round) in (0..=40).step_by(4).map(|round| (H, round)).chain([(NEXT, 0), (NEXT, 1)])
    {
        for _ in 0..PER_TURN {
            byte += 1;
            node.give(&block(height, round, liar, byte)).expect("its own turn");
        }
    }
    assert_eq!(node.kept(), KEPT_PER_PROPOSER);
    for round in 41..=42 {
        let proposer = node.proposer(H, round);
        assert_eq!(node.give(&block(H, round, proposer, 100 + round as u8)), Ok(Taken::Now));
    }
    assert_eq!(node.kept(), KEPT_PER_PROPOSER + 2);
    // Of its own the nearest to being decided stay.
    assert_eq!(
        node.next().map(|(next, _)| (next.proposer, next.round)),
        Some((liar, Round::new(40)))
    );
}

/// A validator that sends the blocks of its later turns first does not have them
/// checked before the block of the round at hand.
#[test]
fn the_block_that_can_be_decided_first_is_checked_first() {
    let mut node = Node::new();
    node.round = Round::new(4);
    let turn = |round| *node.validators.proposer(H, Round::new(round)).address();
    let early = [(6, turn(6)), (5, turn(5)), (2, turn(2)), (3, turn(3)), (4, turn(4))];
    for (round, proposer) in early {
        node.give(&block(H, round, proposer, round as u8)).expect("in its turn");
    }
    let order = |node: &mut Node| {
        std::iter::from_fn(|| node.next().map(|(next, _)| next.round.get())).collect::<Vec<_>>()
    };
    assert_eq!(order(&mut node), [4, 3, 2], "later rounds wait for their turn");
    node.round = Round::new(5);
    assert_eq!(order(&mut node), [5]);
    node.round = Round::new(6);
    assert_eq!(order(&mut node), [6]);
}

#[test]
fn a_block_with_a_polka_is_checked_before_all_others_and_not_by_the_clock() {
    let mut node = Node::new();
    node.round = Round::new(1);
    let (first, second) = (node.proposer(H, 0), node.proposer(H, 1));
    let (old, new) = (block(H, 0, first, 1), block(H, 1, second, 2));
    node.give(&new).expect("in its turn");
    node.give(&old).expect("in its turn");
    node.support = polka(old.block_hash, 0);
    assert_eq!(node.next(), Some((old, CheckMode::Voted)));
    assert_eq!(node.next(), Some((new, CheckMode::Proposal)));
    assert_eq!(node.next(), None);
}

/// A validator locked on a block accepts no other; the others have to accept it
/// though it is too old by now. But only two thirds of the votes say so.
#[test]
fn an_old_block_waits_for_its_polka_and_is_then_not_judged_by_the_clock() {
    let mut node = Node::new();
    let old = block(H, 0, node.proposer(H, 0), 1);
    node.give(&old).expect("in its turn");
    assert_eq!(node.next(), Some((old.clone(), CheckMode::Proposal)));
    node.checked(&old, Verdict::Untimely(Box::new(received(&old))));
    assert_eq!(node.next(), None, "nobody is known to have voted for it");
    assert_eq!(node.judge(&old), Ok(Wanted::No), "it is kept");
    node.support = polka(Hash::repeat_byte(99).into(), 0);
    assert_eq!(node.next(), None, "another block's polka");
    node.support.add(polka(old.block_hash, 0));
    assert_eq!(node.next(), Some((old.clone(), CheckMode::Voted)));
    node.checked(&old, Verdict::Valid);
    assert_eq!(node.next(), None);
}

#[test]
fn a_block_with_a_polka_is_taken_whatever_its_round_and_its_proposers_other_blocks() {
    let mut node = Node::new();
    let proposer = node.proposer(H, 0);
    for byte in 1..=PER_TURN as u8 {
        let lie = block(H, 0, proposer, byte);
        node.give(&lie).expect("its own turn");
        assert_eq!(node.next().map(|(next, _)| next), Some(lie.clone()));
        node.checked(&lie, Verdict::Invalid);
    }
    node.round = Round::new(1000);
    let needed = block(H, 0, proposer, 50);
    assert_eq!(
        node.judge(&needed),
        Err(Refused::Round { found: Round::FIRST, current: node.round })
    );
    node.support = polka(needed.block_hash, 3);
    assert_eq!(node.give(&needed), Ok(Taken::Now));
    assert_eq!(node.next(), Some((needed, CheckMode::Voted)));
}

#[test]
fn an_invalid_block_is_checked_once_and_an_unanswered_check_a_few_times() {
    let mut node = Node::new();
    let proposer = node.proposer(H, 0);
    let invalid = block(H, 0, proposer, 1);
    node.give(&invalid).expect("in its turn");
    assert!(node.next().is_some());
    node.checked(&invalid, Verdict::Invalid);
    assert_eq!(node.give(&invalid), Ok(Taken::Dropped));

    let skipped = block(H, 0, proposer, 2);
    let mut checks = 0;
    while node.give(&skipped) == Ok(Taken::Now) {
        assert!(node.next().is_some());
        assert_eq!(node.give(&skipped), Ok(Taken::Dropped), "it is being checked");
        node.checked(&skipped, Verdict::Unknown);
        checks += 1;
    }
    assert_eq!(checks, MAX_CHECKS);
}

/// The same hash with other bytes is another block: a proposer that announces its
/// block twice, once with rubbish, does not make the real one invalid.
#[test]
fn a_hash_announced_with_other_bytes_is_another_block() {
    let mut node = Node::new();
    let real = block(H, 0, node.proposer(H, 0), 1);
    let rubbish = Announcement { content: sm3(b"rubbish"), ..real.clone() };
    node.give(&rubbish).expect("in its turn");
    assert!(node.next().is_some());
    node.checked(&rubbish, Verdict::Invalid);
    assert_eq!(node.give(&real), Ok(Taken::Now));
}

#[test]
fn after_a_decision_only_the_block_that_is_missing_is_taken() {
    let mut node = Node::new();
    let proposer = node.proposer(H, 0);
    let (decided, other) = (block(H, 0, proposer, 1), block(H, 0, proposer, 2));
    node.open = false;
    assert_eq!(node.give(&decided), Ok(Taken::Dropped), "it is being committed");
    node.missing = Some(decided.block_hash);
    assert_eq!(node.give(&other), Ok(Taken::Dropped));
    assert_eq!(node.give(&decided), Ok(Taken::Now));
    assert_eq!(node.next(), Some((decided, CheckMode::Voted)));
    let early = block(NEXT, 0, node.proposer(NEXT, 0), 3);
    assert_eq!(node.give(&early), Ok(Taken::Early), "the next height goes on");
}

#[test]
fn a_compact_block_is_taken_once_from_each_publisher() {
    let mut node = Node::new();
    let announced = block(H, 0, node.proposer(H, 0), 1);
    assert!(!node.proposals.first_compact(peer(1), &announced), "it was not announced");
    node.judge(&announced).expect("in its turn");
    for byte in [1, 2] {
        assert!(node.proposals.first_compact(peer(byte), &announced));
        assert!(!node.proposals.first_compact(peer(byte), &announced));
    }
}

#[test]
fn what_is_remembered_of_a_height_that_does_not_end_is_bounded() {
    let mut node = Node::new();
    for round in 0..5000 {
        node.round = Round::new(round);
        node.proposals.round_began(&view!(node));
        let announced = block(H, round, node.proposer(H, round), 1);
        node.give(&announced).expect("in its turn");
        assert!(node.next().is_some());
        node.checked(&announced, Verdict::Unknown);
    }
    assert!(node.proposals.turns.len() <= ROUNDS_BEHIND as usize + 1);
    assert_eq!(node.kept(), 0);
}
