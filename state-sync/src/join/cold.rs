//! The cold part of the state that is joined: its list, and the groups that have no file yet.

use super::{JoinError, Progress, Session};
use crate::{
    peers::{Unanswered, ask},
    wire::{Page, PageOf, Question},
};
use billchain_consensus::PeerId;
use billchain_storage::{Added, Assembly, CopyTable, Filled};

/// Fetches all of it but the files of segments.
pub(super) fn fetch(
    session: &Session<'_>,
    assembly: &mut Assembly,
    tell: &mut impl FnMut(Progress),
) -> Result<(), JoinError> {
    list(session, assembly)?;
    tell(Progress::Listed { segments: assembly.segments() });
    groups(session, assembly)
}

/// What a peer has given of the list.
enum Given {
    All,
    /// Not all: why it gives no more.
    Less(Unanswered),
    /// What cannot be: what.
    Lie(String),
}

/// Fetches the records of runs and segments and the activity bits, all from one peer: what they
/// lead to is proven together.
fn list(session: &Session<'_>, assembly: &mut Assembly) -> Result<(), JoinError> {
    loop {
        let peer = session.next()?;
        let given = match tables(session, assembly, peer) {
            Given::All if assembly.prove_cold()? => return Ok(()),
            Given::All => Given::Lie("its cold segments are not those of the state".into()),
            given => given,
        };
        match given {
            Given::Lie(what) => session.circle.refuted(peer, &what),
            Given::Less(why) => session.circle.failed(peer, &why),
            Given::All => {}
        }
        assembly.clear_cold();
    }
}

fn tables(session: &Session<'_>, assembly: &mut Assembly, peer: PeerId) -> Given {
    for table in [CopyTable::Cold, CopyTable::Bits] {
        loop {
            let of = page_of(session, table, assembly.last_cold(table));
            let page = match page(session, peer, &of) {
                Ok(page) => page,
                Err(why) => return Given::Less(why),
            };
            if page.0.is_empty() {
                break;
            }
            if let Added::Refuted { .. } = assembly.add_cold(table, &page.0) {
                return Given::Lie("its list of cold segments is none".into());
            }
            session.circle.answered(peer);
        }
    }
    Given::All
}

/// Fetches the groups of segments that have no file yet, each segment from one peer.
fn groups(session: &Session<'_>, assembly: &mut Assembly) -> Result<(), JoinError> {
    let mut peer = session.next()?;
    while let Some((run, index, after)) = assembly.next_groups() {
        let page = match page(session, peer, &page_of(session, CopyTable::Cooled, &after)) {
            Ok(page) => page,
            Err(why) => {
                session.circle.failed(peer, &why);
                assembly.clear_groups()?;
                peer = session.next()?;
                continue;
            }
        };
        match assembly.add_groups(&page.0)? {
            Filled::More | Filled::Whole => session.circle.answered(peer),
            Filled::InFile => {
                tracing::info!(run, index, "the groups of a segment are in its file already");
            }
            Filled::Refuted => {
                let what = format!("groups of segment {run}/{index} of the cold part");
                session.circle.refuted(peer, &what);
                peer = session.next()?;
            }
        }
    }
    Ok(())
}

fn page_of(session: &Session<'_>, table: CopyTable, after: &[u8]) -> PageOf {
    PageOf { block: session.block, table, after: after.to_vec() }
}

fn page(session: &Session<'_>, peer: PeerId, of: &PageOf) -> Result<Page, Unanswered> {
    session.runtime.block_on(ask(&**session.peers, peer, &Question::Page(of.clone())))
}
