//! What can go wrong.

use billchain_executor::ChainError;
use billchain_storage::StorageError;

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The chain failed.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// No temporary directory could be made.
    #[error("temporary directory: {0}")]
    Directory(#[source] std::io::Error),
    /// The runtime asked the storage for something that it does not have.
    #[error("the runtime asked for {0}, which this chain does not have")]
    Unsupported(&'static str),
    /// The genesis of the development chain, or a bill of the ledger, was
    /// refused.
    #[error("filling the ledger: {0}")]
    Ledger(String),
    /// A benchmark did not run to its end.
    #[error("{pallet}::{benchmark}: {reason}")]
    Benchmark {
        /// Directory of the pallet.
        pallet: &'static str,
        /// Name of the benchmark.
        benchmark: String,
        /// What the benchmark said.
        reason: String,
    },
    /// There is no such pallet, or it has no benchmark of that name.
    #[error("there is no benchmark {0}")]
    NoSuchBenchmark(String),
    /// No line fits the samples.
    #[error("no line fits the samples: {0}")]
    Fit(String),
}
