//! A stream of which only so much is read.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream that breaks with [`TooMuch`] once more has come than is worth reading.
///
/// Time alone is no bound: a host can send for all of it, whether that be interim responses, chunk
/// extensions or TLS messages, none of which counts as content.
#[derive(Debug)]
pub(crate) struct Capped<S> {
    stream: S,
    left: usize,
}

/// The other side sent more than is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it sent more than is read of one connection")]
pub(crate) struct TooMuch;

impl<S> Capped<S> {
    /// Of which at most `limit` bytes are read.
    pub(crate) fn new(stream: S, limit: usize) -> Self {
        Self { stream, left: limit }
    }
}

impl TooMuch {
    /// Whether an error, or what is behind it, is this one.
    pub(crate) fn caused(error: &(dyn std::error::Error + 'static)) -> bool {
        // An `io::Error` tells what it holds, not as its source, but by a method of its own.
        let held = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        held.is_some_and(|held| held.is::<Self>()) || error.source().is_some_and(Self::caused)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Capped<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(cx, buffer))?;
        let read = buffer.filled().len().saturating_sub(before);
        let Some(left) = this.left.checked_sub(read) else {
            // Whoever gets an error has been given nothing.
            buffer.set_filled(before);
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, TooMuch)));
        };
        this.left = left;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Capped<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;

    use super::*;

    #[tokio::test]
    async fn as_much_as_is_allowed_is_read() {
        let mut read = vec![];
        assert_eq!(Capped::new(&[7; 100][..], 100).read_to_end(&mut read).await.unwrap(), 100);
        let error = Capped::new(&[7; 101][..], 100).read_to_end(&mut read).await.unwrap_err();
        assert!(TooMuch::caused(&error));
        assert!(!TooMuch::caused(&io::Error::other("?")));
    }

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] io::Error);

    #[test]
    fn the_cause_is_found_behind_other_errors() {
        assert!(TooMuch::caused(&Outer(io::Error::other(TooMuch))));
        assert!(TooMuch::caused(&io::Error::other(Outer(io::Error::other(TooMuch)))));
        assert!(!TooMuch::caused(&Outer(io::Error::other("?"))));
    }
}
