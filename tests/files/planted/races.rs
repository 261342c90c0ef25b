//! Is nothing foreign opened, not even for a moment, and not even when it is put there between a look and an open?

use std::fs::{self, File, OpenOptions};
use std::io::Read;
use std::os::fd::FromRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use event_gateway::disk::{Access, existing, is_refused, read, sync_folder};

use super::syscalls::{Call, Disk, Kind, Outcome, watching};
use super::things::{ALL, Thing, plant};

/// For those that hang.
const BOUND: Duration = Duration::from_secs(120);
const EACH: [Access; 4] = [Access::Read, Access::Write, Access::ReadWrite, Access::Append];

/// Puts another thing in the place of a file, after all looks at it and right before it is opened.
struct Exchange<F>(Option<F>);

impl<F: FnOnce()> Disk for Exchange<F> {
    fn before(&mut self, call: &Call<'_>) -> Outcome {
        if call.kind == Kind::Open
            && let Some(exchange) = self.0.take()
        {
            exchange();
        }
        Outcome::Happens
    }

    fn after(&mut self, _: &Call<'_>, _: i64) {}
}

/// Does the work in a thread of its own, as it may hang, while the named file gives way to the other.
fn exchanged<T: Send + 'static>(
    path: &Path,
    other: &Path,
    work: impl FnOnce(&Path) -> T + Send + 'static,
) -> T {
    let (sender, receiver) = channel();
    let (path, other) = (path.to_owned(), other.to_owned());
    thread::spawn(move || {
        let folder = path.parent().unwrap().to_owned();
        let (named, put) = (path.clone(), other);
        let exchange = Exchange(Some(move || fs::rename(put, named).unwrap()));
        let _ = sender.send(watching(&folder, exchange, || work(&path)));
    });
    receiver.recv_timeout(BOUND).expect("it hangs, or has panicked")
}

/// It is a file of ours by all that can be seen of it, and not the one that was named.
#[test]
fn a_symlink_that_comes_between_is_not_followed() {
    for access in EACH {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("ours"), "ours").unwrap();
        fs::write(at("victim"), "victim").unwrap();
        symlink("victim", at("link")).unwrap();
        let error = exchanged(&at("ours"), &at("link"), move |path| existing(path, access).unwrap_err());
        assert!(is_refused(&error) && error.to_string().contains("it is a symlink"), "{access:?}: {error}");
    }
}

#[test]
fn a_fifo_that_comes_between_holds_nobody_up() {
    for access in EACH.map(Some).into_iter().chain([None]) {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("ours"), "ours").unwrap();
        assert!(Command::new("mkfifo").arg(at("fifo")).status().unwrap().success());
        let result = exchanged(&at("ours"), &at("fifo"), move |path| match access {
            Some(access) => existing(path, access).map(drop),
            None => read(path, 100).map(drop),
        });
        let error = result.unwrap_err();
        // Nobody reads from it, so that it cannot be opened to be written.
        let is_reported = error.to_string().contains("not a regular file");
        assert!(is_reported || access == Some(Access::Write), "{access:?}: {error}");
    }
}

/// As a folder is opened to have its names written down.
#[test]
fn a_fifo_in_place_of_the_folder_holds_nobody_up() {
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let (sender, receiver) = channel();
    thread::spawn(move || sender.send(sync_folder(&fifo.join("file"))));
    let synced = receiver.recv_timeout(Duration::from_secs(20)).expect("it hangs");
    assert!(synced.is_err());
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
