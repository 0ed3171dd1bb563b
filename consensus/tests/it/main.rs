//! Whole nodes of consensus in one process, over real sockets on loopback.

mod app;
mod net;
mod short;
mod signing;

mod chain;
mod faults;
