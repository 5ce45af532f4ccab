//! A TCP connection that counts what the kernel took and knows what still waits in its queue.
//!
//! A body handed to hyper has not been received, nor even sent: it may sit in hyper's buffer or
//! in the kernel's. The ledger settles a chunk when its bytes have left both, and may take back
//! only a chunk of which nothing touched the socket. Both questions are answered here:
//!
//! `written` counts every byte that the kernel accepted on this connection; `left` is that less
//! what the kernel still queues; `flushes` counts how often hyper had nothing more to write, for it
//! flushes the socket only once its own buffer is empty.

use std::io::{self, IoSlice};
use std::os::fd::AsFd;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::deliver::Wire;

/// Bytes that are read at once to be forgotten.
const DISCARD_BYTES: usize = 64 * 1024;

/// What others may know and ask of a connection while hyper owns it.
#[derive(Debug)]
pub(crate) struct TcpWire {
    stream: TcpStream,
    written: AtomicU64,
    flushes: AtomicU64,
    blocked: AtomicBool,
    closed: AtomicBool,
    lingers: AtomicBool,
}

impl TcpWire {
    /// Whether hyper has bytes that the kernel would not take.
    pub(crate) fn is_blocked(&self) -> bool {
        self.blocked.load(Ordering::Acquire)
    }

    /// Whether the connection is dead, so that what the kernel queues will never leave.
    pub(crate) fn is_reset(&self) -> bool {
        // The kernel forgets the other side's address in the state CLOSE, and in no other that a
        // connection can be in.
        self.stream.peer_addr().is_err()
    }

    /// Makes closing the connection discard what the kernel still queues, and tell the client.
    pub(crate) fn reset_on_close(&self) {
        let _ = SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
    }

    /// Says that a request was answered before all of it was read. Closing such a connection at
    /// once would reset it, and the client might never see the answer.
    pub(crate) fn linger_on_close(&self) {
        self.lingers.store(true, Ordering::Release);
    }

    /// Whether something is left of a request that was answered.
    pub(crate) fn lingers(&self) -> bool {
        self.lingers.load(Ordering::Acquire)
    }

    /// Reads on without heeding it, until the other side ends or at most so many bytes.
    pub(crate) async fn discard(&self, bytes_max: usize) {
        let mut buffer = vec![0; DISCARD_BYTES];
        let mut discarded = 0;
        while discarded < bytes_max && self.stream.readable().await.is_ok() {
            match self.stream.try_read(&mut buffer) {
                Ok(0) => return,
                Ok(read) => discarded += read,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
    }

    /// Marks the connection as over.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }
}

impl Wire for TcpWire {
    fn written(&self) -> u64 {
        self.written.load(Ordering::Acquire)
    }

    fn left(&self) -> u64 {
        // Read in this order: bytes that are accepted in between make the answer smaller.
        let written = self.written();
        written.saturating_sub(queued_bytes(&self.stream))
    }

    fn flushes(&self) -> u64 {
        self.flushes.load(Ordering::Acquire)
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    fn bound_queue(&self, bytes: usize) {
        // The kernel doubles it for itself. One that refuses keeps its larger buffer: an abort then
        // over-charges more, and nothing is sent uncharged.
        let _ = SockRef::from(&self.stream).set_send_buffer_size(bytes);
    }
}

/// The connection as hyper sees it.
#[derive(Debug)]
pub(crate) struct Socket(Arc<TcpWire>);

impl Socket {
    pub(crate) fn new(stream: TcpStream) -> Socket {
        Socket(Arc::new(TcpWire {
            stream,
            written: AtomicU64::new(0),
            flushes: AtomicU64::new(0),
            blocked: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            lingers: AtomicBool::new(false),
        }))
    }

    pub(crate) fn wire(&self) -> Arc<TcpWire> {
        Arc::clone(&self.0)
    }

    fn poll_send(
        &self,
        context: &mut Context<'_>,
        send: impl Fn(&TcpStream) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        loop {
            let poll = self.0.stream.poll_write_ready(context);
            self.0.blocked.store(poll.is_pending(), Ordering::Release);
            ready!(poll)?;
            match send(&self.0.stream) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Ok(sent) => {
                    self.0.written.fetch_add(sent as u64, Ordering::AcqRel);
                    return Poll::Ready(Ok(sent));
                }
                failed => return Poll::Ready(failed),
            }
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            ready!(self.0.stream.poll_read_ready(context))?;
            match self.0.stream.try_read(buffer.initialize_unfilled()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Ok(read) => {
                    buffer.advance(read);
                    return Poll::Ready(Ok(()));
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_send(context, |stream| stream.try_write(bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_send(context, |stream| stream.try_write_vectored(slices))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.flushes.fetch_add(1, Ordering::AcqRel);
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(SockRef::from(&self.0.stream).shutdown(std::net::Shutdown::Write))
    }
}

/// Bytes in the kernel's send queue that the other side has not confirmed.
fn queued_bytes(socket: &impl AsFd) -> u64 {
    /// `SIOCOUTQ` of `linux/sockios.h`, the same number as `TIOCOUTQ` on the machines named here.
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64"))]
    const SIOCOUTQ: rustix::ioctl::Opcode = 0x5411;

    #[allow(unsafe_code)]
    // SAFETY: SIOCOUTQ on a TCP socket writes one C int and reads nothing; the opcode is the one
    // of the architectures that are compiled here, and `AsFd` proves that the socket is open.
    let queued = unsafe {
        let getter = rustix::ioctl::Getter::<SIOCOUTQ, std::ffi::c_int>::new();
        rustix::ioctl::ioctl(socket, getter)
    };
    // A socket that cannot answer is over: nothing waits in it.
    queued.ok().and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    async fn pair() -> (Socket, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (client, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
        (Socket::new(accepted.unwrap().0), client.unwrap())
    }

    #[tokio::test]
    async fn what_the_client_has_not_taken_has_not_left() {
        let (mut socket, mut client) = pair().await;
        let wire = socket.wire();
        wire.bound_queue(32 * 1024);
        let block = [b'1'; 64 * 1024];
        // Write until the kernel takes no more: the client reads nothing yet.
        let mut sent = 0;
        while let Ok(Ok(n)) =
            tokio::time::timeout(Duration::from_millis(200), socket.write(&block)).await
        {
            sent += n as u64;
        }
        assert_eq!(wire.written(), sent);
        assert!(wire.left() < sent, "the queue of a client that reads nothing is not empty");

        let mut taken = vec![0; usize::try_from(sent).unwrap()];
        client.read_exact(&mut taken).await.unwrap();
        while wire.left() < sent {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_flush_is_counted() {
        let (mut socket, _client) = pair().await;
        let wire = socket.wire();
        let before = wire.flushes();
        socket.flush().await.unwrap();
        assert_eq!(wire.flushes(), before + 1);
    }
}
