//! How bytes reach a client: over TLS or not, and cut into pieces as a test wants them. Neither HTTP chunks nor
//! TCP segments know of lines, so a client must bear any cut.

use std::io::{self, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use rustls::{ServerConnection, StreamOwned};

/// How answers are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// A list with its Content-Length; a chunk for each line of a watch.
    Whole,
    /// Lists and watches in HTTP chunks of so many bytes, and the stream of chunks, their heads included, in
    /// TCP writes of as many: so both borders fall anywhere, and rarely together.
    Chunks(usize),
    /// The same with a pause after every write.
    Slow { bytes: usize, pause: Duration },
}

impl Delivery {
    fn pieces(self) -> Option<usize> {
        match self {
            Delivery::Whole => None,
            Delivery::Chunks(bytes) | Delivery::Slow { bytes, .. } => Some(bytes.max(1)),
        }
    }
}

pub(super) enum Socket {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
}

impl Socket {
    fn tcp(&self) -> &TcpStream {
        match self {
            Socket::Plain(stream) => stream,
            Socket::Tls(session) => &session.sock,
        }
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Socket::Plain(stream) => stream.read(buffer),
            Socket::Tls(session) => session.read(buffer),
        }
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Socket::Plain(stream) => stream.write(bytes),
            Socket::Tls(session) => session.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Socket::Plain(stream) => stream.flush(),
            Socket::Tls(session) => session.flush(),
        }
    }
}

pub(super) type Wire = BufReader<Socket>;

/// Whether the client of a watch has closed its side. What it may send meanwhile is kept for later.
pub(super) fn client_is_gone(wire: &mut Wire) -> io::Result<bool> {
    if !wire.buffer().is_empty() {
        return Ok(false);
    }
    wire.get_ref().tcp().set_nonblocking(true)?;
    let read = io::BufRead::fill_buf(wire).map(<[u8]>::len);
    wire.get_ref().tcp().set_nonblocking(false)?;
    Ok(read.map_or_else(|error| error.kind() != io::ErrorKind::WouldBlock, |count| count == 0))
}

/// Writes the body of one answer.
pub(super) struct Body<'a> {
    socket: &'a mut Socket,
    pub(super) delivery: Delivery,
    /// Sleeps; false when the server stops.
    pause: &'a dyn Fn(Duration) -> bool,
    framed: Vec<u8>,
}

impl<'a> Body<'a> {
    pub(super) fn new(
        socket: &'a mut Socket,
        delivery: Delivery,
        pause: &'a dyn Fn(Duration) -> bool,
    ) -> Self {
        Body { socket, delivery, pause, framed: Vec::new() }
    }

    /// Without the framing of chunks: a head, or a body whose length the head tells.
    pub(super) fn write_plain(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.socket.write_all(bytes)
    }

    /// Adds to the chunks that the next `flush` sends.
    pub(super) fn add(&mut self, bytes: &[u8]) -> io::Result<()> {
        for piece in bytes.chunks(self.delivery.pieces().unwrap_or(usize::MAX)) {
            write!(self.framed, "{:x}\r\n", piece.len())?;
            self.framed.extend(piece);
            self.framed.extend(b"\r\n");
        }
        Ok(())
    }

    /// Half of a chunk: what a connection shows that breaks.
    pub(super) fn add_half(&mut self, bytes: &[u8]) -> io::Result<()> {
        write!(self.framed, "{:x}\r\n", bytes.len())?;
        self.framed.extend(&bytes[..bytes.len() / 2]);
        Ok(())
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        let framed = std::mem::take(&mut self.framed);
        match self.delivery.pieces() {
            None => self.socket.write_all(&framed)?,
            Some(bytes) => {
                for piece in framed.chunks(bytes) {
                    self.socket.write_all(piece)?;
                    self.socket.flush()?;
                    if let Delivery::Slow { pause, .. } = self.delivery
                        && !(self.pause)(pause)
                    {
                        return Err(io::ErrorKind::Interrupted.into());
                    }
                }
            }
        }
        self.socket.flush()
    }

    /// The chunk that says there is no more.
    pub(super) fn end(&mut self) -> io::Result<()> {
        self.framed.extend(b"0\r\n\r\n");
        self.flush()
    }
}
