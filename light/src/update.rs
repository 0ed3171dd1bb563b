//! What a server shows of its head.

/// A server's head, and the way to it. Nobody has checked it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// Decided headers that name validators, from the last one that is known on; ascending.
    pub changes: Vec<Vec<u8>>,
    /// The head's decided header.
    pub head: Vec<u8>,
    /// Key proof of the last change of the validators in the state after the head.
    pub last_change: Vec<u8>,
    /// Key proof of the time in the state after the head.
    pub time: Vec<u8>,
}
