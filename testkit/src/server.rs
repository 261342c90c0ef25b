//! What all servers of the tests are made of: a port of 127.0.0.1, a thread for each connection, and
//! an end that closes them all.

use std::collections::HashMap;
use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How often, 10 ms apart, it is looked whether a port is free of a process that is being started.
const LOOKS: usize = 6_000;

/// Refuses connections until `run` and from `stop` on; keeps its port all the while.
pub struct Server {
    name: &'static str,
    address: SocketAddr,
    connections: Arc<Connections>,
    acceptor: Mutex<Option<JoinHandle<bool>>>,
    _port: OwnedFd,
}

#[derive(Default)]
struct Connections(Mutex<State>);

#[derive(Default)]
struct State {
    accepted: usize,
    open: HashMap<usize, TcpStream>,
    stopping: bool,
}

impl Connections {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Server {
    pub fn new(name: &'static str) -> Self {
        Self::at(name, SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    /// On this IPv4 address; with port 0 on a free port.
    pub fn at(name: &'static str, address: SocketAddr) -> Self {
        let (port, address) = reserve_port(address).expect("a port on that address");
        let (connections, acceptor) = (Arc::default(), Mutex::new(None));
        Server { name, address, connections, acceptor, _port: port }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections were accepted, since the first `run`.
    pub fn accepted(&self) -> usize {
        self.connections.lock().accepted
    }

    /// How many connections are open.
    pub fn open(&self) -> usize {
        self.connections.lock().open.len()
    }

    /// Serves each connection on a thread of its own, and tells its number: 1 for the first.
    pub fn run(&self, serve: impl Fn(TcpStream, usize) + Send + Sync + 'static) {
        let mut acceptor = self.acceptor.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(acceptor.is_none(), "the {} is running", self.name);
        self.connections.lock().stopping = false;
        let listener = listen(self.address);
        let (name, connections) = (self.name, Arc::clone(&self.connections));
        *acceptor = Some(spawn(name, move || accept(name, listener, &connections, &Arc::new(serve))));
    }

    /// Closes all connections and joins their threads; panics if one of them has.
    pub fn stop(&self) {
        let Some(acceptor) = self.acceptor.lock().unwrap_or_else(PoisonError::into_inner).take() else {
            return;
        };
        {
            let mut state = self.connections.lock();
            state.stopping = true;
            for stream in state.open.values() {
                let _ = stream.shutdown(Shutdown::Both);
            }
        }
        // Wakes the acceptor out of accept(2), which knows no other interruption in std.
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
        let whole = acceptor.join().unwrap_or(false);
        // A process that is being started just now holds the listener, too, until it is itself.
        let is_refused = || TcpStream::connect_timeout(&self.address, Duration::from_secs(1)).is_err();
        for _ in 0..LOOKS {
            if is_refused() {
                break;
            }
            thread::sleep(Duration::from_millis(10));
        }
        assert!(whole || thread::panicking(), "a thread of the {} panicked, see above", self.name);
    }
}

/// A process that is being started holds all descriptors for a moment, also that of a listener just closed.
fn listen(address: SocketAddr) -> TcpListener {
    for _ in 0..LOOKS {
        match TcpListener::bind(address) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                thread::sleep(Duration::from_millis(10))
            }
            bound => return bound.expect("the port that is reserved for us"),
        }
    }
    panic!("the port that is reserved for us stays in use")
}

fn spawn<T: Send + 'static>(name: &str, run: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    thread::Builder::new().name(name.into()).spawn(run).expect("a thread for a server")
}

/// Accepts until the server stops; then joins all connections. False when one has panicked.
fn accept<F>(name: &str, listener: TcpListener, connections: &Arc<Connections>, serve: &Arc<F>) -> bool
where
    F: Fn(TcpStream, usize) + Send + Sync + 'static,
{
    let mut whole = true;
    let mut workers: Vec<JoinHandle<()>> = Vec::new();
    loop {
        let accepted = listener.accept();
        let mut state = connections.lock();
        if state.stopping {
            break;
        }
        let Ok((stream, _)) = accepted else {
            drop(state);
            thread::sleep(Duration::from_millis(10)); // out of descriptors, say
            continue;
        };
        state.accepted += 1;
        let number = state.accepted;
        let Ok(handle) = stream.try_clone() else { continue };
        state.open.insert(number, handle);
        drop(state);
        let (open, serve) = (Open(Arc::clone(connections), number), Arc::clone(serve));
        workers.push(spawn(name, move || {
            let _open = open;
            serve(stream, number);
        }));
        for finished in workers.extract_if(.., |worker| worker.is_finished()) {
            whole &= finished.join().is_ok();
        }
    }
    drop(listener); // from here on connections are refused
    workers.into_iter().fold(whole, |whole, worker| worker.join().is_ok() && whole)
}

/// Forgets the second handle of a connection, which else would keep it open after its thread.
struct Open(Arc<Connections>, usize);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.lock().open.remove(&self.1);
    }
}

/// A socket that is bound and does not listen: connections to it are refused, and no other
/// process is given its port while the gateway is stopped. The listener may bind beside it, as
/// both carry SO_REUSEADDR and only one of them listens.
#[allow(unsafe_code)]
fn reserve_port(wanted: SocketAddr) -> io::Result<(OwnedFd, SocketAddr)> {
    let SocketAddr::V4(wanted) = wanted else { return Err(io::ErrorKind::Unsupported.into()) };
    let check = |ret: i32| if ret < 0 { Err(io::Error::last_os_error()) } else { Ok(ret) };
    // SAFETY: plain system calls on values that live across them; the descriptor is ours alone.
    unsafe {
        let kind = libc::SOCK_STREAM | libc::SOCK_CLOEXEC;
        let socket = OwnedFd::from_raw_fd(check(libc::socket(libc::AF_INET, kind, 0))?);
        let (fd, one) = (socket.as_raw_fd(), 1i32);
        let one = (&raw const one).cast();
        check(libc::setsockopt(fd, libc::SOL_SOCKET, libc::SO_REUSEADDR, one, 4))?;
        let mut name: libc::sockaddr_in = std::mem::zeroed();
        let mut name_bytes = 16; // of a sockaddr_in
        name.sin_family = 2; // AF_INET
        name.sin_addr.s_addr = u32::from_ne_bytes(wanted.ip().octets());
        name.sin_port = wanted.port().to_be();
        check(libc::bind(fd, (&raw const name).cast(), name_bytes))?;
        check(libc::getsockname(fd, (&raw mut name).cast(), &raw mut name_bytes))?;
        Ok((socket, SocketAddr::from((*wanted.ip(), u16::from_be(name.sin_port)))))
    }
}
