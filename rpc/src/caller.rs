//! Who asks, as handlers and the context know it.

use billchain_primitives::Did;
use pallet_authorization::Grant;
use parking_lot::Mutex;
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

/// Participants whose standing is remembered, and callers whose refusals are.
pub(crate) const MAX_KNOWN: usize = 4_096;
/// Refusals of one caller for its limit are noted once in this time.
const NOTED: Duration = Duration::from_secs(1);

/// Who looks.
#[derive(Clone, Debug)]
pub(crate) enum View {
    /// An auditor, an operator or the machine itself: sees all.
    Whole,
    /// A participant: sees what it is a party to, holds a grant for, or a scene allows.
    Member(Arc<Member>),
    /// Anybody, at this address: sees nothing.
    Public(IpAddr),
}

/// A participant that looks.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) did: Did,
    /// The grants that it may use now; read once a request.
    pub(crate) grants: OnceLock<Vec<Grant>>,
}

impl View {
    /// Of a participant.
    pub(crate) fn member(did: Did) -> Self {
        Self::Member(Arc::new(Member { did, grants: OnceLock::new() }))
    }
}

/// What participants are at the head, and who was refused lately.
#[derive(Debug, Default)]
pub(crate) struct Standings {
    /// Number of the head, and what is known at it.
    pub(crate) at_head: Mutex<(u32, HashMap<String, Standing>)>,
    refused: Mutex<HashMap<(String, String, i32), Instant>>,
}

/// What a participant is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Standing {
    Active { is_auditor: bool },
    Inactive,
}

impl Standings {
    /// Whether this caller was not refused for this a moment ago.
    pub(crate) fn is_news(&self, who: &str, from: &str, code: i32) -> bool {
        let mut refused = self.refused.lock();
        let now = Instant::now();
        let key = (who.to_owned(), from.to_owned(), code);
        if refused.get(&key).is_some_and(|last| now.duration_since(*last) < NOTED) {
            return false;
        }
        if refused.len() >= MAX_KNOWN {
            refused.retain(|_, last| now.duration_since(*last) < NOTED);
        }
        if refused.len() >= MAX_KNOWN {
            return false;
        }
        refused.insert(key, now);
        true
    }
}
