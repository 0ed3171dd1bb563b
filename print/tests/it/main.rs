//! Printed certificates: what they hold, and what they look like.

mod holds;
mod looks;
mod samples;
