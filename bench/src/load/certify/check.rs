//! Checks certificates, on a thread of its own.
//!
//! That is the work of machines of their own. So it begins when all is asked for; only
//! if too much would wait, some are checked before.

use super::asked::{Asked, Sort};
use crate::measure::thread_nanoseconds;
use billchain_verifier::verify;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// Most bytes of certificates that wait: those of some minutes.
const MOST: usize = 512 << 20;
/// Most letters of a reason.
const REASON: usize = 160;

/// What a node answered.
pub(super) struct Answer {
    pub(super) asked: Asked,
    /// When it was asked, from the start.
    pub(super) at: Duration,
    pub(super) latency: Duration,
    pub(super) certificate: Vec<u8>,
}

/// One certificate that holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Checked {
    pub(super) sort: Sort,
    /// When it was asked for, from the start.
    pub(super) at: Duration,
    pub(super) latency: Duration,
    pub(super) bytes: usize,
    /// How long it took to check.
    pub(super) took: Duration,
}

/// How it went.
#[derive(Debug, Default)]
pub(super) struct Checks {
    pub(super) checked: Vec<Checked>,
    /// Certificates that do not hold or say something else, by reason.
    pub(super) refused: BTreeMap<String, u64>,
    /// Those that were checked before all was asked for.
    pub(super) before: u64,
    /// Processor time that all took.
    pub(super) processor: Duration,
}

/// Answers that wait for their check.
pub(super) struct Waiting {
    queue: Mutex<Queue>,
    changed: Condvar,
    most: usize,
}

#[derive(Default)]
struct Queue {
    answers: VecDeque<Answer>,
    bytes: usize,
    /// Nothing comes any more.
    is_over: bool,
}

impl Waiting {
    fn new(most: usize) -> Self {
        Self { queue: Mutex::default(), changed: Condvar::new(), most }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().expect("nobody panics with the answers; qed")
    }

    /// Whether there is no room for more; there will be.
    pub(super) fn is_full(&self) -> bool {
        self.queue().bytes >= self.most
    }

    pub(super) fn add(&self, answer: Answer) {
        let mut queue = self.queue();
        queue.bytes += answer.certificate.len();
        queue.answers.push_back(answer);
        drop(queue);
        self.changed.notify_one();
    }

    fn close(&self) {
        self.queue().is_over = true;
        self.changed.notify_one();
    }

    /// The next one to check, and whether more may come; waits until it is time.
    fn next(&self) -> Option<(Answer, bool)> {
        let is_early = |queue: &mut Queue| !queue.is_over && queue.bytes <= self.most / 2;
        let queue = self.changed.wait_while(self.queue(), is_early);
        let mut queue = queue.expect("nobody panics with the answers; qed");
        let answer = queue.answers.pop_front()?;
        queue.bytes -= answer.certificate.len();
        Some((answer, !queue.is_over))
    }
}

/// The thread that checks.
pub(super) struct Checker {
    pub(super) waiting: Arc<Waiting>,
    thread: JoinHandle<Checks>,
}

impl Checker {
    /// Checks what is added against this genesis.
    pub(super) fn start(genesis: [u8; 32]) -> Self {
        let waiting = Arc::new(Waiting::new(MOST));
        let answers = waiting.clone();
        Self { waiting, thread: thread::spawn(move || check_all(&answers, &genesis)) }
    }

    /// Checks what is left, which may take as long as asking did.
    pub(super) fn finish(self) -> thread::Result<Checks> {
        self.waiting.close();
        self.thread.join()
    }
}

fn check_all(waiting: &Waiting, genesis: &[u8; 32]) -> Checks {
    let mut checks = Checks::default();
    let began = thread_nanoseconds();
    while let Some((answer, is_before)) = waiting.next() {
        checks.before += u64::from(is_before);
        let (took, verdict) = check(&answer, genesis);
        let Answer { asked, at, latency, certificate } = answer;
        let (sort, bytes) = (asked.sort(), certificate.len());
        match verdict {
            Ok(()) => checks.checked.push(Checked { sort, at, latency, bytes, took }),
            Err(reason) => {
                let reason = format!("{}: {reason}", sort.name()).chars().take(REASON).collect();
                *checks.refused.entry(reason).or_default() += 1;
            }
        }
    }
    checks.processor = Duration::from_nanos(thread_nanoseconds().saturating_sub(began));
    checks
}

