//! Joining, older blocks and the index, from peers of which some lie.

mod background;
mod joining;
mod kit;
