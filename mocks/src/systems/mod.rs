//! The systems that are stood in for, one module each.

pub mod evidence;
pub mod insurance;
pub mod old_bills;
pub mod receiver;
mod request;
pub mod signing;

use anyhow::{Result, bail};
use clap::ValueEnum;
use std::sync::Arc;

use crate::server::System;

/// Which system.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Kind {
    /// 原财政电子票据系统, in the form of the ministry's public service interface.
    OldBills,
    /// 存证链.
    Evidence,
    /// 签约链.
    Signing,
    /// 医保 or 商业保险.
    Insurance,
    /// A platform that takes webhooks.
    Receiver,
}

/// What a system has to know.
#[derive(Clone, Debug, Default)]
pub struct Knowledge {
    /// `app_id` of the caller, where the contract has one.
    pub app_id: String,
    /// Key of that `app_id`.
    pub app_key: String,
    /// Public keys of callers, 66 digits of hex each; empty: any key.
    pub callers: Vec<String>,
    /// DIDs that an insurer answers for; empty: any.
    pub dids: Vec<String>,
    /// Seed of the system's own SM2 key.
    pub key_seed: String,
}

/// Makes a system.
pub fn make(kind: Kind, knowledge: Knowledge) -> Result<Arc<dyn System>> {
    if kind == Kind::OldBills && (knowledge.app_id.is_empty() || knowledge.app_key.is_empty()) {
        bail!("the old system needs --app-id and --app-key");
    }
    Ok(match kind {
        Kind::OldBills => Arc::new(old_bills::OldBills::new(knowledge)),
        Kind::Evidence => Arc::new(evidence::Evidence::new(knowledge)),
        Kind::Signing => Arc::new(signing::Signing::new(knowledge)),
        Kind::Insurance => Arc::new(insurance::Insurance::new(knowledge)),
        Kind::Receiver => Arc::new(receiver::Receiver::new(knowledge)),
    })
}
