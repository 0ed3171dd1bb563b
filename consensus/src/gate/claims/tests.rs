use super::*;
use crate::application::AllowedPeers;
use crate::testing::{net_peer, peer};

/// The height at hand at the beginning.
const AT_HAND: u64 = 100;
/// What a liar claims.
const LIE: u64 = 1_000_000;

/// Validators with these seeds' peers, and observers.
fn list(validators: &[u8], observers: &[u8]) -> AllowList {
    let addresses = |seeds: &[u8]| {
        let address = |seed: &u8| format!("/p2p/{}", net_peer(*seed)).parse().expect("an address");
        seeds.iter().map(address).collect()
    };
    let peers = AllowedPeers { validators: addresses(validators), observers: addresses(observers) };
    AllowList::new(peers, &net_peer(99))
}

/// Claims, and the peers as value sync knows them.
struct Scene {
    claims: Claims,
    start: Instant,
    told: BTreeMap<PeerId, u64>,
    next: u64,
}

impl Scene {
    /// Of four validators, of which the node itself is one.
    fn new() -> Self {
        Self::with(list(&[1, 2, 3], &[4, 5, 6]), 4)
    }

    fn with(allowed: AllowList, validators: usize) -> Self {
        let start = Instant::now();
        // A run that has decided a height.
        let mut claims = Claims::new(allowed, Height::new(AT_HAND - 1), validators, start);
        claims.begun(Height::new(AT_HAND), validators, start);
        Self { claims, start, told: BTreeMap::new(), next: 0 }
    }

    /// What follows at so many milliseconds; how many statuses value sync hears.
    fn hear(&mut self, at: u64) -> usize {
        let news = self.claims.news(self.start + Duration::from_millis(at));
        let heard = news.len();
        self.told.extend(news.into_iter().map(|(peer, status)| (peer, status.tip_height.get())));
        heard
    }

    fn status(&mut self, at: u64, seed: u8, tip: u64) -> usize {
        self.claims.status(peer(seed), Status::new(Height::new(tip), Height::new(1)));
        self.hear(at)
    }

    fn begun(&mut self, at: u64, height: u64) {
        self.claims.begun(Height::new(height), 4, self.start + Duration::from_millis(at));
        self.hear(at);
    }

    fn ask(&mut self, at: u64, seed: u8, first: u64) -> (OutboundRequestId, Duration) {
        self.next += 1;
        let id = OutboundRequestId::new(self.next);
        let now = self.start + Duration::from_millis(at);
        let patience = self.claims.asked(id.clone(), peer(seed), Height::new(first), now);
        (id, patience)
    }

    fn overdue(&mut self, at: u64, id: &OutboundRequestId) -> Overdue {
        let overdue = self.claims.overdue(id, self.start + Duration::from_millis(at));
        self.hear(at);
        overdue
    }

    fn answered(&mut self, at: u64, id: &OutboundRequestId) {
        self.claims.answered(id, self.start + Duration::from_millis(at));
        self.hear(at);
    }

    fn failed(&mut self, at: u64, id: &OutboundRequestId) {
        self.claims.failed(id, self.start + Duration::from_millis(at));
        self.hear(at);
    }

    /// From 5 s on one peer is asked for all up to block 1,000, and answers, while
    /// another may claim just the height at hand; when it has all.
    fn fetch_up_to_a_thousand(&mut self, seed: u8, behind: Option<u8>) -> u64 {
        let (mut at, mut height, mut asked) = (5_000, AT_HAND, 0);
        while height <= 1_000 {
            if let Some(behind) = behind {
                self.status(at, behind, height);
            }
            let last = self.tip(seed).expect("told");
            assert!(last >= height, "nobody is asked for {height} at {at} ms");
            let (id, _) = self.ask(at, seed, height);
            at += 20;
            self.answered(at, &id);
            while height <= last {
                height += 1;
                at += 20;
                self.begun(at, height);
            }
            asked += 1;
        }
        assert!(asked <= 20, "it asked {asked} times: twice as far each time");
        at
    }

    fn tip(&self, seed: u8) -> Option<u64> {
        self.told.get(&peer(seed)).copied()
    }
}

