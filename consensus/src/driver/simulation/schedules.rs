//! The schedules that are run, and how long the chain may stand still.

use std::panic::{AssertUnwindSafe, catch_unwind};

use malachitebft_app_channel::app::metrics::Metrics;

use super::random::Random;
use super::world::{CALM, Event, NODES, Weather, World};
use crate::types::{Height, Round};

/// Once the weather is calm and three honest validators run, so much time may
/// pass until each of them has committed two more blocks. Rounds grow longer with
/// their number, and a liar has every fourth to itself.
const CALM_MS: u64 = 120_000;

/// Schedules of the ordinary tests.
const SCHEDULES: u64 = 2_000;

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

/// Lets a schedule happen and judges it.
fn run(seed: u64, metrics: &Metrics) {
    let mut world = World::new(seed, metrics);
    let mut random = Random::new(seed ^ 0x5eed);
    world.liar = random.percent(50).then(|| random.below(NODES as u64) as usize);
    world.weather = Weather {
        lost: random.below(30),
        doubled: random.below(20),
        delay_ms: random.between(5, 3_000),
    };
    for node in 0..NODES {
        world.start(node);
    }
    let begin = world.now_ms;
    let storm = random.between(2_000, 40_000);
    let loses = random.percent(30).then(|| random.below(NODES as u64) as usize);
    for _ in 0..random.below(8) {
        let time = begin + random.below(storm);
        let together = random.percent(30);
        let down = random.between(10, 30_000);
        let victim = random.below(NODES as u64) as usize;
        for node in (0..NODES).filter(|node| together || *node == victim) {
            let keep = random.below(4) as usize;
            let undecided_too = loses == Some(node);
            world.at(time, Event::Kill { node, keep, undecided_too });
            world.at(time + down + random.below(2_000), Event::Start(node));
        }
    }
    let calm = begin + storm + 35_000;
    world.at(begin + storm, Event::Weather(CALM));
    while world.step(calm) {}
    // One of four may stay away for good, unless one lies.
    let away = random.below(2 * NODES as u64) as usize;
    let lives: Vec<usize> =
        (0..NODES).filter(|node| world.liar.is_some() || *node != away).collect();
    for node in 0..NODES {
        if lives.contains(&node) {
            world.start(node);
        } else {
            world.kill(node, 0);
        }
    }
    let target = world.oracle.top() + 2;
    let honest: Vec<usize> = lives.into_iter().filter(|node| world.is_honest(*node)).collect();
    let end = world.now_ms + CALM_MS;
    while honest.iter().any(|node| world.committed(*node) < target) {
        assert!(
            world.step(end),
            "no progress to {target} within {CALM_MS} ms, {:?} is the liar:\n{}",
            world.liar,
            world.describe(),
        );
    }
}

#[test]
fn honest_validators_agree_and_go_on_whatever_the_schedule() {
    let metrics = Metrics::new();
    let seeds = match number("BILLCHAIN_SEED") {
        Some(seed) => seed..seed + 1,
        None => {
            let first = number("BILLCHAIN_FIRST_SEED").unwrap_or(0);
            first..first + number("BILLCHAIN_SCHEDULES").unwrap_or(SCHEDULES)
        }
    };
    for seed in seeds {
        let outcome = catch_unwind(AssertUnwindSafe(|| run(seed, &metrics)));
        assert!(outcome.is_ok(), "schedule failed: run it alone with BILLCHAIN_SEED={seed}");
    }
}

/// Runs until a node is locked on a block that the others are not locked on;
/// `None` if the schedule has no such moment.
fn one_is_locked(seed: u64, metrics: &Metrics) -> Option<(World, usize)> {
    let mut world = World::new(seed, metrics);
    for node in 0..NODES {
        world.start(node);
    }
    let end = world.now_ms + 20_000;
    while world.step(end) {
        let locked: Vec<usize> = (0..NODES)
            .filter(|node| world.node(*node).is_some_and(|node| node.is_locked()))
            .collect();
        let undecided = (0..NODES).all(|node| world.committed(node) == world.oracle.top());
        if world.oracle.top() >= 2 && undecided && locked.len() == 1 {
            return Some((world, locked[0]));
        }
    }
    None
}

/// Four validators are killed when one of them is locked; twenty seconds later,
/// when the block is too old to be proposed anew, three are started, the locked
/// one among them. It accepts no other block, so the two others have to take this
/// one, and soon.
#[test]
fn three_of_four_of_which_one_is_locked_on_an_old_block_go_on_within_ten_seconds() {
    let metrics = Metrics::new();
    let mut cases = 0;
    for seed in 0..100 {
        for away in 0..NODES {
            let Some((mut world, locked)) = one_is_locked(seed, &metrics) else { continue };
            if away == locked {
                continue;
            }
            for node in 0..NODES {
                world.kill(node, 0);
            }
            let top = world.oracle.top();
            let later = world.now_ms + 20_000;
            while world.step(later) {}
            let alive: Vec<usize> = (0..NODES).filter(|node| *node != away).collect();
            for node in &alive {
                world.start(*node);
            }
            let end = world.now_ms + 10_000;
            while alive.iter().any(|node| world.committed(*node) <= top) {
                assert!(world.step(end), "seed {seed}, node {away} away: no block in 10 s");
            }
            cases += 1;
        }
    }
    assert!(cases >= 100, "only {cases} schedules had such a moment");
}

