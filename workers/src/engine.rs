//! The worker of one connector: looks at the chain, holds the lease, lets the connector tell
//! what waits, and reports.
//!
//! Everything that takes time is a job of its own; this loop waits for jobs and for the clock
//! only. So it notices a job that never ends, whatever it does, and ends the process for it.

mod delivered;
mod jobs;
mod lease;
mod reports;

use crate::{
    backoff::Backoff,
    breaker::Breaker,
    connector::{Connector, Notice},
    journal::Journal,
    node::{Node, NodeProblem, PAGE},
    queue::Queue,
    rate::Rate,
    settings::WorkerSettings,
    store::StoreProblem,
};
use billchain_primitives::Did;
use billchain_rpc_types::{ConnectorView, PulseView};
use jobs::{Done, Job};
use lease::{LeaseClock, Wanted};
use reports::Reports;
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

/// How often the chain is looked at.
const LOOK: Duration = Duration::from_millis(200);
/// How long a job that is over its time may take to end before the process ends for it.
const GRACE: Duration = Duration::from_secs(5);
/// How often what is behind dead letters is looked for again.
const RESCAN: Duration = Duration::from_secs(30);
/// A passing problem of the node: the next try.
const NODE_PAUSE: Duration = Duration::from_millis(500);
/// After the chain refused a call, which it will again unless something changes there.
const REFUSED_PAUSE: Duration = Duration::from_secs(5);

/// Why a worker ends.
#[derive(Debug, thiserror::Error)]
pub enum End {
    /// It was told to.
    #[error("stopped")]
    Stopped,
    /// A delivery or another act of the connector blocks its thread, or loops.
    #[error("the connector does not come back: {0} took longer than it may")]
    Stuck(&'static str),
    /// Its store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreProblem),
    /// The connector's terms on the chain are others than it was built for, or it is retired.
    #[error("the connector was changed on the chain")]
    Changed,
}

/// What a worker is made of.
pub struct Parts {
    /// The node.
    pub node: Arc<Node>,
    /// The connector, as the chain has it.
    pub view: ConnectorView,
    /// Who acknowledges.
    pub did: Did,
    /// The connector's own code.
    pub connector: Arc<dyn Connector>,
    /// What must survive.
    pub journal: Journal,
    /// The operator's settings.
    pub settings: WorkerSettings,
    /// Counts the loop's turns, for the watchdog.
    pub beat: Arc<AtomicU64>,
    /// Where pulses go.
    pub pulses: Box<dyn Fn(&PulseView) + Send>,
}

/// The worker.
pub struct Engine {
    parts: Parts,
    jobs: JoinSet<Done>,
    /// Jobs of the connector that are under way, with when they have to be over.
    deadlines: HashMap<u64, (&'static str, Instant)>,
    next_job: u64,
    queue: Queue<Notice>,
    reports: Reports,
    breaker: Breaker,
    rate: Rate,
    backoff: Backoff,
    lease: LeaseClock,
    /// Whether the lease was held at the last turn.
    was_held: bool,
    looked: Option<Instant>,
    is_looking: bool,
    fetch: Fetch,
    tended: Option<Instant>,
    is_tending: bool,
    tends_again: bool,
    is_sending: bool,
    pause: Option<Instant>,
    pulse: PulseView,
    pulsed: Option<Instant>,
}

/// How far the chain's entries were read.
#[derive(Clone, Copy, Debug)]
struct Fetch {
    is_under_way: bool,
    /// All that there was, was read.
    is_through: bool,
    /// Dead letters when reading began.
    dead: u32,
    began: Instant,
    /// To be read from the beginning, as soon as nothing is under way.
    is_wanted: bool,
}

impl Engine {
    /// One that has done nothing yet.
    pub fn new(parts: Parts) -> Result<Self, StoreProblem> {
        let now = Instant::now();
        let settings = &parts.settings;
        let longest = Duration::from_millis(settings.longest_pause_ms);
        Ok(Self {
            jobs: JoinSet::new(),
            deadlines: HashMap::new(),
            next_job: 0,
            queue: Queue::default(),
            reports: Reports::new(parts.journal.unreported()?),
            breaker: Breaker::new(settings.breaker_failures, longest),
            rate: Rate::new(settings.per_second, now),
            backoff: Backoff { first: Duration::from_millis(200), longest },
            lease: LeaseClock::new(&parts.view, &parts.did),
            was_held: false,
            looked: None,
            is_looking: false,
            fetch: Fetch {
                is_under_way: false,
                is_through: false,
                dead: 0,
                began: now,
                is_wanted: false,
            },
            tended: None,
            is_tending: false,
            tends_again: false,
            is_sending: false,
            pause: None,
            pulse: PulseView::default(),
            pulsed: None,
            parts,
        })
    }

