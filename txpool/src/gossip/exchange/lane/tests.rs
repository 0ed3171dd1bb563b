use super::*;
use crate::{PoolTransaction, Source};
use SenderClass::Ordinary;

const SECOND: Duration = Duration::from_secs(1);

fn limits() -> GossipLimits {
    GossipLimits {
        batch_count: 10,
        batch_bytes: 1_000_000,
        linger: Duration::ZERO,
        retry_min: SECOND,
        retry_max: 4 * SECOND,
        ..GossipLimits::default()
    }
}

/// A lane, the log it follows, and a peer's answers.
struct Kit {
    lane: Lane,
    log: Outgoing,
    now: Instant,
    nonces: HashMap<u8, u32>,
}

impl Kit {
    /// A connected one.
    fn new() -> Self {
        let now = Instant::now();
        let mut lane = Lane::new(Ordinary, &limits(), now);
        lane.on_connected(now);
        Self { lane, log: Outgoing::default(), now, nonces: HashMap::new() }
    }

    /// The next transaction of each of `senders`.
    fn add(&mut self, senders: &[u8]) {
        senders.iter().for_each(|sender| self.add_long(*sender, 100));
    }

    fn add_long(&mut self, sender: u8, bytes: usize) {
        let nonce = self.nonces.entry(sender).or_insert(0);
        let tx = PoolTransaction {
            hash: Hash::from_low_u64_be(u64::from(sender) << 32 | u64::from(*nonce)),
            bytes: vec![0; bytes].into(),
            sender: AccountId::new([sender; 32]),
            nonce: *nonce,
            source: Source::Local,
        };
        *nonce += 1;
        self.log.add(Ordinary, Arc::new(tx), self.now);
    }

    /// The next batch that is due now.
    fn next(&mut self) -> Option<Batch> {
        // What was looked through without a find is a step of its own.
        for _ in 0..100 {
            self.lane.want_send(self.log.end(), self.now);
            if !self.lane.take_send(self.now) {
                return None;
            }
            if let Some(batch) = self.lane.next_batch(&self.log, self.now) {
                self.lane.offered = self.lane.offered.max(batch.new_end);
                return Some(batch);
            }
        }
        panic!("the lane finds no end");
    }

    /// Sends batches until there is nothing to send now; the peer answers as
    /// `answer` says. Senders and nonces in the order of the offers.
    fn offer(&mut self, answer: impl Fn(u8, u32) -> Outcome) -> Vec<(u8, u32)> {
        let mut offered = Vec::new();
        while let Some(batch) = self.next() {
            let items: Vec<(u8, u32)> = batch.items.iter().map(name).collect();
            let outcomes: Vec<Outcome> = items.iter().map(|(s, n)| answer(*s, *n)).collect();
            self.lane.on_outcomes(&batch, &outcomes, self.now);
            offered.extend(items);
        }
        offered
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
    }
}

fn name(item: &Item) -> (u8, u32) {
    (AsRef::<[u8; 32]>::as_ref(&item.tx.sender)[0], item.tx.nonce)
}

fn taken(_: u8, _: u32) -> Outcome {
    Outcome::Taken
}

#[test]
fn what_is_new_is_offered_once_in_order() {
    let mut kit = Kit::new();
    assert_eq!(kit.offer(taken), []);
    kit.add(&[1, 2, 1]);
    assert!(!kit.lane.is_served(kit.log.end()));
    assert_eq!(kit.offer(taken), [(1, 0), (2, 0), (1, 1)]);
    assert!(kit.lane.is_served(kit.log.end()));
    assert_eq!(kit.offer(taken), []);
    kit.add(&[2]);
    assert_eq!(kit.offer(taken), [(2, 1)]);
}

#[test]
fn nothing_is_sent_without_a_connection_or_while_a_batch_is_under_way() {
    let mut kit = Kit::new();
    kit.add(&[1]);
    kit.lane.on_disconnected();
    assert!(kit.next().is_none());
    assert!(kit.lane.is_served(kit.log.end()), "nobody waits for who is gone");
    kit.lane.on_connected(kit.now);
    assert!(kit.next().is_some());
}

