//! The pool and gossip as a node uses them.

mod chain;
mod gossip;
mod journal;
mod pool;
mod sequences;
mod shares;
