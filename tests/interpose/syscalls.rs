//! Stands between a test's thread and the kernel where files are concerned.
//!
//! The functions at the end have the names of libc's, so that the linker gives them to std and to whatever
//! uses std. A thread that watches a folder sees every call on the files in it, may change its outcome, and
//! learns the result; for all other threads and files they do what libc does.
#![allow(unsafe_code, dead_code, reason = "these are C's; each test binary uses its own part")]

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::{CStr, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use libc::{c_char, c_int, c_long, c_uint, c_void, off64_t, size_t, ssize_t};

/// What is asked of the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    Open,
    Read,
    Write,
    Truncate,
    Sync,
    Stat,
    Lock,
    Rename,
    Unlink,
}

/// A call on a file or folder that is watched.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    pub kind: Kind,
    /// The name it was opened by, or that is named.
    pub path: &'a Path,
    /// The new name of a rename.
    pub to: Option<&'a Path>,
    /// `None` for what is appended.
    pub offset: Option<u64>,
    /// What is to be written.
    pub bytes: &'a [u8],
    /// The length of a truncation, a read or a write.
    pub len: u64,
    /// Whether an open may make the file.
    pub makes: bool,
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Happens,
    Fails(c_int),
    /// A read or write takes only so many bytes.
    Short(u64),
}

