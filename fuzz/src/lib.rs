//! Fuzz targets: one function for each decoder of foreign bytes.
//!
//! A target takes any bytes and returns whether the decoder accepts them. It
//! must not panic, hang, or take memory out of proportion to its input,
//! whatever the bytes are; and it asserts what holds of accepted ones: that they
//! have one form, that two implementations agree, that a checked document works.
//!
//! `cargo test -p billchain-fuzz` feeds each target its seeds, the corpus in
//! `corpus/<target>/`, and some thousands of damaged forms of both. libFuzzer
//! runs the same functions for as long as one likes: see `README.md`.
//!
//! A new decoder gets a function in `targets`, a line in [`for_each_target`]
//! and a program in `fuzz_targets/`; the tests say which of them is missing.

#![forbid(unsafe_code)]

mod chain;
pub mod mutate;
mod targets;

pub use targets::*;

use std::path::{Path, PathBuf};

/// Where the committed inputs of a target lie.
pub fn corpus_directory(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target)
}

/// Whether a decoder accepts an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It does.
    Accepted,
    /// It answers with an error.
    Refused,
}

impl From<bool> for Verdict {
    fn from(accepted: bool) -> Self {
        if accepted { Self::Accepted } else { Self::Refused }
    }
}

/// A target with what a run of it needs.
pub struct Target {
    /// Its name, which is that of the function, of its corpus and its program.
    pub name: &'static str,
    /// The function.
    pub run: fn(&[u8]) -> Verdict,
    /// Real inputs, made with this version of the program, at least one of them
    /// accepted.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Damaged inputs of one test run: one or two seconds' worth.
    pub inputs: u32,
}

/// Hands the list of targets to a macro: name, module of `targets` and inputs of
/// a test run. What each reads, the functions' documentation says.
#[macro_export]
macro_rules! for_each_target {
    ($then:ident) => {
        $then! {
            sm2_verify_raw: crypto, 1_000;
            sm2_verify_damaged: crypto, 400;
            sm2_encodings: crypto, 5_000;
            key_file: crypto, 10_000;
            sealed_container: crypto, 10_000;
            bill_text: bill, 20_000;
            bill_scale: bill, 20_000;
            e_invoice: bill, 4_000;
            field_proof: bill, 20_000;
            certificate: verifier, 1_000;
            certificate_part: verifier, 20_000;
            certificate_twin: verifier, 4_000;
            locator: print, 20_000;
            printed_certificate: print, 20_000;
            payer_opening: references, 4_000;
            payer_keys: references, 2_000;
            payer_question: references, 4_000;
            payer_answer: references, 4_000;
            payer_log: references, 20_000;
            payer_cache: references, 20_000;
            zk_statement: zk, 20_000;
            zk_proof: zk, 100;
            light_state: verifier, 20_000;
            transaction: executor, 20_000;
            transaction_validate: executor, 2_000;
            runtime_call: executor, 500;
            block: executor, 1_000;
            compact_block: executor, 20_000;
            runtime_api: executor, 3_000;
            consensus_message: consensus, 20_000;
            liveness_message: consensus, 20_000;
            stream_message: consensus, 20_000;
            proposal_part: consensus, 20_000;
            proposed_value: consensus, 20_000;
            polka_certificate: consensus, 20_000;
            validator_proof: consensus, 20_000;
            sync_status: consensus, 20_000;
            sync_request: consensus, 20_000;
            sync_response: consensus, 20_000;
            commit_certificate: consensus, 20_000;
            undecided_record: consensus, 20_000;
            gossip_batch: gossip, 20_000;
            gossip_answer: gossip, 20_000;
            fetch_request: gossip, 20_000;
            fetch_answer: gossip, 20_000;
            question: gossip, 20_000;
            question_answer: gossip, 20_000;
            state_question: state_sync, 20_000;
            state_answer: state_sync, 20_000;
            change_set: storage, 20_000;
            copy_record: storage, 10_000;
            index_record: storage, 20_000;
            cold_list: storage, 20_000;
            manifest_seal: storage, 20_000;
            cold_segment: cold, 4_000;
            cold_proof: cold, 20_000;
            cold_kept: cold, 20_000;
            stored_block: storage, 10_000;
            event_group: storage, 20_000;
            journal_segment: storage, 10_000;
            rpc_params: operator, 10_000;
            rpc_answer: operator, 10_000;
            rpc_call: operator, 5_000;
            chain_spec: operator, 500;
            snapshot_manifest: operator, 10_000;
            node_config: operator, 5_000;
            doctor_answers: operator, 5_000;
        }
    };
}

macro_rules! list {
    ($($name:ident: $module:ident, $inputs:literal;)*) => {
        /// Every target.
        pub const TARGETS: &[Target] = &[$(
            Target {
                name: stringify!($name),
                run: targets::$name,
                seeds: || targets::$module::seeds(stringify!($name)),
                inputs: $inputs,
            },
        )*];
    };
}
for_each_target!(list);
