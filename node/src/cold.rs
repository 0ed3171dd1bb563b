//! Cold segments (冷段) as a node keeps them: their files on a path of their own, and a second
//! copy elsewhere.
//!
//! | module | |
//! | --- | --- |
//! | [`keeper`] | the thread that writes files, copies them, and brings lost ones back |
//! | [`trial`] | pauses after what fails |
//! | [`copies`] | which files the second place is known to hold |
//! | [`fetching`] | bringing a lost file back |
//! | [`second`] | the second place: a directory, or a store that speaks S3 |
//! | [`objects`] | that store |
//! | [`report`] | what is told of segments |
//! | [`metrics`] | what is counted |

mod copies;
pub(crate) mod fetching;
pub(crate) mod keeper;
mod metrics;
mod objects;
pub(crate) mod report;
pub(crate) mod second;
mod trial;
