//! A connection to a Unix stream socket of which no call waits for longer than it may.
//!
//! std knows no limit for connecting one, and connect(2) waits for as long as the other side's queue is full. And its
//! writes may raise SIGPIPE, which a host need not ignore.

use std::io;
use std::mem::MaybeUninit;
use std::path::Path;
use std::time::{Duration, Instant};

use socket2::{Domain, SockAddr, Socket, Type};

use crate::clock;

/// How often a wait asks whether there is a stop.
const SLICE: Duration = Duration::from_millis(50);
/// So much of what the other side says is read at a look.
const RECEIVED_BYTES: usize = 4 << 10;
const MOST_LOOKS: usize = 64;

/// A connection.
#[derive(Debug)]
pub struct Stream {
    socket: Socket,
}

/// What a look at a connection shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    Open,
    Closed,
    /// The other side had not read all of what was written (`unix_release_sock` of the kernel says so by a reset).
    ClosedWithRest,
}

impl Stream {
    /// Connects until the deadline. `pause` waits, and says whether to go on.
    ///
    /// # Errors
    /// From the system; `TimedOut` when nobody accepted in time, `Interrupted` when `pause` said no.
    pub fn connect(path: &Path, deadline: Instant, pause: impl Fn(Duration) -> bool) -> io::Result<Self> {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        let address = SockAddr::unix(path)?;
        socket.set_nonblocking(true)?;
        // A queue that is full shows as EAGAIN; nothing shows when it no longer is.
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

    #[must_use]
    pub fn socket(self) -> Socket {
        self.socket
    }

    /// Writes what it can, at least one byte.
    ///
    /// # Errors
    /// From the system; `TimedOut` when nothing could be written until the deadline, `Interrupted` when `goes_on`
    /// said no.
    pub fn write(&self, bytes: &[u8], deadline: Instant, goes_on: impl Fn() -> bool) -> io::Result<usize> {
        loop {
            if !goes_on() {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let left = deadline.saturating_duration_since(clock::monotonic());
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            // A time of nothing would mean no bound.
            self.socket.set_write_timeout(Some(left.clamp(Duration::from_millis(1), SLICE)))?;
            match self.socket.send_with_flags(bytes, libc::MSG_NOSIGNAL) {
                Err(error) if is_worth_another(&error) => {}
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                written => return written,
            }
        }
    }

    /// Looks whether the other side is there, and passes over what it says.
    #[must_use]
    pub fn look(&self) -> Found {
        let mut received = [MaybeUninit::uninit(); RECEIVED_BYTES];
        for _ in 0..MOST_LOOKS {
            match self.socket.recv_with_flags(&mut received, libc::MSG_DONTWAIT) {
                Ok(0) => return Found::Closed,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Found::Open,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Found::ClosedWithRest,
                Err(_) => return Found::Closed,
            }
        }
        Found::Open
    }
}

/// Whether a call ended before anything came of it. Time is up only when the deadline says so.
pub(super) fn is_worth_another(error: &io::Error) -> bool {
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
    fn a_look_tells_who_is_there_and_who_has_left_something() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let listener = UnixListener::bind(&path).unwrap();
        let connect = || Stream::connect(&path, soon(), |_| true).unwrap();

        let (stream, mut reader) = (connect(), listener.accept().unwrap().0);
        assert_eq!(stream.look(), Found::Open);
        reader.write_all(&[7; 10_000]).unwrap();
        assert_eq!(stream.look(), Found::Open);
        assert_eq!(stream.write(b"line\n", soon(), || true).unwrap(), 5);
        reader.read_exact(&mut [0; 5]).unwrap();
        drop(reader);
        assert_eq!(stream.look(), Found::Closed);
        let error = stream.write(b"line\n", soon(), || true).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);

        let (stream, reader) = (connect(), listener.accept().unwrap().0);
        stream.write(b"line\n", soon(), || true).unwrap();
        drop(reader);
        assert_eq!(stream.look(), Found::ClosedWithRest);
    }

    #[test]
    fn a_queue_that_is_full_is_waited_for_until_the_deadline_or_a_stop() {
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
