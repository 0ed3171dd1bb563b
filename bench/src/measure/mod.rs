//! What is measured, and how it is summed up.

mod figures;
mod machine;
mod percentiles;
mod sampler;

pub(crate) use figures::{Better, Figure};
pub(crate) use machine::Machine;
pub(crate) use percentiles::{Percentiles, median, ms, rounded};
#[cfg(test)]
pub(crate) use sampler::Use;
pub(crate) use sampler::{Sample, Sampler, Watched, disk_bytes, own_rss_mib, thread_nanoseconds};
