//! A folder of a test's own, in memory where there is a place for it: there are thousands of them, and disks are slow.

pub fn tempdir() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a folder")
}
