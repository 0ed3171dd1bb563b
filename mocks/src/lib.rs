//! Stand-ins of the city's systems (对接系统替身): separate programs that answer as the
//! documented contracts in `docs/connectors.md` say, with faults on demand, and that count.
//!
//! They share no code with `connectors/`: what they check, they check by their own reading
//! of the contract. Each remembers its effects in a journal, so that one that is killed goes
//! on where it was. They are for tests, drills and demonstrations, never for production.

#![forbid(unsafe_code)]

pub mod certificates;
pub mod effects;
pub mod faults;
pub mod server;
pub mod systems;
