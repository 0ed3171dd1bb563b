//! Many requests in one: for platforms that submit or look up by the hundred.
//!
//! The answers come together, in the order of the requests, so a batch is as slow
//! as its slowest request. One refused request does not affect the others.

use crate::{ClientError, Connection, connection::refused};
use billchain_primitives::Hash;
use billchain_rpc_types::BillView;
use jsonrpsee::{
    core::{
        client::ClientT,
        params::{ArrayParams, BatchRequestBuilder},
    },
    rpc_params,
};
use serde::de::DeserializeOwned;
use std::fmt;

/// Most requests in one batch that a node with the default configuration takes
/// (`rpc.max_batch`).
pub const MAX_BATCH: usize = 512;

impl Connection {
    /// Submits signed transactions in one request; the answers in their order.
    /// At most [`MAX_BATCH`], and together less than a node's
    /// `rpc.max_request_bytes`.
    ///
    /// # Errors
    /// If the node cannot be reached or refuses the batch as such: then it is
    /// unknown which of them it took.
    pub async fn submit_all<T: AsRef<[u8]>>(
        &self,
        transactions: &[T],
    ) -> Result<Vec<Result<Hash, ClientError>>, ClientError> {
        let requests = transactions.iter().map(|transaction| {
            let encoded = format!("0x{}", hex::encode(transaction));
            ("author_submitExtrinsic", rpc_params![encoded])
        });
        self.ask_all(requests).await
    }

    /// Bills by code and number, in one request.
    ///
    /// # Errors
    /// As [`Self::ask_all`]; the first refusal is the whole answer's.
    pub async fn bills<C: AsRef<str>>(
        &self,
        keys: &[(C, C)],
    ) -> Result<Vec<Option<BillView>>, ClientError> {
        let requests = keys
            .iter()
            .map(|(code, number)| ("bill_get", rpc_params![code.as_ref(), number.as_ref()]));
        self.ask_all(requests).await?.into_iter().collect()
    }

    /// Asks several questions in one request; the answers in their order.
    ///
    /// # Errors
    /// If the node cannot be reached, refuses the batch as such, or gives an
    /// answer of another form.
    pub async fn ask_all<R>(
        &self,
        requests: impl IntoIterator<Item = (&'static str, ArrayParams)>,
    ) -> Result<Vec<Result<R, ClientError>>, ClientError>
    where
        R: DeserializeOwned + fmt::Debug,
    {
        let mut batch = BatchRequestBuilder::new();
        let mut methods = Vec::new();
        for (method, params) in requests {
            batch.insert(method, params).map_err(|error| self.failed(method, error.into()))?;
            methods.push(method);
        }
        let Some(first) = methods.first() else { return Ok(Vec::new()) };
        let answers = self.raw().batch_request::<R>(batch).await;
        let answers = answers.map_err(|error| self.failed(first, error))?;
        Ok(answers
            .into_iter()
            .zip(methods)
            .map(|(answer, method)| answer.map_err(|refusal| refused(method, &refusal)))
            .collect())
    }
}
