//! The bureau's service for payer references, and the side that asks it.
//!
//! An operator of the service holds a share of the key and answers blinded elements with
//! proofs ([`billchain_oprf`]). It knows its requesters by a key each, bounds what each
//! may ask, and writes who asked how much into a log whose entries are chained by SM3.
//! It never sees an identity number or a reference.
//!
//! | module | job |
//! | --- | --- |
//! | [`wire`] | questions and answers, in JSON |
//! | [`auth`] | who asks: a code over each question, which cannot be used twice |
//! | [`limits`] | what a requester may ask in a second and on a day |
//! | [`journal`] | the chained log |
//! | [`keyfile`] | keys at rest |
//! | [`service`] | the server |
//! | [`client`] | whoever asks, with its cache |
//! | [`setup`] | the files of a development network |
#![forbid(unsafe_code)]

pub mod auth;
pub mod client;
pub mod journal;
pub mod keyfile;
pub mod limits;
pub mod service;
pub mod setup;
pub mod wire;