/// Who watches.
pub trait Disk {
    fn before(&mut self, call: &Call<'_>) -> Outcome;
    /// `result` is what the kernel gave: negative when it failed.
    fn after(&mut self, call: &Call<'_>, result: i64);
}

struct Watch {
    folder: PathBuf,
    open: HashMap<c_int, PathBuf>,
    disk: Box<dyn Disk>,
}

thread_local! {
    static WATCH: RefCell<Option<Watch>> = const { RefCell::new(None) };
}

/// Runs the work while a disk watches the folder, on this thread. Descriptors opened before stay unseen.
pub fn watching<T>(folder: &Path, disk: impl Disk + 'static, work: impl FnOnce() -> T) -> T {
    struct Ends;
    impl Drop for Ends {
        fn drop(&mut self) {
            let watch = WATCH.with(|watch| watch.borrow_mut().take());
            drop(watch);
        }
    }
    let watch = Watch { folder: folder.to_owned(), open: HashMap::new(), disk: Box::new(disk) };
    let before = WATCH.with(|place| place.borrow_mut().replace(watch));
    assert!(before.is_none(), "one disk at a time");
    let _ends = Ends;
    work()
}

/// What a call is about.
enum What<'a> {
    Open(c_int),
    Path(&'a Path),
}

/// Asks the one who watches, if it is his; then does it and tells him. `run` is given the length.
fn on(what: &What<'_>, call: &Call<'_>, run: impl Fn(u64) -> c_long) -> c_long {
    // What the watcher does itself is not watched: the cell is borrowed then.
    let asked = WATCH.try_with(|watch| {
        let mut watch = watch.try_borrow_mut().ok()?;
        let Watch { folder, open, disk } = watch.as_mut()?;
        let path = match what {
            What::Open(fd) => open.get(fd)?.clone(),
            What::Path(path) => path.starts_with(folder).then(|| path.to_path_buf())?,
        };
        let outcome = disk.before(&Call { path: &path, ..*call });
        Some((path, outcome))
    });
    let Ok(Some((path, outcome))) = asked else { return run(call.len) };
    let result = match outcome {
        Outcome::Happens => run(call.len),
        Outcome::Short(len) => run(len.min(call.len)),
        Outcome::Fails(errno) => {
            set_errno(errno);
            -1
        }
    };
    let errno = errno();
    let _ = WATCH.try_with(|watch| {
        if let Some(Watch { open, disk, .. }) = &mut *watch.borrow_mut() {
            if result >= 0 {
                follow(open, &path, call, result);
            }
            disk.after(&Call { path: &path, ..*call }, result);
        }
    });
    set_errno(errno);
    result
}

/// Keeps the names of what is open; what has lost its own gets one that nothing has.
fn follow(open: &mut HashMap<c_int, PathBuf>, path: &Path, call: &Call<'_>, result: c_long) {
    let lost = |name: &Path| name.with_file_name("(nothing)");
    match call.kind {
        Kind::Open => drop(open.insert(c_int::try_from(result).expect("a descriptor"), path.to_owned())),
        Kind::Unlink => open.values_mut().filter(|name| *name == path).for_each(|name| *name = lost(name)),
        Kind::Rename => {
            let to = call.to.expect("a new name");
            open.values_mut().filter(|name| *name == to).for_each(|name| *name = lost(name));
            open.values_mut().filter(|name| *name == path).for_each(|name| *name = to.to_owned());
        }
        _ => {}
    }
}

fn errno() -> c_int {
    // SAFETY: it is this thread's own.
    unsafe { *libc::__errno_location() }
}

fn set_errno(errno: c_int) {
    // SAFETY: it is this thread's own.
    unsafe { *libc::__errno_location() = errno };
}

fn call(kind: Kind) -> Call<'static> {
    let path = Path::new("");
    Call { kind, path, to: None, offset: None, bytes: &[], len: 0, makes: false }
}

/// # Safety
/// It is a C string that outlives the call, or null.
unsafe fn path<'a>(text: *const c_char) -> &'a Path {
    if text.is_null() {
        return Path::new("");
    }
    // SAFETY: as above.
    Path::new(OsStr::from_bytes(unsafe { CStr::from_ptr(text) }.to_bytes()))
}

/// # Safety
/// As for write(2).
unsafe fn bytes<'a>(from: *const c_void, len: size_t) -> &'a [u8] {
    if len == 0 {
        return &[];
    }
    // SAFETY: as above.
    unsafe { std::slice::from_raw_parts(from.cast(), len) }
}

macro_rules! calls {
    ($($(#[$about:meta])* fn $name:ident($($argument:ident: $type:ty),*) -> $result:ty $body:block)*) => {
        $(
            /// # Safety
            /// As for the function of libc with this name.
            #[unsafe(no_mangle)]
            $(#[$about])*
            pub unsafe extern "C" fn $name($($argument: $type),*) -> $result {
                // SAFETY: the arguments are the caller's, who minds libc's rules.
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "as libc does")]
                unsafe { ($body) as $result }
            }
        )*
    };
}

calls! {
    fn open64(name: *const c_char, flags: c_int, mode: c_uint) -> c_int {
        let call = Call { makes: flags & libc::O_CREAT != 0, ..call(Kind::Open) };
        on(&What::Path(path(name)), &call, |_| {
            let fd = libc::syscall(libc::SYS_openat, libc::AT_FDCWD, name, flags | libc::O_LARGEFILE, mode);
            // A number that was watched may come back for what is not.
            if let Ok(fd) = c_int::try_from(fd) {
                forget(fd);
            }
            fd
        })
    }
    fn close(fd: c_int) -> c_int {
        forget(fd);
        libc::syscall(libc::SYS_close, fd)
    }
    fn pread64(fd: c_int, into: *mut c_void, len: size_t, offset: off64_t) -> ssize_t {
        let call = Call { len: len as u64, offset: Some(offset as u64), ..call(Kind::Read) };
        on(&What::Open(fd), &call, |len| libc::syscall(libc::SYS_pread64, fd, into, len as size_t, offset))
    }
    fn read(fd: c_int, into: *mut c_void, len: size_t) -> ssize_t {
        let call = Call { len: len as u64, ..call(Kind::Read) };
        on(&What::Open(fd), &call, |len| libc::syscall(libc::SYS_read, fd, into, len as size_t))
    }
    fn pwrite64(fd: c_int, from: *const c_void, len: size_t, offset: off64_t) -> ssize_t {
        let call =
            Call { len: len as u64, offset: Some(offset as u64), bytes: bytes(from, len), ..call(Kind::Write) };
        on(&What::Open(fd), &call, |len| libc::syscall(libc::SYS_pwrite64, fd, from, len as size_t, offset))
    }
    fn write(fd: c_int, from: *const c_void, len: size_t) -> ssize_t {
        let call = Call { len: len as u64, bytes: bytes(from, len), ..call(Kind::Write) };
        on(&What::Open(fd), &call, |len| libc::syscall(libc::SYS_write, fd, from, len as size_t))
    }
    fn ftruncate64(fd: c_int, len: off64_t) -> c_int {
        let call = Call { len: len as u64, ..call(Kind::Truncate) };
        on(&What::Open(fd), &call, |_| libc::syscall(libc::SYS_ftruncate, fd, len))
    }
    fn fdatasync(fd: c_int) -> c_int {
        on(&What::Open(fd), &call(Kind::Sync), |_| libc::syscall(libc::SYS_fdatasync, fd))
    }
    fn fsync(fd: c_int) -> c_int {
        on(&What::Open(fd), &call(Kind::Sync), |_| libc::syscall(libc::SYS_fsync, fd))
    }
    fn statx(at: c_int, name: *const c_char, flags: c_int, mask: c_uint, into: *mut libc::statx) -> c_int {
        let named = path(name);
        let what = if named.as_os_str().is_empty() { What::Open(at) } else { What::Path(named) };
        on(&what, &call(Kind::Stat), |_| libc::syscall(libc::SYS_statx, at, name, flags, mask, into))
    }
    fn flock(fd: c_int, operation: c_int) -> c_int {
        on(&What::Open(fd), &call(Kind::Lock), |_| libc::syscall(libc::SYS_flock, fd, operation))
    }
    /// Not variadic, as Rust cannot make such; the third argument comes in the same register.
    fn fcntl(fd: c_int, command: c_int, argument: *mut c_void) -> c_int {
        on(&What::Open(fd), &call(Kind::Lock), |_| libc::syscall(libc::SYS_fcntl, fd, command, argument))
    }
    fn rename(from: *const c_char, to: *const c_char) -> c_int {
        let call = Call { to: Some(path(to)), ..call(Kind::Rename) };
        on(&What::Path(path(from)), &call, |_| {
            libc::syscall(libc::SYS_renameat2, libc::AT_FDCWD, from, libc::AT_FDCWD, to, 0)
        })
    }
    fn unlink(name: *const c_char) -> c_int {
        on(&What::Path(path(name)), &call(Kind::Unlink), |_| {
            libc::syscall(libc::SYS_unlinkat, libc::AT_FDCWD, name, 0)
        })
    }
}

fn forget(fd: c_int) {
    let _ = WATCH.try_with(|watch| {
        if let Ok(mut watch) = watch.try_borrow_mut()
            && let Some(watch) = watch.as_mut()
        {
            watch.open.remove(&fd);
        }
    });
}