#[test]
fn a_sender_without_room_holds_back_nobody_else() {
    let mut kit = Kit::new();
    for _ in 0..20 {
        kit.add(&[1, 2]);
    }
    // The peer has room for two of sender 1.
    let full = |sender, nonce| match (sender, nonce) {
        (1, 2..) => Outcome::Later,
        _ => Outcome::Taken,
    };
    let offered = kit.offer(full);
    let of = |sender| offered.iter().filter(|(of, _)| *of == sender).count();
    assert_eq!(of(2), 20, "all of the other's, at once");
    assert_eq!(of(1), 5, "no more of this one's than its first batch has");
    assert_eq!(kit.offer(taken), [], "nothing before the time");
    kit.pass(SECOND * 5 / 4);
    assert_eq!(kit.offer(full), [(1, 2)], "one to see whether there is room");
    kit.add(&[2]);
    assert_eq!(kit.offer(full), [(2, 20)], "the other's go on");
    kit.pass(SECOND);
    assert_eq!(kit.offer(taken), [], "the attempts come less often");
    kit.pass(SECOND * 3 / 2);
    let rest: Vec<(u8, u32)> = (2..20).map(|nonce| (1, nonce)).collect();
    assert_eq!(kit.offer(taken), rest, "none is lost and the order is kept");
    kit.add(&[1]);
    assert_eq!(kit.offer(taken), [(1, 20)], "it is a sender as any other again");
}

#[test]
fn attempts_for_one_sender_leave_half_of_a_batch_to_the_others() {
    let mut kit = Kit::new();
    kit.add(&[1; 30]);
    kit.offer(|_, _| Outcome::Later);
    kit.pass(2 * SECOND);
    let first = kit.next().unwrap();
    kit.lane.on_outcomes(&first, &[Outcome::Taken], kit.now);
    kit.add(&[2; 30]);
    let batch = kit.next().unwrap();
    let of_held = batch.items.iter().filter(|item| item.reason == Reason::Held).count();
    assert_eq!((of_held, batch.len()), (5, 10));
}

#[test]
fn a_peer_that_can_take_nothing_holds_back_all_of_it() {
    let mut kit = Kit::new();
    kit.add(&[1, 2, 1]);
    let batch = kit.next().unwrap();
    let outcomes = [Outcome::Taken, Outcome::Full, Outcome::Full];
    kit.lane.on_outcomes(&batch, &outcomes, kit.now);
    kit.add(&[3]);
    assert!(kit.next().is_none());
    kit.pass(SECOND * 5 / 4);
    assert_eq!(kit.offer(taken), [(2, 0), (1, 1), (3, 0)]);
}

#[test]
fn a_batch_without_an_answer_is_sent_again() {
    let mut kit = Kit::new();
    kit.add(&[1, 2]);
    assert!(kit.next().is_some());
    kit.lane.hold_back(kit.now);
    assert!(kit.next().is_none());
    kit.pass(SECOND * 5 / 4);
    assert_eq!(kit.offer(taken), [(1, 0), (2, 0)]);
}

#[test]
fn a_batch_that_the_peer_cannot_read_is_not_sent_again() {
    let mut kit = Kit::new();
    kit.add(&[1]);
    let batch = kit.next().unwrap();
    kit.lane.give_up(&batch, kit.now);
    assert_eq!(kit.offer(taken), []);
}

#[test]
fn who_connects_again_is_offered_everything_pending_and_what_is_new() {
    let mut kit = Kit::new();
    kit.add(&[1, 2]);
    kit.offer(taken);
    kit.lane.on_disconnected();
    kit.add(&[3]);
    kit.log.remove(Ordinary, 1);
    kit.lane.on_connected(kit.now);
    assert_eq!(kit.offer(taken), [(2, 0), (3, 0)]);
}

