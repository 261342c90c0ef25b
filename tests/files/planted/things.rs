//! What may lie at the path of a file, put there by somebody else, and whether it is as it was.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;

/// nobody.
pub const SOMEBODY: u32 = 65_534;
const SECRET: &str = "what is in it is nobody's business\n";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thing {
    Symlink,
    DanglingSymlink,
    SymlinkToItself,
    HardLink,
    Fifo,
    Folder,
    Socket,
    /// Needs root.
    Device,
    /// Needs root.
    Foreign,
    /// Needs root.
    ForeignAndWide,
}

use Thing::{
    DanglingSymlink, Device, Fifo, Folder, Foreign, ForeignAndWide, HardLink, Socket, Symlink,
    SymlinkToItself,
};

pub const ALL: [Thing; 10] = [
    Symlink,
    DanglingSymlink,
    SymlinkToItself,
    HardLink,
    Fifo,
    Folder,
    Socket,
    Device,
    Foreign,
    ForeignAndWide,
];

impl Thing {
    /// Whether it can be no file at all, so that the path is an error.
    pub fn is_no_file(self) -> bool {
        matches!(self, Fifo | Folder | Socket | Device)
    }

    /// What a line says of it.
    pub fn words(self) -> &'static str {
        match self {
            Symlink | DanglingSymlink | SymlinkToItself => "it is a symlink",
            HardLink => "it has 2 hard links",
            Fifo => "it is a FIFO",
            Folder => "it is a directory",
            Socket => "it is a socket",
            Device => "it is a device",
            Foreign | ForeignAndWide => "it belongs to user 65534",
        }
    }
}

/// A thing at a path, and the file of a victim that it may lead to.
pub struct Planted {
    thing: Thing,
    path: PathBuf,
    victim: PathBuf,
    seen: String,
    _socket: Option<UnixListener>,
}

/// `None` where it takes root, and we are not.
pub fn plant(thing: Thing, path: &Path, elsewhere: &Path) -> Option<Planted> {
    let victim = elsewhere.join("victim");
    fs::write(&victim, SECRET).unwrap();
    let mut socket = None;
    match thing {
        Symlink => symlink(&victim, path).unwrap(),
        DanglingSymlink => symlink(elsewhere.join("missing"), path).unwrap(),
        SymlinkToItself => symlink(path.file_name().unwrap(), path).unwrap(),
        HardLink => fs::hard_link(&victim, path).unwrap(),
        Fifo => assert!(Command::new("mkfifo").arg(path).status().unwrap().success()),
        Folder => fs::create_dir(path).unwrap(),
        Socket => socket = Some(UnixListener::bind(path).unwrap()),
        Device => {
            let made = Command::new("mknod").arg(path).args(["c", "1", "3"]).output().unwrap();
            if !made.status.success() {
                return None;
            }
        }
        Foreign | ForeignAndWide => {
            fs::write(path, SECRET).unwrap();
            let mode = if thing == Foreign { 0o600 } else { 0o666 };
            fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
            if chown(path, Some(SOMEBODY), None).is_err() {
                fs::remove_file(path).unwrap();
                return None;
            }
        }
    }
    let (path, seen) = (path.to_owned(), String::new());
    let mut planted = Planted { thing, path, victim, seen, _socket: socket };
    planted.seen = planted.look();
    Some(planted)
}

impl Planted {
    fn look(&self) -> String {
        let of = |path: &Path| {
            fs::symlink_metadata(path).map(|metadata| {
                // Looks of our own change the time of access, so that is left out.
                (
                    metadata.ino(),
                    metadata.mode(),
                    metadata.uid(),
                    metadata.nlink(),
                    metadata.len(),
                    metadata.ctime_nsec(),
                )
            })
        };
        let content = fs::read_to_string(&self.victim);
        let missing = fs::symlink_metadata(self.victim.with_file_name("missing")).is_ok();
        let names = if self.thing == Folder { fs::read_dir(&self.path).unwrap().count() } else { 0 };
        format!("{:?} {:?} {content:?} {missing} {names}", of(&self.path), of(&self.victim))
    }

    /// Neither it nor what it leads to was touched.
    #[track_caller]
    pub fn is_as_it_was(&self, what: &str) {
        assert_eq!(self.look(), self.seen, "{what}: {:?} at {}", self.thing, self.path.display());
    }

    pub fn take_away(&self) {
        let remove = if self.thing == Folder { fs::remove_dir } else { fs::remove_file::<&Path> };
        remove(&self.path).unwrap();
    }
}
