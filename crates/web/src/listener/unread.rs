//! The rest of a request that was answered before it was read.
//!
//! Where such a rest is left in the connection, the next request would begin behind it: hyper closes the connection
//! then, and the client learns of it when it sends its next request. So a short rest is read, and a long one is told of
//! with `Connection: close` (RFC 9112 §9.6).

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};

/// The longest rest that is read.
const MAX_BYTES: usize = 64 * 1_024;
/// How long it may take to come.
const PATIENCE: Duration = Duration::from_secs(1);

/// The body of a request, which comes back when it is dropped.
pub(super) struct Lent {
    body: Option<Incoming>,
    given_back: Arc<Mutex<Option<Incoming>>>,
}

/// Where a body comes back to.
pub(super) struct Lender(Arc<Mutex<Option<Incoming>>>);

/// Lends a body out.
pub(super) fn lend(body: Incoming) -> (Lent, Lender) {
    let given_back = Arc::default();
    (Lent { body: Some(body), given_back: Arc::clone(&given_back) }, Lender(given_back))
}

impl Lender {
    /// Reads what is left of a body that came back; `false` where that is too much, or does not come.
    pub(super) async fn read_rest(self) -> bool {
        let body = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut body) = body.filter(|body| !body.is_end_stream()) else { return true };
        let read = async {
            let mut length = 0;
            while let Some(frame) = body.frame().await {
                length += frame.ok()?.data_ref().map_or(0, Bytes::len);
                if length > MAX_BYTES {
                    return None;
                }
            }
            Some(())
        };
        matches!(tokio::time::timeout(PATIENCE, read).await, Ok(Some(())))
    }
}

impl Body for Lent {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match &mut self.body {
            Some(body) => Pin::new(body).poll_frame(context),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        *self.given_back.lock().unwrap_or_else(PoisonError::into_inner) = self.body.take();
    }
}