    /// Works until something ends it. A lease that it has is given back if it was told to stop.
    pub async fn run(mut self, mut stop: tokio::sync::watch::Receiver<bool>) -> End {
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            self.parts.beat.fetch_add(1, Ordering::Relaxed);
            tokio::select! {
                Some(done) = self.jobs.join_next(), if !self.jobs.is_empty() => {
                    let mut all = vec![done];
                    while let Some(more) = self.jobs.try_join_next() {
                        all.push(more);
                    }
                    if let Err(end) = self.on_done(all) {
                        return end;
                    }
                }
                _ = tick.tick() => {}
                changed = stop.changed() => if changed.is_err() || *stop.borrow() {
                    if self.lease.is_held(Instant::now()) {
                        // Another one need not wait. If it fails, it waits for 5 s.
                        let _ = tokio::time::timeout(GRACE, self.parts.node.release()).await;
                    }
                    return End::Stopped;
                }
            }
            let now = Instant::now();
            if let Some((what, _)) = self.deadlines.values().find(|(_, end)| now > *end + GRACE) {
                return End::Stuck(what);
            }
            self.begin(now);
            self.tell_pulse(now);
        }
    }

    /// Begins what may begin.
    fn begin(&mut self, now: Instant) {
        self.look(now);
        if self.pause.is_some_and(|until| now < until) {
            return;
        }
        let wanted = self.wanted(now);
        if !self.is_sending && self.reports.is_due(now) {
            let outcomes = self.reports.next();
            self.is_sending = true;
            self.job(Job::Report { node: self.parts.node.clone(), outcomes });
        } else if !self.is_sending && self.lease.wants_claim(wanted, now) {
            self.is_sending = true;
            self.lease.claiming(now);
            self.job(Job::Claim { node: self.parts.node.clone() });
        }
        let was_held = std::mem::replace(&mut self.was_held, self.lease.is_held(now));
        if !self.was_held {
            return;
        }
        // Another worker may have told what is at hand.
        self.fetch.is_wanted |= !was_held;
        self.fetch(now);
        if self.breaker.asks(now) {
            let connector = self.parts.connector.clone();
            self.guarded("probe", Job::Probe { connector });
        }
        if self.breaker.lets_through() {
            self.deliver(now);
            self.tend(now);
        }
    }

    /// What to hold the lease for.
    fn wanted(&self, now: Instant) -> Wanted {
        let view = &self.parts.view;
        let every = Duration::from_millis(self.parts.settings.tend_ms);
        let has_entries =
            view.entries.waiting > 0 || !self.queue.is_empty() || !self.reports.is_empty();
        let tends = self.is_tending
            || self.tends_again
            || self.tended.is_none_or(|last| now >= last + every);
        match (view.status.as_str(), has_entries, tends) {
            ("active", true, _) => Wanted::ForEntries,
            ("active", false, true) => Wanted::ForTending { after: 2 * every },
            _ => Wanted::No,
        }
    }

    fn look(&mut self, now: Instant) {
        if self.is_looking || self.looked.is_some_and(|last| now < last + LOOK) {
            return;
        }
        self.is_looking = true;
        self.looked = Some(now);
        self.job(Job::Look { node: self.parts.node.clone(), began: now });
    }

    /// Reads on in the chain's entries.
    fn fetch(&mut self, now: Instant) {
        let entries = self.parts.view.entries;
        if entries.dead < self.fetch.dead {
            self.fetch.is_wanted = true;
        }
        let is_late = now > self.fetch.began + RESCAN;
        let misses = self.fetch.is_through && self.queue.is_empty() && self.reports.is_empty();
        let is_still = !self.fetch.is_under_way && self.queue.is_still() && self.reports.is_empty();
        if is_still && (self.fetch.is_wanted || (misses && entries.waiting > 0 && is_late)) {
            self.queue.restart();
            self.fetch.is_wanted = false;
            self.fetch.is_through = false;
        }
        if self.queue.last().is_none() && !self.fetch.is_under_way {
            self.fetch.dead = entries.dead;
            self.fetch.began = now;
        }
        self.fetch.dead = self.fetch.dead.max(entries.dead);
        let is_new = entries.last > self.queue.last().unwrap_or(0);
        let wants = !self.fetch.is_through || is_new;
        if self.fetch.is_under_way || self.fetch.is_wanted || !wants || !self.queue.has_room() {
            return;
        }
        self.fetch.is_under_way = true;
        self.job(Job::Page { node: self.parts.node.clone(), after: self.queue.last() });
    }

    /// Gives the connector what it may tell.
    fn deliver(&mut self, now: Instant) {
        if self.fetch.is_wanted {
            return;
        }
        let connector = self.parts.connector.clone();
        let (batch, in_order) = (connector.batch().max(1), connector.keeps_order());
        let most = if in_order { 1 } else { self.parts.settings.concurrency };
        while self.under_way() < most {
            let allowed = self.rate.take(batch, now);
            let taken = self.queue.take(allowed, in_order, now);
            self.rate.give_back(allowed - taken.len());
            if taken.is_empty() {
                return;
            }
            let notices: Vec<_> = taken
                .into_iter()
                .map(|(_, notice, attempt)| Notice { attempt, ..notice })
                .collect();
            let within = self.parts.settings.deliver_within();
            let connector = connector.clone();
            self.guarded("deliver", Job::Deliver { connector, notices, within });
        }
    }

