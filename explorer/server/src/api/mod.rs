//! The routes, and what serves them.

pub mod bills;
pub mod chain;
pub mod exports;
pub mod figures;
pub mod log;
mod routes;
pub mod session;
pub mod users;

pub use routes::routes;
