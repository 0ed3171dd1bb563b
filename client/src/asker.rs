//! A node that is not trusted, asked: bounded answers, and no word about its rules.

use crate::connection::{ClientError, refused};
use jsonrpsee::{
    core::{
        client::{ClientT, Error as RpcError},
        params::ArrayParams,
    },
    http_client::{HttpClient, HttpClientBuilder},
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::Duration;

/// Asks a node whose answers may be anything. Unlike
/// [`Connection`](crate::Connection) it does not ask first which rules the node has.
/// Cheap to clone.
#[derive(Clone, Debug)]
pub struct Asker {
    client: HttpClient,
    url: String,
    patience: Duration,
}

impl Asker {
    /// Asks the node at `url`. An answer takes `patience` at most and has at most
    /// `max_answer` bytes. Connects with the first question.
    pub fn new(url: &str, patience: Duration, max_answer: u32) -> Result<Self, ClientError> {
        let client = HttpClientBuilder::default()
            .request_timeout(patience)
            .max_response_size(max_answer)
            .build(url)
            .map_err(|e| ClientError::Url { url: url.to_owned(), reason: e.to_string() })?;
        Ok(Self { client, url: url.to_owned(), patience })
    }

    /// What a method answers to these parameters.
    pub async fn ask<T: DeserializeOwned>(
        &self,
        method: &'static str,
        params: Vec<Value>,
    ) -> Result<T, ClientError> {
        let mut all = ArrayParams::new();
        for param in params {
            // Any JSON value is JSON.
            let _ = all.insert(param);
        }
        let asked = tokio::time::timeout(self.patience, self.client.request(method, all)).await;
        asked.unwrap_or(Err(RpcError::RequestTimeout)).map_err(|error| match error {
            RpcError::Call(refusal) => refused(method, &refusal),
            source => ClientError::Transport { url: self.url.clone(), method, source },
        })
    }
}
