//! `upgrade_*`: rules of the chain, and the release that is scheduled.

use super::validator::account;
use crate::{
    context::Context,
    error::{Answer, chain},
    method::Args,
};
use billchain_rpc_types::{ReleaseView, UpgradeView};
use billchain_runtime::{Upgrade, VERSION};

/// What is in force, what is scheduled and who is ready.
pub(super) fn status(context: &Context, _: &Args) -> Answer<UpgradeView> {
    let read = || {
        let (ready, of) = Upgrade::readiness();
        UpgradeView {
            rules: Upgrade::rules_in_force(),
            release: VERSION.spec_version,
            scheduled: Upgrade::scheduled().map(|release| ReleaseView {
                rules: release.rules,
                height: release.height,
                manifest: release.manifest,
            }),
            confirmed: Upgrade::confirmed().iter().map(account).collect(),
            ready,
            of,
        }
    };
    context.deps.chain.read(read).map_err(chain)
}
