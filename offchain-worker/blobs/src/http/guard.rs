//! A connection that ends when the other side takes its answer too slowly.

use super::open::Activity;
use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep},
};

/// A connection of which at least `least` bytes are taken in each `window` in which there is something to send.
pub struct Guarded {
    stream: TcpStream,
    window: Duration,
    least: usize,
    /// Bytes taken in this window.
    taken: usize,
    /// The end of this window, while a write waits.
    end: Option<Pin<Box<Sleep>>>,
    /// When bytes last came or were taken.
    activity: Arc<Activity>,
}

impl Guarded {
    /// Guards `stream`.
    pub const fn new(stream: TcpStream, window: Duration, least: usize, activity: Arc<Activity>) -> Self {
        Self {
            stream,
            window,
            least,
            taken: 0,
            end: None,
            activity,
        }
    }

    /// Counts what a write has done.
    fn count(&mut self, cx: &mut Context<'_>, done: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = done {
            self.activity.touch();
            self.taken = self.taken.saturating_add(bytes);
            if self.taken >= self.least {
                (self.taken, self.end) = (0, None);
            }
        }
        if done.is_pending() {
            let end = self
                .end
                .get_or_insert_with(|| Box::pin(tokio::time::sleep(self.window)));
            if end.as_mut().poll(cx).is_ready() {
                if self.taken < self.least {
                    return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                }
                self.taken = 0;
                end.as_mut().reset(Instant::now() + self.window);
            }
        }
        done
    }
}

impl AsyncRead for Guarded {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.activity.touch();
        }
        read
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.count(cx, done)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.count(cx, done)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // All that there was to send is taken: what comes next begins a window of its own.
        (self.taken, self.end) = (0, None);
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
