//! What becomes of a file whose rights cannot be taken away, or that belongs to another user as soon as it is made?
//!
//! Both takes root: disks are mounted, and another user makes files.
#![allow(clippy::print_stdout, reason = "it says what is left out")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::thread;

use event_gateway::disk::{Access, existing, is_refused, new, new_for_group};

use super::small_disk::Disk;
use super::support::events;
use super::support::gateway::TestGateway;
use super::support::host::{Build, Code, MiniHost};
use super::things::SOMEBODY;

fn host(gateway: &TestGateway, ledger: &Path) -> MiniHost {
    let mut host = MiniHost::start(Build::V5_1_1);
    host.set("a", "endpoint", gateway.url()).set("a", "state_file", ledger.to_str().unwrap());
    assert_eq!(host.init("a"), 1);
    host
}

/// Others could write into it until now, and can go on.
#[test]
fn a_file_that_stays_open_to_others_is_not_used() {
    let Some(disk) = Disk::mount() else { return };
    let ledger = disk.path().join("ledger");
    let gateway = TestGateway::start();
    let mut first = host(&gateway, &ledger);
    assert_eq!(first.deliver("a", "t", &events(["u1"])), Code::Ok);
    first.quit();
    for (mode, delivered) in [(0o660, 1), (0o666, 2)] {
        fs::set_permissions(&ledger, PermissionsExt::from_mode(mode)).unwrap();
        disk.remount("ro");
        assert_eq!(existing(&ledger, Access::Read).is_ok(), mode == 0o660);
        let mut host = host(&gateway, &ledger);
        assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Ok);
        assert_eq!(gateway.accepted_ids().len(), delivered, "mode {mode:04o}");
        host.quit();
        disk.remount("rw");
    }
    fs::set_permissions(&ledger, PermissionsExt::from_mode(0o666)).unwrap();
    disk.remount("ro");
    let error = existing(&ledger, Access::Read).unwrap_err();
    assert!(
        is_refused(&error) && error.to_string().contains("other users may use it (mode 0666)"),
        "{error}"
    );
}

/// As on an NFS with root_squash, and on disks whose owner is an option of the mount.
#[test]
fn a_new_file_that_is_given_to_another_user_is_not_left_behind() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o777)).unwrap();
    let path = folder.path().join("file");
    // For this thread alone.
    let made = thread::spawn(move || {
        #[allow(unsafe_code)]
        // SAFETY: it changes nothing but who opens files on this thread.
        unsafe {
            libc::setfsuid(SOMEBODY);
            // It answers what it was before.
            if libc::setfsuid(SOMEBODY) != i32::try_from(SOMEBODY).unwrap() {
                println!("not tried: it takes root");
                return None;
            }
        }
        let made = [new(&path, Access::Write).map(drop), new_for_group(&path, Access::Append).map(drop)];
        Some((made, path.exists()))
    });
    let Some((made, is_there)) = made.join().unwrap() else { return };
    for error in made.map(Result::unwrap_err) {
        assert!(is_refused(&error) && error.to_string().contains("gives new files to user 65534"), "{error}");
    }
    assert!(!is_there);
}
