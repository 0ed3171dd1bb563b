//! Connectors (连接器): the ways to the city's systems, one module each.
//!
//! A worker (`billchain-workers`) gives a connector what the chain's outbox holds; the
//! connector tells the one system that it knows, in that system's own form, and says what was
//! answered. Each module's first page is its contract in short; `docs/connectors.md` has it
//! whole, for those who build the other side. `mocks/` stands for the other side in tests.
//!
//! | format | module | system |
//! | --- | --- | --- |
//! | `mof-public-service/1` | [`old_system`] | 原财政电子票据系统 [76, 86, 89–91] |
//! | `evidence/1` | [`evidence`] | 存证链 [175, 178–180] |
//! | `signing/1` | [`signing`] | 签约链 [181–183] |
//! | `credential-push/1` | [`credentials`] | 医保, 商业保险 [87, 88, 136] |
//! | `webhook/1` | [`webhook`] | any platform |
//! | `kafka/1` | [`kafka`] | any platform that lives on Kafka [3] |
//!
//! What the other side answers is foreign: it is bounded, checked field by field, and never
//! believed without its signature where the contract has one.

#![forbid(unsafe_code)]

pub mod answer;
pub mod credentials;
pub mod event;
pub mod evidence;
pub mod form;
pub mod fuzzing;
pub mod gateway;
pub mod kafka;
pub mod merkle;
pub mod old_system;
pub mod settings;
pub mod signed;
pub mod signing;
pub mod webhook;

use billchain_workers::Registry;

/// Every connector under its format's name.
pub fn registry() -> Registry {
    Registry::default()
        .with(old_system::FORMAT, old_system::build)
        .with(evidence::FORMAT, evidence::build)
        .with(signing::FORMAT, signing::build)
        .with(credentials::FORMAT, credentials::build)
        .with(webhook::FORMAT, webhook::build)
        .with(kafka::FORMAT, kafka::build)
}
