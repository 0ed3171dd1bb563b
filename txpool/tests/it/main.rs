//! The pool and gossip as a node uses them.

mod chain;
mod gossip;
mod pool;
mod sequences;
mod shares;
