//! Reads beside the writes: nine of ten of bills that came lately, the others
//! of old ones.

use super::book::Known;
use crate::workload::Chance;
use billchain_client::Connection;
use jsonrpsee::{core::params::ArrayParams, rpc_params};
use serde_json::value::RawValue;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::{sync::Semaphore, task::JoinSet, time::sleep_until};

/// Share of reads that are of old bills.
const COLD: f64 = 0.1;
/// Bills that count as new.
const NEW: usize = 20_000;
/// A bill is read so long after it became final at the node that is followed:
/// others may be a little behind.
const SETTLED: Duration = Duration::from_secs(2);
/// Reads of one node that are due together are asked for together.
const TICK: Duration = Duration::from_millis(20);
/// Most reads of one request.
const REQUEST: usize = 64;
/// Requests to a node that are not answered, at most; more wait, and their
/// latency counts from when they were due.
const UNANSWERED: usize = 8;

/// Methods with their shares.
const METHODS: [(&str, f64); 3] = [("bill_byCodes", 0.7), ("bill_get", 0.2), ("bill_history", 0.1)];

/// Bills to read.
#[derive(Default)]
pub(crate) struct Library {
    /// Final, but not everywhere yet, with the moment at which they are.
    settling: VecDeque<(Instant, Known)>,
    new: VecDeque<Known>,
    old: Vec<Known>,
}

impl Library {
    /// Bills became final.
    pub(crate) fn add(&mut self, bills: Vec<Known>, now: Instant) {
        self.settling.extend(bills.into_iter().map(|bill| (now + SETTLED, bill)));
        while self.settling.front().is_some_and(|(settled, _)| *settled <= now) {
            self.new.extend(self.settling.pop_front().map(|(_, bill)| bill));
        }
        let surplus = self.new.len().saturating_sub(NEW);
        self.new.drain(..surplus);
    }

    /// Declares bills old.
    pub(crate) fn add_old(&mut self, bills: Vec<Known>) {
        self.old.extend(bills);
    }

    /// A bill to read: a new one, or, one time in ten, an old one.
    pub(crate) fn draw(&self, chance: &mut Chance) -> Option<Known> {
        let cold = chance.happens(COLD);
        if (cold || self.new.is_empty()) && !self.old.is_empty() {
            return self.old.get(chance.below(self.old.len())).copied();
        }
        self.new.get(chance.below(self.new.len())).copied()
    }
}

/// How reads went.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReadCounts {
    /// Latencies, with the moment from the start at which each was due.
    pub(crate) latencies: Vec<(Duration, Duration)>,
    /// Bills that were not found, though their registration is final.
    pub(crate) missed: u64,
    /// Failures by reason.
    pub(crate) failed: BTreeMap<String, u64>,
}

/// Reads at `rate` a second from `node`, until `end` after `start`.
pub(crate) async fn read(
    node: Connection,
    library: Arc<Mutex<Library>>,
    mut chance: Chance,
    rate: f64,
    (start, end): (Instant, Duration),
) -> ReadCounts {
    let counts = Arc::new(Mutex::new(ReadCounts::default()));
    let permits = Arc::new(Semaphore::new(UNANSWERED));
    let mut requests = JoinSet::new();
    let mut due = 0.0;
    let mut tick = Duration::ZERO;
    while tick < end {
        sleep_until((start + tick).into()).await;
        due += rate * TICK.as_secs_f64();
        let mut wanted = Vec::new();
        {
            let library = library.lock().expect("nobody panics with the library; qed");
            while due >= 1.0 {
                due -= 1.0;
                wanted.extend(library.draw(&mut chance).map(|bill| question(bill, &mut chance)));
            }
        }
        while !wanted.is_empty() {
            let rest = wanted.split_off(wanted.len().min(REQUEST));
            let request = std::mem::replace(&mut wanted, rest);
            let permit = permits.clone().acquire_owned().await.expect("never closed; qed");
            let (node, counts) = (node.clone(), counts.clone());
            requests.spawn(async move {
                let _permit = permit;
                ask(&node, request, (start, tick), &counts).await;
            });
        }
        while requests.try_join_next().is_some() {}
        tick += TICK;
    }
    requests.join_all().await;
    std::mem::take(&mut counts.lock().expect("all that count are done; qed"))
}

/// A request about a bill.
pub(crate) fn question(bill: Known, chance: &mut Chance) -> (&'static str, ArrayParams) {
    let (code, number) = (bill.key.code.to_string(), bill.key.number.to_string());
    let mut draw = chance.unit();
    for (method, share) in METHODS {
        if draw < share {
            return match method {
                "bill_byCodes" => (method, rpc_params![code, number, bill.check.to_string()]),
                _ => (method, rpc_params![code, number]),
            };
        }
        draw -= share;
    }
    ("bill_get", rpc_params![code, number])
}

async fn ask(
    node: &Connection,
    request: Vec<(&'static str, ArrayParams)>,
    (start, due): (Instant, Duration),
    counts: &Mutex<ReadCounts>,
) {
    let asked = request.len();
    let answers = node.ask_all::<Box<RawValue>>(request).await;
    let latency = start.elapsed().saturating_sub(due);
    let mut counts = counts.lock().expect("nobody panics with the counts; qed");
    match answers {
        Ok(answers) => {
            for answer in answers {
                match answer {
                    Ok(value) => {
                        counts.missed += u64::from(value.get() == "null");
                        counts.latencies.push((due, latency));
                    }
                    Err(error) => {
                        *counts.failed.entry(super::lanes::shortened(&error)).or_default() += 1;
                    }
                }
            }
        }
        Err(error) => {
            *counts.failed.entry(super::lanes::shortened(&error)).or_default() += asked as u64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use billchain_primitives::BillKey;

    fn bill(number: u64) -> Known {
        let number = format!("{number:010}").parse().unwrap();
        Known {
            key: BillKey { code: "31060126".parse().unwrap(), number },
            check: "aZ09bY".parse().unwrap(),
        }
    }

    #[test]
    fn a_tenth_of_reads_are_of_old_bills_and_new_ones_are_bounded() {
        let mut library = Library::default();
        let mut chance = Chance::new(1, "reads");
        assert!(library.draw(&mut chance).is_none());
        library.add_old((0..100).map(bill).collect());
        let now = Instant::now();
        library.add((1_000..1_000 + NEW as u64 + 500).map(bill).collect(), now);
        assert_eq!(library.new.len(), 0);
        library.add(Vec::new(), now + SETTLED);
        assert_eq!(library.new.len(), NEW);
        let draws: Vec<Known> = (0..20_000).filter_map(|_| library.draw(&mut chance)).collect();
        let old = draws.iter().filter(|known| known.key.number < bill(100).key.number).count();
        assert_eq!(draws.len(), 20_000);
        assert!((old as f64 / 20_000.0 - COLD).abs() < 0.01, "{old}");
        assert!(draws.iter().all(|known| {
            known.key.number < bill(100).key.number || known.key.number >= bill(1_500).key.number
        }));
    }

    #[test]
    fn questions_have_their_methods_shares() {
        let mut chance = Chance::new(1, "questions");
        let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
        for _ in 0..10_000 {
            *counts.entry(question(bill(7), &mut chance).0).or_default() += 1;
        }
        for (method, share) in METHODS {
            let found = f64::from(counts[method]) / 10_000.0;
            assert!((found - share).abs() < 0.02, "{method}: {found}");
        }
    }
}