#[test]
fn there_is_nothing_to_do_while_a_batch_is_under_way() {
    let mut kit = Kit::new();
    kit.add(&[1, 2]);
    let batch = kit.next().unwrap();
    kit.lane.in_flight = Some(InFlight { id: request_id(), batch, sent_at: kit.now });
    kit.lane.on_connected(kit.now);
    assert_eq!(kit.lane.deadline(), None);
    assert!(kit.next().is_none());
    assert!(!kit.lane.is_served(kit.log.end()));
    assert!(kit.lane.take_in_flight(request_id()).is_some());
    assert_eq!(kit.offer(taken), [(1, 0), (2, 0)]);
}

/// The first identity that a behaviour gives.
fn request_id() -> OutboundRequestId {
    let mut behaviour = crate::gossip::exchange::behaviour(
        libp2p::StreamProtocol::new("/test"),
        &GossipLimits::default(),
    );
    let request = crate::gossip::exchange::Request::Request(vec![vec![0]]);
    behaviour.send_request(&libp2p::PeerId::random(), request)
}

#[test]
fn an_answer_from_before_a_connection_says_nothing_about_the_peer() {
    let mut kit = Kit::new();
    kit.add(&[1]);
    let before = kit.next().unwrap();
    kit.lane.on_connected(kit.now);
    kit.lane.on_outcomes(&before, &[Outcome::Taken], kit.now);
    assert_eq!(kit.offer(taken), [(1, 0)]);
}

/// Megabytes that a peer is offered when it connects `times` times in `time`.
fn megabytes_offered(times: u32, time: Duration, answer: fn(u8, u32) -> Outcome) -> usize {
    let mut kit = Kit::new();
    // Sixty-four megabytes of four senders.
    for number in 0..128u8 {
        kit.add_long(number % 4, 500_000);
    }
    let mut bytes = 0;
    let mut offer = |kit: &mut Kit| {
        while let Some(batch) = kit.next() {
            bytes += batch.items.iter().map(|item| item.tx.bytes.len()).sum::<usize>();
            let outcomes: Vec<Outcome> =
                batch.items.iter().map(name).map(|(s, n)| answer(s, n)).collect();
            kit.lane.on_outcomes(&batch, &outcomes, kit.now);
        }
    };
    offer(&mut kit);
    for _ in 0..times {
        kit.pass(time / times);
        kit.lane.on_disconnected();
        kit.lane.on_connected(kit.now);
        offer(&mut kit);
    }
    bytes / 1_000_000
}

#[test]
fn who_connects_again_and_again_is_offered_no_more_than_its_rate() {
    let limit =
        |time: Duration| 64 + (AGAIN_BURST + AGAIN_RATE * time.as_secs()) as usize / 1_000_000 + 2;
    let refuse_odd = |_, nonce: u32| match nonce % 2 {
        0 => Outcome::Taken,
        _ => Outcome::Later,
    };
    for (what, times, time, answer) in [
        ("once", 1, SECOND, taken as fn(u8, u32) -> Outcome),
        ("a thousand times in a second", 1_000, SECOND, taken),
        ("a thousand times in a minute", 1_000, 60 * SECOND, taken),
        ("without taking anything", 1_000, 60 * SECOND, |_, _| Outcome::Later),
        ("taking every other", 1_000, 60 * SECOND, refuse_odd),
    ] {
        let offered = megabytes_offered(times, time, answer);
        assert!(offered <= limit(time), "{what}: {offered}, at most {}", limit(time));
    }
}

#[test]
fn what_is_offered_again_comes_in_time() {
    let mut kit = Kit::new();
    for _ in 0..128u8 {
        kit.add_long(1, 500_000);
    }
    let all = kit.offer(taken);
    assert_eq!(all.len(), 128);
    kit.lane.on_connected(kit.now);
    let mut again = kit.offer(taken);
    assert!((30..40).contains(&again.len()), "the burst: {}", again.len());
    kit.add(&[2]);
    let new = kit.offer(taken);
    assert_eq!(new, [(2, 0)], "what is new does not wait");
    for _ in 0..40 {
        kit.pass(SECOND);
        again.extend(kit.offer(taken));
    }
    assert_eq!(again, all, "all of it, in order");
}

