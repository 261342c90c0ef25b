//! Is nothing foreign opened, not even for a moment, and not even when it is put there between a look and an open?

use std::fs::{self, File, OpenOptions};
use std::io::Read;
use std::os::fd::FromRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use event_gateway::disk::{Access, FileId, existing, read};

use crate::things::{ALL, Thing, plant};

const TRIES: usize = 30_000;
/// For those that hang.
const BOUND: Duration = Duration::from_secs(120);
const EACH: [Access; 4] = [Access::Read, Access::Write, Access::ReadWrite, Access::Append];

/// Two names that change places all the time.
struct Exchange {
    stop: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Exchange {
    fn of(path: &Path, other: &Path) -> Exchange {
        let stop = Arc::new(AtomicBool::new(false));
        let (path, other, stopped) = (path.to_owned(), other.to_owned(), Arc::clone(&stop));
        let thread = thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                let flags = rustix::fs::RenameFlags::EXCHANGE;
                rustix::fs::renameat_with(rustix::fs::CWD, &path, rustix::fs::CWD, &other, flags).unwrap();
            }
        });
        Exchange { stop, thread: Some(thread) }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
    }
}

/// It is a file of ours by all that can be seen of it, and not the one that was named.
#[test]
fn a_symlink_that_comes_between_is_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("ours"), "ours").unwrap();
    fs::write(at("victim"), "victim").unwrap();
    symlink("victim", at("link")).unwrap();
    let victim = FileId::at(&at("victim")).unwrap();
    let _exchange = Exchange::of(&at("ours"), &at("link"));
    let mut opened = 0;
    for number in 0..TRIES {
        if let Ok(file) = existing(&at("ours"), EACH[number % 4]) {
            assert_ne!(FileId::of(&file.metadata().unwrap()), victim, "after {number}");
            opened += 1;
        }
    }
    assert!(opened > 0, "it never saw the file");
}

/// Runs it in a thread of its own, as it may hang.
fn ends(what: &'static str, work: impl FnOnce() + Send + 'static) {
    let (sender, receiver) = channel();
    let worker = thread::spawn(move || {
        work();
        let _ = sender.send(());
    });
    assert!(receiver.recv_timeout(BOUND).is_ok() || worker.is_finished(), "{what} hangs");
    worker.join().unwrap();
}

#[test]
fn a_fifo_that_comes_between_holds_nobody_up() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("ours"), "ours").unwrap();
    assert!(Command::new("mkfifo").arg(at("fifo")).status().unwrap().success());
    let path: PathBuf = at("ours");
    let _exchange = Exchange::of(&path, &at("fifo"));
    let own = path.clone();
    ends("opening", move || {
        (0..TRIES).for_each(|number| {
            if let Ok(file) = existing(&own, EACH[number % 4]) {
                assert!(file.metadata().unwrap().is_file());
            }
        });
    });
    ends("reading", move || {
        (0..TRIES).for_each(|_| {
            if let Ok(text) = read(&path, 100) {
                assert_eq!(text, b"ours", "it was read from a FIFO");
            }
        });
    });
}

/// Events of files that are opened.
fn opens(path: &Path) -> File {
    #[allow(unsafe_code)]
    // SAFETY: the name is a C string, and the descriptor is nobody else's.
    unsafe {
        let descriptor = libc::inotify_init1(libc::IN_NONBLOCK | libc::IN_CLOEXEC);
        assert!(descriptor >= 0);
        let name = std::ffi::CString::new(path.as_os_str().as_bytes()).unwrap();
        let flags = libc::IN_OPEN | libc::IN_DONT_FOLLOW;
        assert!(libc::inotify_add_watch(descriptor, name.as_ptr(), flags) >= 0);
        File::from_raw_fd(descriptor)
    }
}

/// Opening a device may do something, and opening a FIFO lets the one at its other end go on.
#[test]
fn what_is_no_file_is_not_even_opened() {
    for thing in ALL.into_iter().filter(|thing| thing.is_no_file()) {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let path = folders[0].path().join("file");
        let Some(_planted) = plant(thing, &path, folders[1].path()) else { continue };
        let mut watch = opens(&path);
        for access in EACH {
            existing(&path, access).unwrap_err();
        }
        read(&path, 100).unwrap_err();
        assert!(watch.read(&mut [0; 1_000]).is_err(), "{thing:?} was opened");
        // A check that cannot fail checks nothing.
        if matches!(thing, Thing::Fifo | Thing::Folder) {
            OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(&path).unwrap();
            assert!(watch.read(&mut [0; 1_000]).is_ok(), "{thing:?}");
        }
    }
}
