//! Is there one line about folders into which others may write?

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;

use event_gateway::disk::not_private;

use super::support::gateway::TestGateway;
use super::support::host::{Build, LogLine, MiniHost};
use super::support::service_impact::loaded;
use super::things::SOMEBODY;

const WORDS: &str = "others can replace the files of this plugin there";

fn set_mode(folder: &Path, mode: u32) {
    fs::set_permissions(folder, PermissionsExt::from_mode(mode)).unwrap();
}

#[test]
fn a_folder_is_private_unless_others_may_exchange_what_is_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("inner");
    fs::create_dir(&inner).unwrap();
    symlink("inner", folder.path().join("link")).unwrap();
    // Modes of the folder, and of the one above.
    for (mode, above, is_private) in [
        (0o700, 0o700, true),
        (0o755, 0o755, true),
        (0o2770, 0o755, true),
        (0o1777, 0o1777, true),
        (0o777, 0o700, false),
        (0o2777, 0o700, false),
        (0o702, 0o700, false),
        (0o700, 0o777, false),
    ] {
        set_mode(&inner, mode);
        set_mode(folder.path(), above);
        for name in ["inner", "link", "link/../inner"] {
            let warning = not_private(&[&folder.path().join(name)]);
            assert_eq!(warning.is_none(), is_private, "{mode:04o} in {above:04o}: {warning:?}");
        }
    }
    set_mode(folder.path(), 0o700);
    if chown(&inner, Some(SOMEBODY), None).is_ok() {
        assert!(not_private(&[&inner]).is_some_and(|warning| warning.contains("belongs to user 65534")));
    }
    assert_eq!(not_private(&[&folder.path().join("missing")]), None, "whoever opens a file there says it");
}

/// Another one takes its place, and leads to another folder.
#[test]
fn a_symlink_on_the_way_that_others_may_exchange_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for name in ["shared", "private", "private/state"] {
        fs::create_dir(at(name)).unwrap();
        set_mode(&at(name), 0o700);
    }
    // A link to a link in the shared folder, and that to a private one.
    symlink(at("private"), at("shared/link")).unwrap();
    symlink("shared/link", at("link")).unwrap();
    symlink("loop", at("loop")).unwrap();
    for (shared, is_private) in [(0o700, true), (0o1777, true), (0o777, false)] {
        set_mode(&at("shared"), shared);
        for name in ["shared/link", "shared/link/state", "link", "link/state", "private/../link/state"] {
            let said = not_private(&[&at(name)]);
            assert_eq!(said.is_none(), is_private, "{name} by {shared:04o}: {said:?}");
        }
        assert_eq!(not_private(&[&at("private/state"), &at("loop")]), None, "it leads nowhere through it");
    }
}

/// He may rename what is in it, the sticky bit or not.
#[test]
fn the_owner_of_a_folder_above_may_exchange_it() {
    let folder = tempfile::tempdir().unwrap();
    let above = folder.path().join("above");
    fs::create_dir_all(above.join("inner/state")).unwrap();
    if chown(&above, Some(SOMEBODY), None).is_err() {
        return; // That takes root.
    }
    for mode in [0o755, 0o1755] {
        set_mode(&above, mode);
        let said = not_private(&[&above.join("inner/state")]).unwrap();
        assert!(said.contains("above belongs to user 65534"), "{said}");
    }
}

fn lines(host: &MiniHost) -> Vec<LogLine> {
    host.logs().into_iter().filter(|line| line.text.contains(WORDS)).collect()
}

#[test]
fn a_start_says_it_once_for_all_folders() {
    let (state, letters) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for is_private in [true, false] {
        for folder in [&state, &letters] {
            set_mode(folder.path(), if is_private { 0o700 } else { 0o777 });
        }
        let gateway = TestGateway::start();
        let mut host = MiniHost::start(Build::V5_1_1);
        host.set("a", "endpoint", gateway.url());
        host.set("a", "state_file", state.path().join("ledger").to_str().unwrap());
        host.set("a", "dead_letter_file", letters.path().join("letters").to_str().unwrap());
        assert_eq!(host.init("a"), 1);
        host.quit();
        let lines = lines(&host);
        assert_eq!(lines.len(), usize::from(!is_private), "{lines:?}");
        for line in lines {
            let both = [&state, &letters].map(|folder| folder.path().display().to_string());
            assert!(line.level == 2 && both.iter().all(|folder| line.text.contains(folder)), "{line:?}");
        }
    }
}

#[test]
fn the_folder_of_files_and_the_filters_are_reported_as_well() {
    let folder = tempfile::tempdir().unwrap();
    set_mode(folder.path(), 0o777);
    let mut host = MiniHost::start(Build::V5_1_1);
    host.set("a", "endpoint", format!("file://{}", folder.path().display()));
    assert_eq!(host.init("a"), 1);
    host.quit();
    assert_eq!(lines(&host).len(), 1);

    let (mut host, _image) = loaded(Build::V5_1_1, |_| {});
    host.set_filter("f", "state_file", folder.path().join("seen").to_str().unwrap());
    assert_eq!(host.init_filter("f"), 0);
    host.quit();
    assert_eq!(lines(&host).len(), 1);
}
