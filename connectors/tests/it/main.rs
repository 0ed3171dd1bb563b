//! Connectors against the stand-ins of `mocks/`, over TLS, with faults.

mod credentials;
mod evidence;
mod gateway;
mod kafka;
mod kit;
mod old_system;
mod signing;
mod webhook;
