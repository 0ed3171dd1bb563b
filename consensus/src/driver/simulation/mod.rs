//! Four validators in one thread, with a simulated network and clock: Malachite's
//! core and the driver's pure parts, without actors, sockets, threads or sleep.
//!
//! A schedule is made from a seed: who is killed and when, what is delayed,
//! duplicated or lost, which of the four lies and how. Every schedule is judged by
//! the [`oracle`], which knows nothing of the code it judges. A failure prints its
//! seed; `BILLCHAIN_SEED=n` runs that schedule alone, `BILLCHAIN_SCHEDULES=n`
//! that many instead of the two thousand of the ordinary tests.
//!
//! Who takes turns follows from the blocks, by the chain's own rule.
//!
//! What is not simulated: parts (a block arrives whole or not at all), signatures
//! (the world knows who sent what, and nobody can send in another's name), and the
//! file system (what is appended to the log and not flushed may be lost in a kill).

// Messages are moved, not kept in numbers.
#![allow(clippy::large_enum_variant)]

mod liar;
mod node;
mod oracle;
mod random;
mod register;
mod schedules;
mod world;
