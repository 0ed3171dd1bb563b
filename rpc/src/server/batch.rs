//! Batches of requests: answered side by side, not one after the other, so that
//! a client which submits fifty transactions in one request does not wait for
//! fifty checks in turn.

use futures::{StreamExt, stream};
use jsonrpsee::{
    BatchResponseBuilder, MethodResponse,
    core::middleware::{Batch, BatchEntry, BatchEntryErr, Notification, RpcServiceT},
    types::Request,
};

/// Requests of one batch that are worked on at once.
const AT_ONCE: usize = 64;

/// Answers the requests of a batch side by side. They are begun in their
/// order, and their answers stand in it.
#[derive(Clone, Debug)]
pub(crate) struct BatchLayer {
    /// Longest answer to a batch, in bytes.
    pub(crate) max_response_bytes: u32,
}

impl<S> tower::Layer<S> for BatchLayer {
    type Service = BatchService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        BatchService { inner, max_response_bytes: self.max_response_bytes as usize }
    }
}

/// See [`BatchLayer`].
#[derive(Clone, Debug)]
pub(crate) struct BatchService<S> {
    inner: S,
    max_response_bytes: usize,
}

impl<S> RpcServiceT for BatchService<S>
where
    S: RpcServiceT<
            MethodResponse = MethodResponse,
            NotificationResponse = MethodResponse,
            BatchResponse = MethodResponse,
        > + Clone
        + Send
        + Sync
        + 'static,
{
    type MethodResponse = MethodResponse;
    type NotificationResponse = MethodResponse;
    type BatchResponse = MethodResponse;

    fn call<'a>(
        &self,
        request: Request<'a>,
    ) -> impl Future<Output = Self::MethodResponse> + Send + 'a {
        self.inner.call(request)
    }

    fn batch<'a>(&self, batch: Batch<'a>) -> impl Future<Output = Self::BatchResponse> + Send + 'a {
        let Self { inner, max_response_bytes } = self.clone();
        async move {
            let mut response = BatchResponseBuilder::new_with_limit(max_response_bytes);
            let mut notified = false;
            let mut answers = Vec::with_capacity(batch.len());
            for entry in batch {
                answers.push(answer(inner.clone(), entry));
            }
            let mut answers = stream::iter(answers).buffered(AT_ONCE);
            while let Some(answer) = answers.next().await {
                match answer.map(|answer| response.append(answer)) {
                    Some(Ok(())) => {}
                    Some(Err(too_long)) => return too_long,
                    None => notified = true,
                }
            }
            // An empty batch is a request that cannot be: `finish` says so.
            if response.is_empty() && notified {
                return MethodResponse::notification();
            }
            MethodResponse::from_batch(response.finish())
        }
    }

    fn notification<'a>(
        &self,
        notification: Notification<'a>,
    ) -> impl Future<Output = Self::NotificationResponse> + Send + 'a {
        self.inner.notification(notification)
    }
}

/// The answer to one entry of a batch; none to a notification.
async fn answer<S>(
    inner: S,
    entry: Result<BatchEntry<'_>, BatchEntryErr<'_>>,
) -> Option<MethodResponse>
where
    S: RpcServiceT<MethodResponse = MethodResponse>,
{
    match entry {
        Ok(BatchEntry::Call(request)) => Some(inner.call(request).await),
        Ok(BatchEntry::Notification(notification)) => {
            inner.notification(notification).await;
            None
        }
        Err(error) => {
            let (error, id) = error.into_parts();
            Some(MethodResponse::error(id, error))
        }
    }
}
