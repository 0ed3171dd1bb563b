//! The indexer beside four real nodes: what it keeps, what it survives, whom it names.

mod dump;
mod follow;
mod liars;
mod network;
mod proxy;
mod story;
