//! Lines in the log that others cause.

use std::time::Instant;

use billchain_logging::LineLimit;
use malachitebft_app_channel::app::types::PeerId;
use prometheus_client::metrics::counter::Counter;

use crate::types::Address;

/// Who causes a line in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Whose {
    Peer(PeerId),
    Validator(Address),
    /// The engine does not say.
    Anybody,
}

/// A few lines of each, and the others counted.
pub(super) struct Lines {
    limit: LineLimit<Whose>,
    omitted: Counter,
}

impl Lines {
    /// Counts the lines that are left out in `omitted`.
    pub(super) fn new(omitted: Counter) -> Self {
        Self { limit: LineLimit::default(), omitted }
    }

    /// Whether a line that `whose` causes may be written: then how many like it
    /// were left out before.
    pub(super) fn pass(&mut self, whose: Whose, now: Instant) -> Option<u64> {
        let passed = self.limit.pass(whose, now);
        if passed.is_none() {
            self.omitted.inc();
        }
        passed
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use malachitebft_app_channel::app::streaming::{StreamContent, StreamId};

    use super::*;
    use crate::parts::{Assembler, Wanted};
    use crate::testing::peer;
    use crate::types::{ProposalPart, StreamMessage};

    #[test]
    fn refused_parts_cause_few_lines() {
        const PARTS: u64 = 10_000;
        let mut assembler = Assembler::new(1 << 20);
        let omitted = Counter::default();
        let mut lines = Lines::new(omitted.clone());
        let now = Instant::now();
        // As the driver does with a part; whether that wrote a line.
        let mut give = |from: u8| {
            // A stream begins with its announcement.
            let data = StreamContent::Data(ProposalPart::Data(Bytes::from_static(b"block")));
            let part = StreamMessage::new(StreamId::new(vec![from].into()), 0, data);
            let refused = assembler.insert(peer(from), part, now, |_| Ok(Wanted::Yes));
            assert!(refused.is_err(), "{refused:?}");
            lines.pass(Whose::Peer(peer(from)), now)
        };
        let written = (0..PARTS).filter(|_| give(1).is_some()).count() as u64;
        assert!((1..=10).contains(&written), "{written} lines");
        assert_eq!(omitted.get(), PARTS - written, "those left out are counted");
        assert_eq!(give(2), Some(0), "another peer's line is written");
    }
}
