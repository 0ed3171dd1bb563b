//! Answers to peers. Each answer is bounded in bytes and work; how many one peer gets, and
//! how many bytes a second, is for whoever carries them.

use crate::{
    Copies, segments,
    sets::{header_of, named},
    wire::{
        self, Blocks, Certified, Changes, MAX_BLOCKS, MAX_CHANGES, Opaque, PAGE_BYTES, Page,
        PageOf, Question, Refusal, Targets,
    },
};
use billchain_executor::{Chain, ChainError};
use billchain_primitives::{BlockNumber, Header, sm3};
use billchain_runtime::Runtime;
use billchain_storage::{CopyTable, StorageError};
use codec::Encode;
use pallet_participation::LastSetChange;
use std::sync::Arc;

/// Headers that are looked at for one answer about changes of the validators. A chain has
/// a few such headers a year.
const MAX_WALK: usize = 4_096;

/// Answers questions about one node's chain. All methods block on the disk.
pub struct Server {
    chain: Chain,
    copies: Arc<Copies>,
}

impl Server {
    /// Serves this chain, and these copies of its state.
    pub fn new(chain: Chain, copies: Arc<Copies>) -> Self {
        Self { chain, copies }
    }

    /// The answer to an encoded question.
    pub fn answer(&self, question: &[u8]) -> Vec<u8> {
        match wire::question(question) {
            Err(refusal) => wire::encode_answer::<Opaque>(Err(refusal)),
            Ok(Question::Targets) => wire::encode_answer(Ok(self.targets())),
            Ok(Question::Changes { after }) => wire::encode_answer(self.changes(after)),
            Ok(Question::Blocks { below }) => wire::encode_answer(self.blocks(below)),
            Ok(Question::Operations { block, request }) => {
                wire::encode_answer(self.operations(block, &request.0))
            }
            Ok(Question::Page(of)) => wire::encode_answer(self.page(&of)),
            Ok(Question::Digest(of)) => {
                wire::encode_answer(self.page(&of).map(|page| sm3(&page.encode())))
            }
            Ok(Question::Piece(of)) => {
                wire::encode_answer(segments::piece(self.chain.storage(), &of))
            }
        }
    }

    fn targets(&self) -> Targets {
        Targets(self.copies.all().iter().map(|copy| copy.target().clone()).collect())
    }

    fn operations(&self, block: BlockNumber, request: &[u8]) -> Result<Opaque, Refusal> {
        let copy = self.copies.of(block).ok_or(Refusal::NotServed)?;
        let answer = copy.operations(request).map_err(|error| failed(&error))?;
        answer.map(Opaque).ok_or(Refusal::Malformed)
    }

    fn page(&self, of: &PageOf) -> Result<Page, Refusal> {
        let copy = self.copies.of(of.block).ok_or(Refusal::NotServed)?;
        let failed = |error: StorageError| failed(&error);
        let is_index = matches!(of.table, CopyTable::Events | CopyTable::Index);
        if is_index && !copy.has_whole_index().map_err(failed)? {
            return Err(Refusal::IndexNotWhole);
        }
        copy.page(of.table, &of.after, PAGE_BYTES).map(Page).map_err(failed)
    }

    /// Blocks below `below`, the newest first: as many as fit, one in any case. The first
    /// block of the chain travels alone.
    fn blocks(&self, below: BlockNumber) -> Result<Blocks, Refusal> {
        let storage = self.chain.storage();
        let first = match below {
            1 => 0,
            _ => storage.first_block(),
        };
        if below <= first || below > self.chain.head().number.saturating_add(1) {
            return Err(Refusal::NotKept { first });
        }
        let (mut blocks, mut bytes) = (Vec::new(), 0_usize);
        for number in (first..below).rev().take(MAX_BLOCKS) {
            let failed = |error: StorageError| failed(&error);
            let block = storage.block(number).map_err(failed)?;
            let certificate = match number {
                0 => Some(Vec::new()),
                _ => storage.certificate(number).map_err(failed)?,
            };
            // Let go meanwhile.
            let (Some(block), Some(certificate)) = (block, certificate) else { break };
            bytes = bytes.saturating_add(block.len()).saturating_add(certificate.len());
            if bytes > PAGE_BYTES && !blocks.is_empty() {
                break;
            }
            blocks.push(Certified { bytes: block, certificate });
        }
        Ok(Blocks(blocks))
    }

    /// The first headers after block `after` that name other validators.
    fn changes(&self, after: BlockNumber) -> Result<Changes, Refusal> {
        let read = || self.chain.read(LastSetChange::<Runtime>::get);
        let mut number = read().map_err(|error| failed(&error))?;
        let mut found = Vec::new();
        for _ in 0..MAX_WALK {
            if number <= after {
                break;
            }
            let (header, certificate) = self
                .header(number)
                .map_err(|error| failed(&error))?
                .ok_or(Refusal::NotKept { first: self.chain.storage().first_block() })?;
            let previous = named(&header).map_or(0, |change| change.previous);
            found.push(Certified { bytes: header.encode(), certificate });
            // Only the first ones after `after` are sent.
            if found.len() > MAX_CHANGES {
                found.remove(0);
            }
            number = previous.min(number.saturating_sub(1));
        }
        found.reverse();
        Ok(Changes(found))
    }

    /// A header, of a block that is kept whole or not, and its certificate.
    fn header(&self, number: BlockNumber) -> Result<Option<(Header, Vec<u8>)>, ChainError> {
        let storage = self.chain.storage();
        let bytes = match storage.block(number)? {
            Some(block) => Some(block),
            None => storage.header(number)?,
        };
        let header = bytes.and_then(|bytes| header_of(&bytes));
        Ok(header.zip(storage.certificate(number)?))
    }
}

fn failed(error: &dyn std::fmt::Display) -> Refusal {
    tracing::warn!(%error, "a peer's question about the chain has no answer");
    Refusal::Failed
}
