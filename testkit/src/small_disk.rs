//! A disk of a size of its own, really full or read-only when a test says so. It needs root to mount it.
#![allow(clippy::print_stdout, reason = "it says what is left out")]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

/// A disk in memory with its own size, gone with this.
pub struct Disk {
    folder: tempfile::TempDir,
}

impl Disk {
    /// `None` where mounting is not permitted.
    pub fn mount() -> Option<Disk> {
        let folder = tempfile::tempdir().expect("a folder");
        let is_mounted = mount(&["-t", "tmpfs", "-o", "size=1m", "tmpfs"], folder.path());
        if !is_mounted {
            println!("not tried: mounting is not permitted");
        }
        is_mounted.then_some(Disk { folder })
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn remount(&self, how: &str) {
        assert!(mount(&["-o", &format!("remount,{how}")], self.path()), "remounting {how}");
    }

    /// Takes all the room there is.
    pub fn fill(&self) {
        let mut ballast = fs::File::create(self.path().join("ballast")).expect("a file");
        while ballast.write(&[1; 4096]).is_ok() {}
    }

    pub fn make_room(&self) {
        fs::remove_file(self.path().join("ballast")).expect("the ballast");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily, as a host that the test has left running holds it.
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

fn mount(arguments: &[&str], folder: &Path) -> bool {
    let output = Command::new("mount").args(arguments).arg(folder).output();
    output.is_ok_and(|output| output.status.success())
}