#[test]
fn a_claim_counts_as_far_as_more_than_a_third_of_the_validators_bear_it_out() {
    // Title, validators, claims, what value sync is told.
    type Row = (&'static str, usize, &'static [(u8, u64)], &'static [(u8, u64)]);
    let rows: &[Row] = &[
        ("a liar alone", 4, &[(1, LIE)], &[(1, 99)]),
        ("beside one honest", 4, &[(1, LIE), (2, 103)], &[(1, 103), (2, 103)]),
        (
            "beside two honest of which one is behind",
            4,
            &[(1, LIE), (2, 105), (3, 99)],
            &[(1, 105), (2, 105), (3, 99)],
        ),
        ("nobody is ahead", 4, &[(1, LIE), (2, 99), (3, 98)], &[(1, 99), (2, 99), (3, 98)]),
        (
            "observers are no support",
            4,
            &[(1, LIE), (4, LIE), (5, LIE), (6, LIE)],
            &[(1, 99), (4, 99), (5, 99), (6, 99)],
        ),
        ("an observer is heard too", 4, &[(1, 110), (2, 110), (4, LIE)], &[(4, 110)]),
        ("two of seven could be liars", 7, &[(1, LIE), (2, LIE)], &[(1, 99), (2, 99)]),
        ("three of seven could not", 7, &[(1, 110), (2, 109), (3, 108)], &[(1, 108), (3, 108)]),
        ("a chain of one validator has no other", 1, &[(1, 110)], &[(1, 110)]),
        ("who is not on the list is not heard", 4, &[(1, 110), (9, 110)], &[(1, 99)]),
    ];
    for (title, validators, claims, told) in rows {
        let mut scene = Scene::with(list(&[1, 2, 3], &[4, 5, 6]), *validators);
        for (seed, tip) in *claims {
            scene.status(0, *seed, *tip);
        }
        for (seed, tip) in *told {
            assert_eq!(scene.tip(*seed), Some(*tip), "{title}: peer {seed}");
        }
        assert_eq!(scene.tip(9), None, "{title}");
    }
}

#[test]
fn when_support_rises_the_earlier_claims_are_told_again() {
    let mut scene = Scene::new();
    assert_eq!(scene.status(0, 1, LIE), 1);
    assert_eq!(scene.status(0, 2, 120), 2, "its own, and the liar's up to it");
    assert_eq!(scene.status(0, 3, 110), 1, "the highest height of two is the same");
    assert_eq!((scene.tip(1), scene.tip(2), scene.tip(3)), (Some(120), Some(120), Some(110)));
    assert_eq!(scene.status(0, 3, 130), 2, "the liar's rises, the second's is as claimed");
    assert_eq!((scene.tip(1), scene.tip(2), scene.tip(3)), (Some(130), Some(120), Some(130)));
    assert_eq!(scene.status(0, 3, 130), 1, "each status is told: value sync asks again at one");
    assert_eq!(scene.hear(1_000), 0);
}

#[test]
fn one_honest_peer_brings_a_node_forward_whose_others_are_dead() {
    let mut scene = Scene::new();
    scene.status(0, 2, 1_000);
    scene.status(4_900, 2, 1_000);
    assert_eq!(scene.tip(2), Some(99), "the height at hand may still be decided");
    scene.status(5_000, 2, 1_000);
    assert_eq!(scene.tip(2), Some(100), "one block at first");
    let at = scene.fetch_up_to_a_thousand(2, None);
    assert!(at < 30_000, "it never waited again");
}

#[test]
fn at_the_first_height_of_a_run_one_peer_is_heard_after_a_second() {
    let mut scene = Scene::new();
    let (allowed, first) = (list(&[1, 2, 3], &[]), Height::new(AT_HAND));
    scene.claims = Claims::new(allowed, first, 4, scene.start);
    // The engine begins it, and peers that were down say what they have.
    scene.begun(0, AT_HAND);
    scene.status(0, 1, LIE);
    scene.status(900, 2, 99);
    assert_eq!(scene.tip(1), Some(99), "it may still be decided");
    scene.status(1_000, 1, LIE);
    assert_eq!((scene.tip(1), scene.tip(2)), (Some(100), Some(99)), "one block, of the liar too");
    scene.begun(1_200, 101);
    scene.status(2_300, 1, LIE);
    assert_eq!(scene.tip(1), Some(100), "later heights last longer before one is believed");
}

#[test]
fn a_liar_alone_is_asked_for_one_block_and_never_for_more() {
    let mut scene = Scene::new();
    scene.status(0, 1, LIE);
    for at in (5_000..60_000).step_by(1_000) {
        scene.status(at, 1, LIE);
        assert_eq!(scene.tip(1), Some(100));
        let (id, _) = scene.ask(at, 1, AT_HAND);
        scene.failed(at + 900, &id);
    }
    // The height is decided without it.
    scene.begun(60_000, 101);
    assert_eq!(scene.tip(1), Some(100), "that it did not send is no word kept");
}

#[test]
fn a_silent_peer_is_given_up_soon_and_not_asked_again_while_others_can_be() {
    let mut scene = Scene::new();
    scene.status(0, 1, LIE);
    scene.status(0, 2, 110);
    scene.status(0, 3, 110);
    let (mut at, mut silent) = (0, Vec::new());
    for _ in 0..4 {
        assert_eq!(scene.tip(1), Some(110), "at {at} ms it may be asked");
        let (id, patience) = scene.ask(at, 1, AT_HAND);
        assert_eq!(patience, LEAST_PATIENCE, "silence buys no patience");
        at += 1_000;
        assert_eq!(scene.overdue(at, &id), Overdue::GivenUp(peer(1)));
        assert_eq!(scene.overdue(at, &id), Overdue::Ended, "once");
        assert_eq!((scene.tip(1), scene.tip(2)), (Some(99), Some(110)), "the others are left");
        let begin = at;
        while scene.tip(1) != Some(110) {
            at += 1_000;
            scene.status(at, 1, LIE);
        }
        silent.push((at - begin) / 1_000);
    }
    assert_eq!(silent, [10, 20, 40, 80], "seconds that it was left alone");
}

#[test]
fn a_lower_claim_of_another_does_not_hold_back_the_one_that_has_the_blocks() {
    let mut scene = Scene::new();
    scene.status(0, 2, 1_000);
    scene.status(5_000, 2, 1_000);
    // The other claims just the height at hand, and nothing more.
    scene.fetch_up_to_a_thousand(2, Some(1));
}

#[test]
fn an_answer_that_was_no_good_is_no_word_kept() {
    let mut scene = Scene::new();
    scene.status(0, 1, LIE);
    scene.status(5_000, 1, LIE);
    let (id, _) = scene.ask(5_000, 1, AT_HAND);
    scene.answered(5_020, &id);
    // Value sync asks somebody else for the same.
    scene.ask(5_030, 2, AT_HAND);
    scene.begun(6_000, 101);
    assert_eq!(scene.tip(1), Some(100), "it is told of nothing further");
    assert!(scene.claims.peers[&peer(1)].is_shunned(scene.start + Duration::from_secs(6)));
}

#[test]
fn silence_after_a_slow_answer_is_a_failure() {
    let mut scene = Scene::new();
    scene.status(0, 1, 110);
    scene.status(0, 2, 110);
    let (id, _) = scene.ask(0, 1, AT_HAND);
    scene.answered(9_000, &id);
    let (id, patience) = scene.ask(20_000, 1, AT_HAND);
    assert_eq!(patience, MOST_PATIENCE);
    // Value sync gives it up.
    scene.claims.cancelled(&id, scene.start + Duration::from_secs(30));
    scene.status(30_000, 1, 110);
    assert_eq!((scene.tip(1), scene.tip(2)), (Some(99), Some(110)), "it is passed over");
}

#[test]
fn a_peer_without_another_is_waited_for() {
    let mut scene = Scene::new();
    scene.status(0, 1, 110);
    scene.status(0, 2, 110);
    // One has left, so that only the first has what is needed.
    scene.claims.gone(&peer(2));
    scene.status(5_000, 1, 110);
    let (id, _) = scene.ask(5_000, 1, AT_HAND);
    assert_eq!(scene.overdue(6_000, &id), Overdue::After(LEAST_PATIENCE));
    // Another comes: from now on it is given up.
    scene.status(6_500, 3, 110);
    assert_eq!(scene.overdue(7_000, &id), Overdue::GivenUp(peer(1)));
    // With the other gone as well, it may be asked though it failed.
    scene.claims.gone(&peer(3));
    scene.hear(7_000);
    assert_eq!(scene.tip(1), Some(100));
}

#[test]
fn a_slow_line_is_given_more_time_after_its_first_late_answer() {
    let mut scene = Scene::new();
    scene.status(0, 1, 110);
    scene.status(0, 2, 110);
    let (id, _) = scene.ask(0, 1, AT_HAND);
    assert_eq!(scene.overdue(1_000, &id), Overdue::GivenUp(peer(1)));
    scene.answered(2_000, &id);
    let (id, patience) = scene.ask(12_000, 1, AT_HAND);
    assert_eq!(patience, Duration::from_secs(8));
    scene.answered(12_100, &id);
    let (id, patience) = scene.ask(13_000, 1, AT_HAND);
    assert_eq!(patience, Duration::from_secs(4), "a small block teaches little");
    // What was decided meanwhile says nothing about the peer asked.
    scene.claims.cancelled(&id, scene.start + Duration::from_millis(14_000));
    scene.status(14_000, 1, 110);
    assert_eq!(scene.tip(1), Some(110));
}

#[test]
fn what_is_remembered_is_bounded_and_leaves_with_the_peer() {
    let mut scene = Scene::new();
    for seed in 1..=60 {
        scene.status(0, seed, LIE);
    }
    assert_eq!(scene.claims.peers.len(), 6, "those on the list");
    scene.claims.gone(&peer(1));
    scene.status(0, 2, 110);
    assert_eq!(scene.tip(3), Some(110), "who has gone bears nothing out");
    scene.claims.follow(list(&[2], &[3]));
    assert_eq!(scene.claims.peers.len(), 2);
    scene.status(0, 2, 110);
    assert_eq!(scene.tip(2), Some(99), "the third is no validator any more");

    for at in 0..10_000 {
        scene.ask(at * 1_000, 2, AT_HAND);
    }
    assert!(scene.claims.asked.len() <= 600, "{} requests", scene.claims.asked.len());
}
