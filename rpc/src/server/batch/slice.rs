//! Light reads that one turn begins.

use crate::{
    lanes::Lane,
    server::{
        answers::{LEAST, Part},
        reads::Read,
        shared::Methods,
    },
};
use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

/// How long light reads run in one turn.
pub(super) const SLICE: Duration = Duration::from_millis(2);

/// Light reads that one turn begins.
pub(super) struct Slice {
    pub(super) methods: Arc<Methods>,
    pub(super) waiting: VecDeque<(usize, Read)>,
    pub(super) answered: Vec<(usize, Read, Part)>,
    /// Those whose answers turned out to be long.
    pub(super) dear: Vec<(usize, Read)>,
    free: usize,
}

impl Slice {
    /// Reads whose answers have `free` bytes of room.
    pub(super) fn new(
        methods: Arc<Methods>,
        waiting: VecDeque<(usize, Read)>,
        free: usize,
    ) -> Self {
        Self { methods, waiting, answered: Vec::new(), dear: Vec::new(), free }
    }

    /// Runs the first ones: what there is time and room for, at least one.
    pub(super) fn run(&mut self) {
        let began = Instant::now();
        while let Some((place, read)) = self.waiting.pop_front() {
            let wants = read.first_try() + LEAST;
            if wants > self.free && !(self.answered.is_empty() && self.dear.is_empty()) {
                return self.waiting.push_front((place, read));
            }
            match self.one(&read) {
                Some(part) => {
                    self.free = self.free.saturating_sub(part.text.len() + 1);
                    self.answered.push((place, read, part));
                }
                None => self.dear.push((place, read)),
            }
            if began.elapsed() >= SLICE {
                return;
            }
        }
    }

    /// The answer, unless it is longer than what a light turn or the room
    /// allows.
    fn one(&self, read: &Read) -> Option<Part> {
        let mut most = read.first_try().min(self.free.saturating_sub(LEAST));
        loop {
            let part = read.run(&self.methods.context, most);
            if !part.is_too_long() || most >= read.bound() {
                return Some(part);
            }
            let next = read.next_try(most);
            if read.lane(next) == Lane::Heavy || next + LEAST > self.free {
                return None;
            }
            most = next;
        }
    }
}
