//! Whole nodes of consensus in one process, over real sockets on loopback.

mod app;
mod compact;
mod keys;
mod net;
mod signing;

mod chain;
mod faults;