/// The same, but the directories of undecided blocks of one that had decided, or
/// was about to, are gone: the block comes from the others.
#[test]
fn a_node_that_lost_its_undecided_blocks_comes_up_again() {
    let metrics = Metrics::new();
    let mut cases = 0;
    for seed in 0..100 {
        for loser in 0..NODES {
            let Some((mut world, _)) = one_is_locked(seed, &metrics) else { continue };
            let more = world.now_ms + seed % 30;
            while world.step(more) {}
            for node in 0..NODES {
                world.kill(node, 0);
            }
            if !world.has_undecided(loser) {
                continue;
            }
            world.lose_undecided(loser);
            for node in 0..NODES {
                world.start(node);
            }
            let (top, end) = (world.oracle.top(), world.now_ms + 10_000);
            while (0..NODES).any(|node| world.committed(node) <= top) {
                assert!(world.step(end), "seed {seed}, node {loser}: no block in 10 s");
            }
            cases += 1;
        }
    }
    assert!(cases >= 100, "only {cases} schedules had such a moment");
}

/// All nodes were down, and the proposer is up before the others: what it said first
/// nobody heard. It says it again in time for the round to succeed.
#[test]
fn a_proposer_that_starts_before_the_others_loses_no_round() {
    let metrics = Metrics::new();
    for seed in 0..50 {
        let mut world = World::new(seed, &metrics);
        let proposer = world.proposer(0);
        world.start(proposer);
        let mut end = world.now_ms + 200 + 25 * seed;
        while world.step(end) {}
        for node in 0..NODES {
            world.start(node);
        }
        end += 5_000;
        while (0..NODES).any(|node| world.committed(node) == 0) {
            assert!(world.step(end), "seed {seed}: no block in 5 s:\n{}", world.describe());
        }
        assert_eq!(world.rounds[&Height::new(1)].0, Round::FIRST, "seed {seed}");
    }
}

/// One validator announces blocks of its own for all turns of the next height,
/// before anybody else can: the honest ones lose no round by it.
#[test]
fn a_validator_that_announces_ahead_costs_the_others_no_round() {
    let metrics = Metrics::new();
    for seed in 0..20 {
        let mut world = World::new(seed, &metrics);
        world.liar = Some(3);
        for node in 0..NODES {
            world.start(node);
        }
        let end = world.now_ms + 60_000;
        while world.step(end) {}
        let heights = world.oracle.top();
        assert!(heights >= 20, "seed {seed}: {heights} heights in a minute");
        // Rounds of its own heights it may lose. Of the others' it also splits votes,
        // which costs a round now and then; announcing would cost one a height.
        let turns = world.rounds.values();
        let lost = turns.filter(|(round, first)| *first != 3 && *round > Round::FIRST);
        let lost = lost.count() as u64;
        assert!(lost * 20 <= heights, "seed {seed}: {lost} of {heights} heights lost a round");
    }
}

/// One validator signs what it likes to each of the others: they find it out, and
/// charge nobody else.
#[test]
fn a_validator_that_signs_twice_is_charged_by_the_others() {
    let metrics = Metrics::new();
    for seed in 0..20 {
        let mut world = World::new(seed, &metrics);
        world.liar = Some(3);
        for node in 0..NODES {
            world.start(node);
        }
        let end = world.now_ms + 30_000;
        while world.step(end) {}
        assert!(world.oracle.charges > 0, "seed {seed}: nobody found it out");
    }
}

/// One of four is away: it costs the others a few rounds, and none from then on. When it
/// is back it votes, and takes its turns again.
#[test]
fn a_validator_that_is_away_is_left_out_and_taken_back() {
    let metrics = Metrics::new();
    for seed in 0..40 {
        let mut world = World::new(seed, &metrics);
        let away = seed as usize % NODES;
        for node in (0..NODES).filter(|node| *node != away) {
            world.start(node);
        }
        let end = world.now_ms + 60_000;
        while world.step(end) {}
        let heights = world.oracle.top();
        assert!(heights >= 100, "seed {seed}: {heights} heights in a minute");
        let failed = |(_, (round, _)): &(&Height, &(Round, usize))| *round > Round::FIRST;
        let last = world.rounds.iter().filter(failed).map(|(height, _)| height.get()).next_back();
        assert!(last <= Some(12), "seed {seed}: a round failed at height {last:?}");
        let turns = |world: &World, from: u64| {
            let turns = world.rounds.range(Height::new(from)..);
            turns.filter(|(_, (round, first))| *first == away && *round == Round::FIRST).count()
        };
        assert_eq!(turns(&world, 20), 0, "seed {seed}: it was given turns");
        world.start(away);
        let end = world.now_ms + 60_000;
        while world.committed(away) < world.oracle.top() {
            assert!(world.step(end), "seed {seed}: it lags");
        }
        let caught_up = world.oracle.top();
        let end = world.now_ms + 20_000;
        while world.step(end) {}
        // Absent it was for as many blocks as there are validators, at least.
        let back = turns(&world, caught_up) as u64;
        let heights = world.oracle.top() - caught_up;
        assert!(back * 5 >= heights, "seed {seed}: {back} turns in {heights} heights");
    }
}