    fn under_way(&self) -> usize {
        self.deadlines.values().filter(|(what, _)| *what == "deliver").count()
    }

    fn tend(&mut self, now: Instant) {
        let every = Duration::from_millis(self.parts.settings.tend_ms);
        let is_due = self.tends_again || self.tended.is_none_or(|last| now >= last + every);
        if self.is_tending || !is_due {
            return;
        }
        self.is_tending = true;
        let connector = self.parts.connector.clone();
        self.guarded("tend", Job::Tend { connector, within: self.parts.settings.deliver_within() });
    }

    /// Begins a job.
    fn job(&mut self, job: Job) {
        let id = self.next_job;
        self.next_job += 1;
        self.jobs.spawn(job.run(id));
    }

    /// Begins a job of the connector, which has to be over in time.
    fn guarded(&mut self, what: &'static str, job: Job) {
        let end = Instant::now() + self.parts.settings.deliver_within();
        self.deadlines.insert(self.next_job, (what, end));
        self.job(job);
    }

    fn on_done(&mut self, all: Vec<Result<Done, tokio::task::JoinError>>) -> Result<(), End> {
        let (mut told, now) = (Vec::new(), Instant::now());
        for done in all {
            // Jobs catch what panics in a connector; nothing cancels them.
            let Ok(done) = done else { return Err(End::Stuck("a job of the worker")) };
            match done {
                Done::Looked { view, head, began } => self.on_looked(view, head, began)?,
                Done::Page { notices } => self.on_page(notices, now),
                Done::Claimed { result } => self.on_claimed(result, now),
                Done::Delivered { id, notices, outcomes } => {
                    self.deadlines.remove(&id);
                    self.on_delivered(&notices, outcomes, &mut told, now);
                }
                Done::Reported { outcomes, dead, result } => {
                    self.on_reported(outcomes, dead, result, now)?;
                }
                Done::Probed { id, result } => {
                    self.deadlines.remove(&id);
                    match result {
                        Ok(()) => self.breaker.succeeded(),
                        Err(failure) => self.on_failure(&failure, now),
                    }
                }
                Done::Tended { id, result } => {
                    self.deadlines.remove(&id);
                    self.is_tending = false;
                    self.tended = Some(now);
                    self.tends_again = matches!(result, Ok(crate::Tended::More));
                    if let Err(failure) = result {
                        self.on_failure(&failure, now);
                    }
                }
            }
        }
        if told.is_empty() {
            return Ok(());
        }
        // Durable before anything else: what is told now is not told again.
        let decided = self.parts.journal.told(&told)?;
        for (seq, decided) in decided {
            self.queue.told(seq);
            self.reports.told(seq, decided, now);
            self.pulse.told += 1;
        }
        Ok(())
    }

    fn on_looked(
        &mut self,
        view: Result<Box<ConnectorView>, NodeProblem>,
        head: u32,
        began: Instant,
    ) -> Result<(), End> {
        self.is_looking = false;
        match view {
            Ok(view) => {
                let before = &self.parts.view;
                let is_other = (&view.format, &view.endpoint, view.kind, &view.acknowledgers)
                    != (&before.format, &before.endpoint, before.kind, &before.acknowledgers);
                if is_other || view.status == "retired" {
                    return Err(End::Changed);
                }
                self.lease.looked(&view, began);
                self.pulse.cursor = head;
                self.parts.view = *view;
            }
            Err(problem) => self.note(&problem),
        }
        Ok(())
    }

    fn on_page(&mut self, notices: Result<Vec<Notice>, NodeProblem>, now: Instant) {
        self.fetch.is_under_way = false;
        match notices {
            Ok(notices) => {
                self.fetch.is_through = notices.len() < PAGE;
                for notice in notices {
                    let (seq, entry) = (notice.seq, notice.entry.clone());
                    let is_decided = self.reports.has_told(seq);
                    self.queue.push(seq, &entry, notice, is_decided, now);
                }
            }
            Err(problem) => self.node_failed(&problem, now),
        }
    }

    fn node_failed(&mut self, problem: &NodeProblem, now: Instant) {
        self.note(problem);
        let is_refusal = matches!(problem, NodeProblem::Refused { .. });
        self.pause = Some(now + if is_refusal { REFUSED_PAUSE } else { NODE_PAUSE });
    }

    fn note(&mut self, problem: &NodeProblem) {
        tracing::warn!(%problem, "the node");
        self.pulse.last_error = Some(short(&problem.to_string()));
    }

    fn tell_pulse(&mut self, now: Instant) {
        if self.pulsed.is_some_and(|last| now < last + Duration::from_secs(1)) {
            return;
        }
        self.pulsed = Some(now);
        self.pulse.holds_lease = self.lease.is_held(now);
        self.pulse.at_hand = self.queue.waiting() as u64;
        self.pulse.under_way = self.under_way() as u64;
        self.pulse.unreported = self.reports.len() as u64;
        self.pulse.circuit = self.breaker.circuit().name().to_owned();
        (self.parts.pulses)(&self.pulse);
    }
}

/// Words for an operator, bounded.
fn short(words: &str) -> String {
    words.chars().take(300).collect()
}
