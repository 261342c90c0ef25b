//! What becomes of records for files while the disk is full, read-only or gone, and when it is back?
//!
//! Each time the chunk waits with the host, a line says what is wrong and where, and without a restart everything
//! arrives once. Disks of a size of their own need root to mount them; without, those tests say so.

use std::fs;
use std::path::Path;

use super::folder::{complete, ids_in, parts, whole_ids};
use super::small_disk::Disk;
use super::support::host::{Build, Code, MiniHost, files_of_at_most};
use super::support::value;
use super::{begin, chunk, deliver_at_last, ids, started};

fn endpoint(folder: &Path) -> String {
    format!("file://{}", folder.display())
}

/// The call fails in the middle of a batch; what is whole is given its name, and a new file takes the next.
#[test]
fn a_file_that_can_grow_no_more_is_completed_and_the_next_begun() {
    const MOST_BYTES: u64 = 40_000;
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let mut host = MiniHost::start_with(Build::V5_1_1, files_of_at_most(MOST_BYTES));
    begin(&mut host, "a", &endpoint(folder), &[("compress", "none"), ("file_max_age", "1h")]);
    let mut retries = 0;
    for start in (0..150).step_by(15) {
        retries += deliver_at_last(&mut host, &chunk(start..start + 15));
        let mut so_far = whole_ids(folder);
        so_far.sort();
        let mut wanted = ids(0..start + 15);
        wanted.sort();
        assert_eq!(so_far, wanted, "nothing is half there, nothing twice");
    }
    assert!(retries > 0, "it never was full");
    let line = host.wait_log("the disk took only a part");
    assert!(line.level == 2 && line.text.contains(&folder.display().to_string()), "{line:?}");
    let metrics = host.metrics_when(|metrics| value(metrics, "delivered_records_total") >= 150.0);
    assert!(value(&metrics, "request_retries_total") > 0.0);
    host.quit();
    assert_eq!(ids_in(folder), ids(0..150));
    let sizes = complete(folder).into_iter().map(|name| folder.join(name).metadata().expect("a file").len());
    assert!(sizes.max().is_some_and(|size| size <= MOST_BYTES));
}

#[test]
fn a_full_disk_is_waited_for() {
    let Some(disk) = Disk::mount() else { return };
    let folder = disk.path().join("out");
    fs::create_dir(&folder).expect("a folder");
    let mut host = started(&endpoint(&folder), &[("compress", "none"), ("file_max_age", "1h")]);
    assert_eq!(host.deliver("a", "t", &chunk(0..5)), Code::Ok);
    disk.fill();
    assert_eq!(host.deliver("a", "t", &chunk(5..105)), Code::Retry);
    assert!(host.wait_log("records wait").text.contains(&endpoint(&folder)));
    assert_eq!((ids_in(&folder), parts(&folder).len()), (ids(0..5), 0), "what is complete can be taken away");
    super::pause(1_100);
    assert_eq!(host.deliver("a", "t", &chunk(5..105)), Code::Retry, "still full");
    disk.make_room();
    deliver_at_last(&mut host, &chunk(0..105));
    host.quit();
    assert_eq!(ids_in(&folder), ids(0..105));
}

#[test]
fn a_disk_that_is_read_only_is_waited_for() {
    let Some(disk) = Disk::mount() else { return };
    // A file that is open for writing keeps a disk from becoming read-only.
    disk.remount("ro");
    let mut host = started(&endpoint(disk.path()), &[]);
    assert_eq!(host.deliver("a", "t", &chunk(0..5)), Code::Retry);
    assert!(host.wait_log("records wait").text.contains("Read-only file system"));
    disk.remount("rw");
    deliver_at_last(&mut host, &chunk(0..5));
    host.quit();
    assert_eq!(ids_in(disk.path()), ids(0..5));
}

#[test]
fn a_folder_that_is_gone_is_waited_for_and_one_that_never_was_is_an_error() {
    let outer = tempfile::tempdir().expect("a folder");
    let folder = outer.path().join("out");
    let mut host = MiniHost::start(Build::V5_1_1);
    host.set("none", "endpoint", endpoint(&folder));
    assert_ne!(host.init("none"), 1);
    let line = host.wait_log("endpoint: ");
    assert!(line.level == 1 && line.text.contains("expected a folder that exists"), "{line:?}");

    fs::create_dir(&folder).expect("a folder");
    begin(&mut host, "a", &endpoint(&folder), &[("file_max_age", "1h")]);
    assert_eq!(host.deliver("a", "t", &chunk(0..5)), Code::Ok);
    let taken = outer.path().join("taken");
    fs::rename(&folder, &taken).expect("a folder");
    assert_eq!(host.deliver("a", "t", &chunk(5..9)), Code::Retry);
    fs::create_dir(&folder).expect("a folder");
    deliver_at_last(&mut host, &chunk(0..9));
    host.quit();
    assert_eq!(ids_in(&folder), ids(5..9));
    assert_eq!(whole_ids(&taken), ids(0..5));
}
