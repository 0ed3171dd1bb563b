//! Which rules a block is made under.

use billchain_primitives::{BlockNumber, Hash};
use billchain_runtime::{Upgrade, VERSION};

/// Rules that this release does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "block {height} is under rules {needed}, this release has rules {own}: start the release \
     with rules {needed}{}",
    named(.manifest)
)]
pub struct OtherRules {
    /// Number of the block.
    pub height: BlockNumber,
    /// The rules it is made under.
    pub needed: u32,
    /// The rules of this release.
    pub own: u32,
    /// SM3 of the manifest of the release that the council scheduled, if these are
    /// its rules.
    pub manifest: Option<Hash>,
}

impl OtherRules {
    /// Judges block `height` on the state of its parent, which must be at hand;
    /// `None`: it is under this release's rules.
    pub(crate) fn of(height: BlockNumber) -> Option<Self> {
        let (needed, own) = (Upgrade::rules_of(height), VERSION.spec_version);
        let manifest = || {
            let release = Upgrade::scheduled().filter(|release| release.rules == needed)?;
            Some(release.manifest)
        };
        (needed != own).then(|| Self { height, needed, own, manifest: manifest() })
    }
}

fn named(manifest: &Option<Hash>) -> String {
    manifest.map_or_else(String::new, |digest| format!(" (SM3 of its manifest {digest:?})"))
}
