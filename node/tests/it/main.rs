//! The binary from outside: four processes, real sockets, databases on disk.
//!
//! Ports: 16 from `BILLCHAIN_TEST_BASE_PORT` (22000 without it). What is random
//! follows from `BILLCHAIN_TEST_SEED`, which a failing test prints.

#![forbid(unsafe_code)]

mod absent;
mod accepted;
mod administration;
mod bad_bills;
mod bad_requests;
mod bad_starts;
mod certificates;
mod cold;
mod command;
mod compact;
mod contention;
mod damage;
mod doctor;
mod failures;
mod faults;
mod garbage;
mod http;
mod isolation;
mod joins;
mod keys;
mod kills;
mod liars;
mod light;
mod load;
mod logs;
mod network;
mod references;
mod room;
mod services;
mod snapshots;
mod state_sync;
mod stops;
mod twins;
