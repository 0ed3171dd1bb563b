//! Operations of the log and what proves them, between a node that serves a copy of its
//! commitment and one that joins. The encodings are QMDB's.

use super::{
    engine::{
        CHUNK_BITS, EngineContext, Error, Failure, Family, Location, Nodes, Operation,
        configuration,
    },
    hasher::{Digest, Sm3},
};
use bytes::Bytes;
use commonware_codec::{DecodeExt as _, Encode as _, Read as _};
use commonware_parallel::Sequential;
use commonware_runtime::tokio;
use commonware_storage::{
    journal::{
        authenticated,
        contiguous::{Contiguous as _, fixed},
    },
    merkle::Bagging,
    qmdb::{
        current::proof::OpsRootWitness,
        operation::{Committable as _, Floored as _},
        sync::{Request, Response, Source as _},
        verify_proof, verify_proof_and_pinned_nodes,
    },
};
use sp_core::H256;
use std::num::NonZeroU64;

/// Operations in one answer at most: 266 KB.
pub const MAX_SYNC_OPERATIONS: u64 = 4_096;

/// Encoded requests are not longer.
pub const MAX_OPERATIONS_REQUEST_BYTES: usize = 64;

/// QMDB's way to fold the peaks of the operations' tree.
const BAGGING: Bagging = Bagging::BackwardFold;

pub(super) type Asked = Request<Family>;
pub(super) type Answered = Response<Family, Operation<tokio::Context>, Digest>;

/// Whether a state root commits to a root of operations.
pub(crate) fn commits_to(state_root: &H256, operations_root: &H256, witness: &[u8]) -> bool {
    let digest = |hash: &H256| commonware_cryptography::sha256::Digest(hash.0);
    match OpsRootWitness::<Family, Digest>::decode(Bytes::copy_from_slice(witness)) {
        Ok(witness) => witness.verify::<Sm3>(&digest(operations_root), &digest(state_root)),
        Err(_) => false,
    }
}

/// The encoded request for the last operation of a log: the record of its last commit.
pub(crate) fn request_last(end: u64) -> Vec<u8> {
    let (size, start) = (Location::new(end), Location::new(end.saturating_sub(1)));
    Asked::Operations { size, start, max_ops: NonZeroU64::MIN }.encode().to_vec()
}

/// The first operation that is needed of a log, as the answer to [`request_last`] proves
/// it: nothing below the floor of the last commit is, down to a whole chunk of activity
/// bits.
pub(crate) fn first_needed(root: &H256, end: u64, answer: &[u8]) -> Option<u64> {
    let request = decode_request(&request_last(end))?;
    let root = commonware_cryptography::sha256::Digest(root.0);
    let Response::Operations { operations, .. } = proven(&request, &root, answer)? else {
        return None;
    };
    let floor = *operations.first()?.has_floor()?;
    Some(floor.saturating_sub(floor % CHUNK_BITS))
}

/// The log of a copied commitment, without its index.
pub(super) struct Log<E: EngineContext>(
    authenticated::Journal<Family, E, fixed::Journal<E, Operation<E>>, Sm3, Sequential>,
);

impl<E: EngineContext> Log<E> {
    pub(super) async fn open(context: E, cache_bytes: usize) -> Result<Self, Failure> {
        let config = configuration(cache_bytes, Nodes::OfStore, 0);
        let (nodes, operations) = (config.merkle_config, config.journal_config);
        let opened = authenticated::Journal::new(
            context,
            nodes,
            operations,
            |operation: &Operation<E>| operation.is_commit(),
            BAGGING,
        );
        Ok(Self(opened.await.map_err(Error::from)?))
    }

    /// The answer to an encoded request; `None` if it is none, or cannot be met.
    pub(super) async fn answer(&self, request: &[u8]) -> Result<Option<Vec<u8>>, Failure> {
        let Some(request) = decode_request(request) else { return Ok(None) };
        let bounds = self.0.bounds();
        let size = Location::new(bounds.end);
        if request.size() > size || *request.start() < bounds.start {
            return Ok(None);
        }
        let (response, _) = self.0.serve(request).await?;
        Ok(Some(response.encode().to_vec()))
    }
}

/// A request within bounds.
pub(super) fn decode_request(bytes: &[u8]) -> Option<Asked> {
    if bytes.len() > MAX_OPERATIONS_REQUEST_BYTES {
        return None;
    }
    let request = Asked::decode(Bytes::copy_from_slice(bytes)).ok()?;
    (request.max_ops().get() <= MAX_SYNC_OPERATIONS).then_some(request)
}

/// The answer to `request`, if the root of the operations proves it, and it is whole.
pub(super) fn proven(request: &Asked, root: &Digest, bytes: &[u8]) -> Option<Answered> {
    let count = usize::try_from(request.max_ops().get()).ok()?;
    let mut rest = Bytes::copy_from_slice(bytes);
    let response = Answered::read_cfg(&mut rest, &(count, ())).ok()?;
    if !rest.is_empty() || response.proof().leaves != request.size() {
        return None;
    }
    let start = request.start();
    let is_proven = match (request, &response) {
        (Request::Operations { .. }, Response::Operations { proof, operations }) => {
            operations.len() == count && verify_proof::<Sm3, _, _>(proof, start, operations, root)
        }
        (Request::Boundary { .. }, Response::Boundary { proof, op, pinned_nodes }) => {
            let operation = core::slice::from_ref(op);
            verify_proof_and_pinned_nodes::<Sm3, _, _>(proof, start, operation, pinned_nodes, root)
        }
        _ => false,
    };
    is_proven.then_some(response)
}
