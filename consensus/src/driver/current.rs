//! The height at hand: who decides it, where it stands, and what two thirds have voted
//! for.

use super::progress::Progress;
use super::proposals::View;
use crate::lane::HeightSetup;
use crate::support::Support;
use crate::types::Height;

/// The height at hand.
pub(super) struct Current {
    /// Its validators and peers.
    pub(super) setup: HeightSetup,
    pub(super) progress: Progress,
    pub(super) support: Support,
}

impl Current {
    pub(super) fn height(&self) -> Height {
        self.progress.height()
    }

    /// What proposals have to know.
    pub(super) fn view(&self) -> View<'_> {
        view(&self.setup, &self.progress, &self.support)
    }
}

/// What proposals have to know of a height.
pub(super) fn view<'a>(
    setup: &'a HeightSetup,
    progress: &Progress,
    support: &'a Support,
) -> View<'a> {
    View {
        height: progress.height(),
        round: progress.round(),
        open: progress.is_open(),
        missing: progress.missing(),
        validators: &setup.validators,
        support,
    }
}
