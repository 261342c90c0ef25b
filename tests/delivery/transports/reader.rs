//! A reader of a Unix socket, in all manners in which one reads, or does not.

use std::io::{ErrorKind, Read};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::{pause, wait_until};

#[derive(Clone, Copy, Debug)]
pub enum Manner {
    Reads,
    /// Reads so many bytes and hangs up.
    Leaves(usize),
    /// Holds the connection and reads nothing.
    Deaf,
    /// The same until it is woken; then it reads.
    Sleeps,
}

/// Dropped, it is gone, and so is its socket.
pub struct Reader {
    path: PathBuf,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    ends: AtomicBool,
    is_awake: AtomicBool,
    /// What came, by connection, and the connections.
    came: Mutex<Vec<Vec<u8>>>,
    open: Mutex<Vec<UnixStream>>,
}

impl Reader {
    /// The manners of the first connections; the last is that of all others.
    pub fn start(path: &Path, manners: &[Manner]) -> Reader {
        let shared = Arc::<Shared>::default();
        let listener = UnixListener::bind(path).expect("a socket");
        listener.set_nonblocking(true).expect("a socket");
        let (for_thread, manners) = (Arc::clone(&shared), manners.to_vec());
        let run = move || accept(&listener, &for_thread, &manners);
        let acceptor = thread::Builder::new().name("reader".into()).spawn(run).expect("a thread");
        Reader { path: path.to_owned(), shared, acceptor: Some(acceptor) }
    }

    /// What came, by connection.
    pub fn came(&self) -> Vec<Vec<u8>> {
        self.shared.came.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn wake(&self) {
        self.shared.is_awake.store(true, SeqCst);
    }

    /// Waits until so many bytes came over all connections.
    pub fn wait_for(&self, bytes: usize) -> Vec<Vec<u8>> {
        wait_until(&format!("{bytes} bytes"), || self.came().concat().len() >= bytes);
        self.came()
    }

    pub fn wait_for_lines(&self, lines: usize) -> Vec<Vec<u8>> {
        let count = |came: Vec<u8>| came.iter().filter(|byte| **byte == b'\n').count();
        wait_until(&format!("{lines} lines"), || count(self.came().concat()) >= lines);
        self.came()
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.shared.ends.store(true, SeqCst);
        let _ = std::fs::remove_file(&self.path);
        if let Some(acceptor) = self.acceptor.take() {
            let ended = acceptor.join();
            assert!(ended.is_ok() || thread::panicking(), "the reader panicked");
        }
    }
}

fn accept(listener: &UnixListener, shared: &Arc<Shared>, manners: &[Manner]) {
    let mut workers = Vec::new();
    while !shared.ends.load(SeqCst) {
        let Ok((stream, _)) = listener.accept() else {
            pause(2);
            continue;
        };
        let mut came = shared.came.lock().expect("nobody panicked");
        let number = came.len();
        came.push(Vec::new());
        drop(came);
        let manner = *manners.get(number).or(manners.last()).expect("a manner");
        shared.open.lock().expect("nobody panicked").push(stream.try_clone().expect("a descriptor"));
        let shared = Arc::clone(shared);
        let run = move || read(stream, number, manner, &shared);
        workers.push(thread::Builder::new().name("reading".into()).spawn(run).expect("a thread"));
    }
    for stream in shared.open.lock().expect("nobody panicked").drain(..) {
        let _ = stream.shutdown(Shutdown::Both);
    }
    for worker in workers {
        worker.join().expect("a reading thread");
    }
}

fn read(mut stream: UnixStream, number: usize, manner: Manner, shared: &Shared) {
    let most = match manner {
        Manner::Reads | Manner::Sleeps => usize::MAX,
        Manner::Leaves(bytes) => bytes,
        Manner::Deaf => 0,
    };
    stream.set_nonblocking(false).expect("a socket");
    stream.set_read_timeout(Some(Duration::from_millis(20))).expect("a socket");
    let mut seen = 0;
    let mut buffer = [0; 16 << 10];
    while !shared.ends.load(SeqCst) {
        let is_asleep = matches!(manner, Manner::Sleeps) && !shared.is_awake.load(SeqCst);
        if is_asleep || matches!(manner, Manner::Deaf) {
            pause(5);
            continue;
        }
        let room = buffer.len().min(most - seen);
        if room == 0 {
            break;
        }
        match stream.read(&mut buffer[..room]) {
            Ok(0) => break,
            Ok(length) => {
                seen += length;
                let mut came = shared.came.lock().expect("nobody panicked");
                came[number].extend_from_slice(&buffer[..length]);
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => break,
        }
    }
    // The other handle would keep it open.
    if matches!(manner, Manner::Leaves(_)) {
        let _ = stream.shutdown(Shutdown::Both);
    }
}
