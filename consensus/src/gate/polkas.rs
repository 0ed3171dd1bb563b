//! Certificates of polkas that wait for the driver: the newest of each peer.
//!
//! A peer that sends many replaces its own, and those that wait are served in the
//! order in which their peers came; so a flood takes no room of another peer's, and
//! no turn. A certificate that was replaced is repeated by who holds it.
//!
//! Peers on the list only are let in, so there are at most as many as the list is
//! long.

use std::collections::VecDeque;
use std::sync::Arc;

use malachitebft_app_channel::app::types::PeerId;
use malachitebft_app_channel::app::types::core::PolkaCertificate;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::types::BillContext;

type Certificate = PolkaCertificate<BillContext>;

/// See the module's documentation. For one reader.
#[derive(Clone, Default)]
pub(crate) struct Polkas {
    waiting: Arc<Mutex<VecDeque<(PeerId, Certificate)>>>,
    news: Arc<Notify>,
}

impl Polkas {
    /// A peer has sent one.
    pub(super) fn put(&self, peer: PeerId, certificate: Certificate) {
        let mut waiting = self.waiting.lock();
        match waiting.iter_mut().find(|(known, _)| *known == peer) {
            Some((_, known)) => *known = certificate,
            None => waiting.push_back((peer, certificate)),
        }
        drop(waiting);
        self.news.notify_one();
    }

    /// Those of other peers are forgotten.
    pub(super) fn keep(&self, allowed: impl Fn(&PeerId) -> bool) {
        self.waiting.lock().retain(|(peer, _)| allowed(peer));
    }

    /// The next one, unverified. May be dropped and called again; none is lost.
    pub(crate) async fn next(&self) -> Certificate {
        loop {
            let first = self.waiting.lock().pop_front();
            if let Some((_, certificate)) = first {
                return certificate;
            }
            self.news.notified().await;
        }
    }
}
