//! The targets, by the part of the system that reads.

pub(crate) mod bill;
pub(crate) mod cold;
pub(crate) mod consensus;
pub(crate) mod crypto;
pub(crate) mod executor;
pub(crate) mod gossip;
pub(crate) mod operator;
pub(crate) mod print;
pub(crate) mod references;
pub(crate) mod state_sync;
pub(crate) mod storage;
pub(crate) mod verifier;
pub(crate) mod zk;

pub use bill::{bill_scale, bill_text, e_invoice, field_proof};
pub use cold::{cold_kept, cold_proof, cold_segment};
pub use consensus::{
    commit_certificate, consensus_message, liveness_message, polka_certificate, proposal_part,
    proposed_value, stream_message, sync_request, sync_response, sync_status, undecided_record,
    validator_proof,
};
pub use crypto::{key_file, sealed_container, sm2_encodings, sm2_verify_damaged, sm2_verify_raw};
pub use executor::{
    block, compact_block, runtime_api, runtime_call, transaction, transaction_validate,
};
pub use gossip::{
    fetch_answer, fetch_request, gossip_answer, gossip_batch, question, question_answer,
};
pub use operator::{
    chain_spec, doctor_answers, node_config, rpc_answer, rpc_call, rpc_params, snapshot_manifest,
};
pub use print::{locator, printed_certificate};
pub use references::{
    payer_answer, payer_cache, payer_keys, payer_log, payer_opening, payer_question,
};
pub use state_sync::{state_answer, state_question};
pub use storage::{
    change_set, cold_list, copy_record, event_group, index_record, journal_segment, manifest_seal,
    stored_block,
};
pub use verifier::{certificate, certificate_part, certificate_twin, light_state};
pub use zk::{zk_proof, zk_statement};

/// The samples of a function from a list of pairs.
fn samples_of(name: &str, samples: Vec<(&'static str, Vec<u8>)>) -> Vec<Vec<u8>> {
    samples.into_iter().filter(|(of, _)| *of == name).map(|(_, sample)| sample).collect()
}
