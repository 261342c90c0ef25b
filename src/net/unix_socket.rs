//! A connection to a Unix stream socket in which every call has a time limit.
//!
//! std has no timeout for connecting a Unix socket, and connect(2) waits as long as the other side's queue is full. Its
//! writes may also raise SIGPIPE, which the host may not ignore.

use std::io;
use std::mem::MaybeUninit;
use std::path::Path;
use std::time::{Duration, Instant};

use socket2::{Domain, SockAddr, Socket, Type};

use crate::clock;

/// How often a wait checks for a stop.
const SLICE: Duration = Duration::from_millis(50);
/// How much received data is read and discarded at a time, and how many times, by [`Stream::state`].
const RECEIVED_BYTES: usize = 4 << 10;
const MOST_READS: usize = 64;

/// A connection.
#[derive(Debug)]
pub struct Stream {
    socket: Socket,
}

/// The state of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamState {
    /// More can be written.
    Open,
    /// The other side closed it after it had read everything, or the connection failed.
    Closed,
    /// The other side closed it before it read everything (the kernel's `unix_release_sock` then resets it).
    ClosedUnread,
}

impl Stream {
    /// Connects, and waits for a free place in the queue until the deadline. `pause` waits and says whether to go on.
    ///
    /// # Errors
    /// System errors; `TimedOut` if the queue stayed full, `Interrupted` if `pause` returned false.
    pub fn connect(path: &Path, deadline: Instant, pause: impl Fn(Duration) -> bool) -> io::Result<Self> {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        let address = SockAddr::unix(path)?;
        socket.set_nonblocking(true)?;
        // A full queue gives EAGAIN, and no event signals that it has room again.
        while let Err(error) = socket.connect(&address) {
            match error.kind() {
                io::ErrorKind::WouldBlock if clock::monotonic() >= deadline => {
                    return Err(io::ErrorKind::TimedOut.into());
                }
                io::ErrorKind::WouldBlock if !pause(SLICE) => return Err(io::ErrorKind::Interrupted.into()),
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => {}
                _ => return Err(error),
            }
        }
        socket.set_nonblocking(false)?;
        Ok(Self { socket })
    }

    /// The connected socket.
    #[must_use]
    pub fn socket(self) -> Socket {
        self.socket
    }

    /// Writes as much as possible, at least one byte.
    ///
    /// # Errors
    /// System errors; `TimedOut` if nothing could be written until the deadline, `Interrupted` if `goes_on` returned
    /// false.
    pub fn write(&self, bytes: &[u8], deadline: Instant, goes_on: impl Fn() -> bool) -> io::Result<usize> {
        loop {
            if !goes_on() {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let left = deadline.saturating_duration_since(clock::monotonic());
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            // A timeout of 0 would mean no limit.
            self.socket.set_write_timeout(Some(left.clamp(Duration::from_millis(1), SLICE)))?;
            match self.socket.send_with_flags(bytes, libc::MSG_NOSIGNAL) {
                Err(error) if is_to_be_repeated(&error) => {}
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                written => return written,
            }
        }
    }

    /// Whether the other side still has the connection open. Data that it sent is discarded.
    #[must_use]
    pub fn state(&self) -> StreamState {
        let mut received = [MaybeUninit::uninit(); RECEIVED_BYTES];
        for _ in 0..MOST_READS {
            match self.socket.recv_with_flags(&mut received, libc::MSG_DONTWAIT) {
                Ok(0) => return StreamState::Closed,
                Ok(_) => {}
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock => return StreamState::Open,
                    io::ErrorKind::Interrupted => {}
                    io::ErrorKind::ConnectionReset => return StreamState::ClosedUnread,
                    _ => return StreamState::Closed,
                },
            }
        }
        StreamState::Open
    }
}

/// Whether a call had no effect and should be repeated. Only the deadline ends the wait, not a socket timeout.
pub(super) fn is_to_be_repeated(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::os::unix::net::UnixListener;

    use super::*;

    fn soon() -> Instant {
        clock::monotonic() + Duration::from_secs(30)
    }

    #[test]
    fn the_state_says_whether_the_other_side_closed_and_whether_it_read_everything() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let listener = UnixListener::bind(&path).unwrap();
        let connect = || Stream::connect(&path, soon(), |_| true).unwrap();

        let (stream, mut reader) = (connect(), listener.accept().unwrap().0);
        assert_eq!(stream.state(), StreamState::Open);
        reader.write_all(&[7; 10_000]).unwrap();
        assert_eq!(stream.state(), StreamState::Open);
        assert_eq!(stream.write(b"line\n", soon(), || true).unwrap(), 5);
        reader.read_exact(&mut [0; 5]).unwrap();
        drop(reader);
        assert_eq!(stream.state(), StreamState::Closed);
        let error = stream.write(b"line\n", soon(), || true).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);

        let (stream, reader) = (connect(), listener.accept().unwrap().0);
        stream.write(b"line\n", soon(), || true).unwrap();
        drop(reader);
        assert_eq!(stream.state(), StreamState::ClosedUnread);
    }

    #[test]
    fn connecting_waits_for_a_full_queue_until_the_deadline_or_a_stop() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let listener = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        listener.bind(&SockAddr::unix(&path).unwrap()).unwrap();
        listener.listen(1).unwrap();
        let at_once = || Stream::connect(&path, clock::monotonic(), |_| true);
        let mut held = Vec::new();
        let full = loop {
            match at_once() {
                Ok(stream) => held.push(stream),
                Err(error) => break error,
            }
        };
        assert_eq!(full.kind(), io::ErrorKind::TimedOut);
        let stopped = Stream::connect(&path, soon(), |_| false).unwrap_err();
        assert_eq!(stopped.kind(), io::ErrorKind::Interrupted);
        let later = Stream::connect(&path, soon(), |_| listener.accept().is_ok());
        assert!(later.is_ok(), "{later:?}");
    }
}
