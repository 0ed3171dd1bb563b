//! Since when peers are connected, and when something was heard from each last.

use std::collections::HashMap;
use std::time::SystemTime;

use malachitebft_app_channel::app::net::PeerId;
use malachitebft_app_channel::app::types::PeerId as EnginePeerId;

/// What was heard of a peer that may connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contact {
    /// The peer.
    pub peer: PeerId,
    /// Since when it is connected; `None` if it is not.
    pub connected: Option<SystemTime>,
    /// When something came from it last, by this node's clock.
    pub heard: SystemTime,
}

/// The peers heard of. Only those that may connect are put in, so that there are no
/// more than the chain has nodes.
#[derive(Debug, Default)]
pub(crate) struct Contacts(HashMap<EnginePeerId, Heard>);

#[derive(Clone, Copy, Debug)]
struct Heard {
    connected: Option<SystemTime>,
    last: SystemTime,
}

impl Contacts {
    /// The peer has connected.
    pub(crate) fn connected(&mut self, peer: EnginePeerId, now: SystemTime) {
        let heard = self.0.entry(peer).or_insert(Heard { connected: None, last: now });
        heard.connected.get_or_insert(now);
        heard.last = now;
    }

    /// Something came from the peer.
    pub(crate) fn heard(&mut self, peer: EnginePeerId, now: SystemTime) {
        self.0.entry(peer).or_insert(Heard { connected: Some(now), last: now }).last = now;
    }

    /// The peer has gone.
    pub(crate) fn gone(&mut self, peer: &EnginePeerId) {
        if let Some(heard) = self.0.get_mut(peer) {
            heard.connected = None;
        }
    }

    /// From now on only these may connect.
    pub(crate) fn keep(&mut self, allowed: impl Fn(&EnginePeerId) -> bool) {
        self.0.retain(|peer, _| allowed(peer));
    }

    /// All that were heard of.
    pub(crate) fn all(&self) -> Vec<Contact> {
        let contact = |(peer, heard): (&EnginePeerId, &Heard)| {
            let peer = PeerId::from_bytes(&peer.to_bytes()).ok()?;
            Some(Contact { peer, connected: heard.connected, heard: heard.last })
        };
        self.0.iter().filter_map(contact).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::testing::peer;

    #[test]
    fn a_peer_that_has_gone_is_remembered_with_when_it_was_heard_last() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let mut contacts = Contacts::default();
        contacts.connected(peer(1), at(1));
        contacts.connected(peer(1), at(2));
        contacts.heard(peer(1), at(3));
        let one = |contacts: &Contacts| contacts.all()[0];
        assert_eq!((one(&contacts).connected, one(&contacts).heard), (Some(at(1)), at(3)));
        contacts.gone(&peer(1));
        contacts.gone(&peer(2));
        assert_eq!((one(&contacts).connected, one(&contacts).heard), (None, at(3)));
        contacts.connected(peer(1), at(9));
        assert_eq!((one(&contacts).connected, one(&contacts).heard), (Some(at(9)), at(9)));
    }

    #[test]
    fn who_may_not_connect_any_more_is_forgotten() {
        let mut contacts = Contacts::default();
        for seed in 0..4 {
            contacts.connected(peer(seed), SystemTime::UNIX_EPOCH);
        }
        contacts.keep(|one| *one == peer(2));
        assert_eq!(contacts.all().len(), 1);
    }
}
