//! Hands work to the lane, one job at a time, so that what comes later and is
//! more urgent goes first: a commit, then a block to catch up with, then a block
//! to propose; proposals of others are checked when there is none of these.

use std::path::PathBuf;

use billchain_primitives::Equivocation;

use crate::lane::{Job, Lane};

/// See the module's documentation.
pub(super) struct Work {
    lane: Lane,
    queue: Queue<Job>,
}

impl Work {
    pub(super) fn new(lane: Lane) -> Self {
        Self { lane, queue: Queue::default() }
    }

    /// Commits next.
    pub(super) fn commit(&mut self, job: Job) {
        self.queue.commit = Some(job);
    }

    /// Checks a decided block. One at a time: the engine and the driver ask for
    /// the block of one height.
    pub(super) fn check_decided(&mut self, job: Job) {
        self.queue.decided = Some(job);
    }

    /// Builds a block. One at a time: the engine asks once a round.
    pub(super) fn propose(&mut self, job: Job) {
        self.queue.propose = Some(job);
    }

    /// Tells the application of equivocations behind the next commit: the chain
    /// records those of heights that are decided, and the engine knows of them
    /// before the block is committed.
    pub(super) fn report(&mut self, equivocations: Vec<Equivocation>) {
        if !equivocations.is_empty() {
            self.queue.behind_commit.push(Job::Report(equivocations));
        }
    }

    /// Removes files when the lane comes to it.
    pub(super) fn remove(&self, files: Vec<PathBuf>) {
        if !files.is_empty() {
            self.lane.submit(Job::Remove(files));
        }
    }

    /// A job is finished.
    pub(super) fn done(&mut self) {
        self.queue.busy = false;
    }

    /// Starts the most urgent job if the lane has none; `check` is asked for one
    /// when nothing is more urgent than a proposal's check.
    pub(super) fn feed(&mut self, check: impl FnOnce() -> Option<Job>) {
        for job in self.queue.next(check) {
            self.lane.submit(job);
        }
    }

    /// Lets a commit finish and ends the lane. Blocking.
    pub(super) fn stop(mut self) {
        if let Some(commit) = self.queue.commit.take() {
            self.lane.submit(commit);
        }
        self.lane.stop();
    }
}

pub(super) struct Queue<J> {
    pub(super) busy: bool,
    pub(super) commit: Option<J>,
    pub(super) decided: Option<J>,
    pub(super) propose: Option<J>,
    /// What is started together with a commit, after it. A few jobs: a height
    /// adds one, and its commit takes it.
    pub(super) behind_commit: Vec<J>,
}

impl<J> Default for Queue<J> {
    fn default() -> Self {
        Self { busy: false, commit: None, decided: None, propose: None, behind_commit: Vec::new() }
    }
}

impl<J> Queue<J> {
    /// The most urgent job and what goes behind it; nothing while one is under way.
    pub(super) fn next(&mut self, check: impl FnOnce() -> Option<J>) -> Vec<J> {
        if self.busy {
            return Vec::new();
        }
        let mut jobs = Vec::new();
        if let Some(commit) = self.commit.take() {
            jobs.push(commit);
            jobs.append(&mut self.behind_commit);
        } else {
            let job = self.decided.take().or_else(|| self.propose.take()).or_else(check);
            jobs.extend(job);
        }
        self.busy = !jobs.is_empty();
        jobs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_urgent_job_goes_first_and_one_at_a_time() {
        let mut queue = Queue {
            busy: false,
            commit: Some("commit"),
            decided: Some("decided"),
            propose: Some("propose"),
            behind_commit: Vec::new(),
        };
        for expected in ["commit", "decided", "propose", "check"] {
            assert_eq!(queue.next(|| Some("check")), [expected]);
            assert!(queue.next(|| panic!("one is under way")).is_empty());
            queue.busy = false;
        }
        assert!(queue.next(|| None).is_empty());
        assert!(!queue.busy, "nothing was started");
    }

    #[test]
    fn what_belongs_behind_a_commit_waits_for_it_while_the_lane_is_busy() {
        let mut queue = Queue { busy: true, ..Queue::default() };
        queue.behind_commit.push("report");
        assert!(queue.next(|| panic!("one is under way")).is_empty());
        queue.busy = false;
        assert_eq!(queue.next(|| Some("check")), ["check"], "the block is not there yet");
        queue.busy = false;
        queue.commit = Some("commit");
        assert_eq!(queue.next(|| panic!("a commit is more urgent")), ["commit", "report"]);
        queue.busy = false;
        queue.commit = Some("next commit");
        assert_eq!(queue.next(|| None), ["next commit"], "once");
    }
}
