//! Joining, older blocks, the index and cold segments, from peers of which some lie.

mod background;
mod joining;
mod kit;
mod segments;
