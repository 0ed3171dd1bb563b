//! Tests of `billchain-crypto` through its public interface: published
//! vectors, OpenSSL's command line as a second witness, and hostile input.

mod differential;
mod import;
mod inputs;
mod keyfile;
mod openssl;
mod vectors;
