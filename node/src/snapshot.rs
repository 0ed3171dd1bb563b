//! Snapshots: a chain's data at one height, in a directory of files that say what
//! they are.
//!
//! | module | |
//! | --- | --- |
//! | [`manifest`] | what a snapshot says of itself |
//! | [`archive`] | its files, in the clear or encrypted |
//! | [`copies`] | copies of the files at one height, as a node makes them |
//! | [`stage`] | these copies of a node that runs or not |
//! | [`trust`] | whether the block is one of the chain |

pub(crate) mod archive;
pub(crate) mod copies;
pub(crate) mod manifest;
pub(crate) mod stage;
pub(crate) mod trust;