/// How long the verifier took, and whether the certificate holds and answers what was asked.
fn check(answer: &Answer, genesis: &[u8; 32]) -> (Duration, Result<(), String>) {
    let began = Instant::now();
    let proved = verify(&answer.certificate, genesis);
    let took = began.elapsed();
    let verdict = match proved {
        Ok(proved) if answer.asked.is_answered_by(&proved.statement) => Ok(()),
        Ok(_) => Err("it does not say what was asked for".to_owned()),
        Err(refusal) => Err(refusal.to_string()),
    };
    (took, verdict)
}

#[cfg(test)]
mod tests {
    use super::*;
    use billchain_primitives::BillKey;

    fn answer(asked: Asked, certificate: Vec<u8>) -> Answer {
        Answer { asked, at: Duration::ZERO, latency: Duration::ZERO, certificate }
    }

    fn key(value: &serde_json::Value) -> BillKey {
        let text = |name: &str| value[name].as_str().unwrap();
        BillKey { code: text("code").parse().unwrap(), number: text("number").parse().unwrap() }
    }

    /// The genesis, and the certificate of a vector with what it proves.
    fn vector(name: &str) -> ([u8; 32], Vec<u8>, serde_json::Value) {
        let all = include_str!("../../../../verifier/vectors/certificates.json");
        let all: Vec<serde_json::Value> = serde_json::from_str(all).unwrap();
        let found = all.into_iter().find(|vector| vector["name"] == name).unwrap();
        let bytes = |name: &str| hex::decode(found[name].as_str().unwrap()).unwrap();
        (bytes("genesis").try_into().unwrap(), bytes("certificate"), found["proves"].clone())
    }

    #[test]
    fn a_certificate_has_to_hold_and_to_answer_the_question() {
        let (genesis, present, proves) = vector("a bill that was made before");
        let bill = key(&proves["bill"]);
        let (_, absent, proves) = vector("no such bill in its group");
        let no_bill = key(&proves["absent"]);
        let checker = Checker::start(genesis);
        let mut spoilt = present.clone();
        *spoilt.last_mut().unwrap() ^= 1;
        for answer in [
            answer(Asked::Bill(bill), present.clone()),
            answer(Asked::Absent(no_bill), absent.clone()),
            answer(Asked::Bill(no_bill), present.clone()),
            answer(Asked::Absent(bill), absent.clone()),
            answer(Asked::Absent(bill), present.clone()),
            answer(Asked::Bill(no_bill), absent),
            answer(Asked::month(), present.clone()),
            answer(Asked::Bill(bill), spoilt),
        ] {
            checker.waiting.add(answer);
        }
        let checks = checker.finish().unwrap();
        let sorts: Vec<Sort> = checks.checked.iter().map(|checked| checked.sort).collect();
        assert_eq!(sorts, [Sort::Bill, Sort::Absent]);
        assert_eq!(checks.checked[0].bytes, present.len());
        assert_eq!(checks.refused.values().sum::<u64>(), 6, "{:?}", checks.refused);
        assert_eq!(checks.refused["an issuer's month: it does not say what was asked for"], 1);
        assert_eq!(checks.before, 0);
    }

    #[test]
    fn no_more_waits_than_may_and_nothing_is_checked_before_it_has_to() {
        let waiting = Waiting::new(1_000);
        let add = |bytes: usize| waiting.add(answer(Asked::month(), vec![0; bytes]));
        add(600);
        assert!(!waiting.is_full());
        add(400);
        assert!(waiting.is_full());
        // More than half waits: one is taken, and there is room.
        assert!(waiting.next().is_some_and(|(_, is_before)| is_before));
        assert!(!waiting.is_full());
        assert_eq!(waiting.queue().bytes, 400);
        waiting.close();
        assert!(waiting.next().is_some_and(|(_, is_before)| !is_before));
        assert!(waiting.next().is_none());
        assert_eq!(waiting.queue().bytes, 0);
    }
}
