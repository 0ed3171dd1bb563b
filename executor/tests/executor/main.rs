//! Whole blocks over a real storage, and the externalities against an oracle.

mod blocks;
mod commits;
mod compact;
mod contention;
mod cooling;
mod copies;
mod events;
mod evidence;
mod execution;
mod externalities;
mod hostile;
mod kit;
mod performance;
mod rules;
mod transactions;
