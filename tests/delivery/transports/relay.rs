//! A Unix socket before a gateway: what comes in goes to its port, and back.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread::{self, JoinHandle};

use super::pause;

/// Dropped, it is gone, and so is its socket.
pub struct Relay {
    path: PathBuf,
    ends: Arc<AtomicBool>,
    acceptor: Option<JoinHandle<()>>,
}

impl Relay {
    pub fn start(path: &Path, port: u16) -> Relay {
        let listener = UnixListener::bind(path).expect("a socket");
        listener.set_nonblocking(true).expect("a socket");
        let ends = Arc::<AtomicBool>::default();
        let for_thread = Arc::clone(&ends);
        let run = move || accept(&listener, port, &for_thread);
        let acceptor = thread::Builder::new().name("relay".into()).spawn(run).expect("a thread");
        Relay { path: path.to_owned(), ends, acceptor: Some(acceptor) }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.ends.store(true, SeqCst);
        let _ = std::fs::remove_file(&self.path);
        if let Some(acceptor) = self.acceptor.take() {
            let ended = acceptor.join();
            assert!(ended.is_ok() || thread::panicking(), "the relay panicked");
        }
    }
}

fn accept(listener: &UnixListener, port: u16, ends: &AtomicBool) {
    let mut open: Vec<(UnixStream, TcpStream)> = Vec::new();
    let mut workers = Vec::new();
    while !ends.load(SeqCst) {
        let Ok((near, _)) = listener.accept() else {
            pause(2);
            continue;
        };
        near.set_nonblocking(false).expect("a socket");
        let Ok(far) = TcpStream::connect(("127.0.0.1", port)) else { continue };
        far.set_nodelay(true).expect("a socket");
        let pair = || (near.try_clone().expect("a descriptor"), far.try_clone().expect("a descriptor"));
        open.push(pair());
        for is_forth in [true, false] {
            let (mut near, mut far) = pair();
            let run = move || {
                if is_forth {
                    carry(&mut near, &mut far)
                } else {
                    carry(&mut far, &mut near)
                }
                let _ = near.shutdown(Shutdown::Both);
                let _ = far.shutdown(Shutdown::Both);
            };
            workers.push(thread::Builder::new().name("carrying".into()).spawn(run).expect("a thread"));
        }
    }
    for (near, far) in open {
        let _ = near.shutdown(Shutdown::Both);
        let _ = far.shutdown(Shutdown::Both);
    }
    for worker in workers {
        worker.join().expect("a carrying thread");
    }
}

fn carry(from: &mut impl Read, to: &mut impl Write) {
    let mut buffer = [0; 16 << 10];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        if to.write_all(&buffer[..length]).is_err() {
            return;
        }
    }
}
