//! How much of each peer may wait for the engine. Pure.
//!
//! The engine's mailbox has no bound, and verifying a vote costs it more than
//! receiving one costs the network: whoever sends faster than the engine verifies
//! would fill the memory, and every honest vote would wait behind what came before
//! it. So each peer has a window of messages that the engine has not handled yet.
//! What comes beyond it is left out; votes, proposals and blocks are repeated when
//! they are missed. The bound belongs to the peer that delivers: a flood waits
//! behind itself, and an honest message at most behind the windows of all.
//!
//! What the engine has handled shows a *mark*: a question that is answered after
//! everything before it.

use std::collections::HashMap;

use malachitebft_app_channel::app::types::PeerId;

/// Messages of one peer that may wait: the parts of two of the largest blocks, and
/// votes.
const WINDOW: usize = 128;
/// Messages of one peer after which a mark is set.
const STEP: usize = 32;

/// What is to be done with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pass {
    /// Pass it on.
    On,
    /// Pass it on, and set a mark behind it.
    OnAndMark,
    /// Leave it out.
    No,
}

/// See the module's documentation.
#[derive(Debug, Default)]
pub(super) struct Window {
    /// Messages passed on before the mark.
    before: HashMap<PeerId, usize>,
    /// And since.
    since: HashMap<PeerId, usize>,
    /// Whether a mark is set that the engine has not come to.
    marked: bool,
}

impl Window {
    /// A peer delivers a message.
    pub(super) fn pass(&mut self, peer: PeerId) -> Pass {
        let before = self.before.get(&peer).copied().unwrap_or(0);
        let since = self.since.entry(peer).or_default();
        if before + *since >= WINDOW {
            return Pass::No;
        }
        *since += 1;
        if *since < STEP || self.marked {
            return Pass::On;
        }
        self.marked = true;
        self.before = std::mem::take(&mut self.since);
        Pass::OnAndMark
    }

    /// The engine has come to the mark; whether another is to be set, because a
    /// peer has sent much since.
    pub(super) fn reached(&mut self) -> bool {
        self.before.clear();
        self.marked = self.since.values().any(|since| *since >= STEP);
        if self.marked {
            self.before = std::mem::take(&mut self.since);
        }
        self.marked
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::peer;

    fn passed(window: &mut Window, peer: PeerId, messages: usize) -> usize {
        (0..messages).filter(|_| window.pass(peer) != Pass::No).count()
    }

    #[test]
    fn a_flood_waits_behind_itself_and_takes_no_room_of_another_peer() {
        let mut window = Window::default();
        assert_eq!(passed(&mut window, peer(1), 100_000), WINDOW);
        assert_eq!(passed(&mut window, peer(2), WINDOW), WINDOW);
    }

    #[test]
    fn what_the_engine_has_handled_makes_room_again() {
        let mut window = Window::default();
        let first = (0..STEP).map(|_| window.pass(peer(1))).collect::<Vec<_>>();
        assert_eq!(first.last(), Some(&Pass::OnAndMark), "{first:?}");
        assert_eq!(passed(&mut window, peer(1), 100_000), WINDOW - STEP);
        assert!(window.reached(), "the rest is marked at once");
        assert_eq!(passed(&mut window, peer(1), 100_000), STEP, "what was handled");
        assert!(window.reached());
        assert!(!window.reached(), "nothing came since");
        assert_eq!(passed(&mut window, peer(1), 100_000), WINDOW);
    }

    #[test]
    fn a_peer_that_sends_little_needs_no_mark() {
        let mut window = Window::default();
        for number in 1..STEP {
            assert_eq!(window.pass(peer(1)), Pass::On, "message {number}");
        }
    }
}
