//! How often a peer may say which heights it has, and ask for blocks. Pure.
//!
//! Value sync has a mailbox without a bound, and no question by which to learn
//! what it has done, as the engine has for [`window`](super::window). What an
//! honest peer says to it does not grow with the number of validators or the speed
//! of the machine: some statuses a second, and no more questions than value sync
//! answers. So here a rate is right.

use std::collections::HashMap;
use std::time::Instant;

use malachitebft_app_channel::app::types::PeerId;

/// Messages of a peer that may come at once.
const BURST: f64 = 256.0;
/// And each second after that: above the 100 questions a second of a peer that
/// value sync answers.
const A_SECOND: f64 = 128.0;

/// See the module's documentation. Remembers allowed peers only, of which there
/// are few.
#[derive(Debug, Default)]
pub(super) struct Rate {
    peers: HashMap<PeerId, Left>,
}

#[derive(Debug)]
struct Left {
    messages: f64,
    at: Instant,
}

impl Rate {
    /// Whether a message that a peer sends now may pass.
    pub(super) fn pass(&mut self, peer: PeerId, now: Instant) -> bool {
        let left = self.peers.entry(peer).or_insert(Left { messages: BURST, at: now });
        let seconds = now.saturating_duration_since(left.at).as_secs_f64();
        left.messages = (left.messages + seconds * A_SECOND).min(BURST);
        left.at = now;
        let passes = left.messages >= 1.0;
        if passes {
            left.messages -= 1.0;
        }
        passes
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::testing::peer;

    #[test]
    fn a_flood_is_refused_and_takes_nothing_of_another_peer() {
        let (mut rate, begin) = (Rate::default(), Instant::now());
        let flood = |rate: &mut Rate, at| (0..10_000).filter(|_| rate.pass(peer(1), at)).count();
        assert_eq!(flood(&mut rate, begin), BURST as usize);
        assert!(rate.pass(peer(2), begin));
        assert_eq!(flood(&mut rate, begin + Duration::from_secs(1)), A_SECOND as usize);
        let much_later = begin + Duration::from_secs(3_600);
        assert_eq!(flood(&mut rate, much_later), BURST as usize);
    }

    #[test]
    fn an_honest_peer_that_catches_up_is_never_refused() {
        let (mut rate, begin) = (Rate::default(), Instant::now());
        // 100 questions a second, and five statuses.
        for millis in 0..100_000 {
            let now = begin + Duration::from_millis(millis);
            let messages = usize::from(millis % 10 == 0) + usize::from(millis % 200 == 0);
            assert!((0..messages).all(|_| rate.pass(peer(1), now)), "after {millis} ms");
        }
    }
}