#[test]
fn senders_that_are_held_back_are_bounded() {
    let mut kit = Kit::new();
    for number in 0..2 * MAX_HELD as u32 {
        let mut sender = [0; 32];
        sender[..4].copy_from_slice(&number.to_be_bytes());
        let tx = PoolTransaction {
            hash: Hash::from_low_u64_be(number.into()),
            bytes: vec![0; 100].into(),
            sender: AccountId::new(sender),
            nonce: 0,
            source: Source::Local,
        };
        kit.log.add(Ordinary, Arc::new(tx), kit.now);
    }
    kit.offer(|_, _| Outcome::Later);
    assert_eq!(kit.lane.held.len(), MAX_HELD);
    assert!(kit.next().is_none(), "the lane waits");
    for _ in 0..20 {
        kit.pass(5 * SECOND);
        kit.offer(taken);
    }
    assert!(kit.lane.held.is_empty() && kit.lane.is_served(kit.log.end()), "none is lost");
}

/// Whatever the peer answers and however often it connects, it has everything
/// when it takes everything.
#[test]
fn nothing_is_lost_whatever_a_peer_answers() {
    use rand::{Rng, SeedableRng, rngs::StdRng};
    let seed: u64 = rand::random();
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    for _ in 0..200 {
        let mut kit = Kit::new();
        let mut has: HashSet<(u8, u32)> = HashSet::new();
        let mut pending: Option<Batch> = None;
        for _ in 0..random.random_range(1..60) {
            match random.random_range(0..8) {
                0..3 => {
                    let senders: Vec<u8> = (0..random.random_range(1..30))
                        .map(|_| random.random_range(0..5))
                        .collect();
                    kit.add(&senders);
                }
                3 => kit.pass(SECOND * random.random_range(0..5)),
                4 => {
                    // It forgets everything.
                    has.clear();
                    kit.lane.on_connected(kit.now);
                }
                5 => {
                    let _ = kit.log.repeat(SECOND, 5, kit.now);
                }
                _ => pending = pending.or_else(|| kit.next()),
            }
            if let Some(batch) = pending.take_if(|_| random.random_bool(0.5)) {
                let is_current = batch.generation == kit.lane.generation;
                let outcomes: Vec<Outcome> = (0..batch.len())
                    .map(|_| match random.random_range(0..10) {
                        0..2 => Outcome::Later,
                        2 => Outcome::Full,
                        _ => Outcome::Taken,
                    })
                    .collect();
                for (item, outcome) in batch.items.iter().zip(&outcomes) {
                    if *outcome == Outcome::Taken && is_current {
                        has.insert(name(item));
                    }
                }
                kit.lane.on_outcomes(&batch, &outcomes, kit.now);
            }
        }
        for _ in 0..20 {
            kit.pass(5 * SECOND);
            has.extend(kit.offer(taken));
        }
        for (sender, count) in &kit.nonces {
            for nonce in 0..*count {
                assert!(has.contains(&(*sender, nonce)), "seed {seed}: {sender} {nonce}");
            }
        }
        assert!(kit.lane.is_served(kit.log.end()));
    }
}

#[test]
fn a_slow_line_is_left_to_others_after_each_batch() {
    let mut kit = Kit::new();
    (0..4).for_each(|_| kit.add_long(1, 400_000));
    let batch = kit.next().expect("a batch");
    kit.lane.measured(&batch, 20 * SECOND, kit.now);
    kit.lane.on_outcomes(&batch, &vec![Outcome::Taken; batch.len()], kit.now);
    assert!(kit.next().is_none(), "it rests");
    kit.now += 20 * SECOND;
    let smaller = kit.next().expect("another");
    assert!(smaller.len() < batch.len(), "{} after {}", smaller.len(), batch.len());
}
