//! Does the one way to open a file take a file of ours alone, and with what rights?

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use event_gateway::disk::{
    Access, existing, existing_or_new, free_name, in_place_of_leftover, is_refused, new, new_for_group, read,
    remove_own, rename_over,
};

use super::things::{ALL, Thing, plant};

const EACH: [Access; 4] = [Access::Read, Access::Write, Access::ReadWrite, Access::Append];

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o777
}

#[test]
fn what_is_not_a_file_of_ours_is_refused_in_words_and_stays_as_it_was() {
    for thing in ALL {
        let folder = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let Some(planted) = plant(thing, &path, elsewhere.path()) else { continue };
        let ours = folder.path().join("ours");
        fs::write(&ours, "ours").unwrap();
        let mut results = Vec::new();
        for access in EACH {
            results.push(existing(&path, access).map(drop));
            results.push(existing_or_new(&path, access).map(drop));
        }
        results.push(in_place_of_leftover(&path).map(drop));
        results.push(remove_own(&path));
        results.push(rename_over(&ours, &path));
        for (number, result) in results.into_iter().enumerate() {
            let error = result.unwrap_err();
            assert!(is_refused(&error), "{thing:?}, {number}: {error}");
            assert!(error.to_string().contains(thing.words()), "{thing:?}, {number}: {error}");
        }
        assert!(new(&path, Access::Write).is_err() && new_for_group(&path, Access::Append).is_err());
        planted.is_as_it_was("opened");
        assert_eq!(fs::read_to_string(&ours).unwrap(), "ours");
    }
}

#[test]
fn a_new_file_is_for_its_owner_and_one_for_others_for_its_group() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    new(&at("new"), Access::Append).unwrap().write_all(b"x").unwrap();
    existing_or_new(&at("either"), Access::ReadWrite).unwrap();
    in_place_of_leftover(&at("fresh")).unwrap();
    new_for_group(&at("group"), Access::Append).unwrap();
    assert_eq!(["new", "either", "fresh"].map(|name| mode(&at(name))), [0o600; 3]);
    assert_eq!(mode(&at("group")) & 0o137, 0, "what the umask leaves of 0640");
}

#[test]
fn the_rights_of_others_are_taken_away_and_those_of_the_group_stay() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, "ours").unwrap();
    for (before, after) in [
        (0o600, 0o600),
        (0o660, 0o660),
        (0o664, 0o660),
        (0o666, 0o660),
        (0o644, 0o640),
        (0o777, 0o770),
        (0o602, 0o600),
    ] {
        for access in EACH {
            fs::set_permissions(&path, PermissionsExt::from_mode(before)).unwrap();
            existing(&path, access).unwrap();
            assert_eq!(mode(&path), after, "{before:o}");
        }
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), "ours");
}

#[test]
fn a_leftover_of_ours_gives_way_and_a_file_of_ours_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let (leftover, path) = (folder.path().join("file.new"), folder.path().join("file"));
    fs::write(&path, "before").unwrap();
    fs::write(&leftover, "a crash left more than there is to write").unwrap();
    fs::set_permissions(&leftover, PermissionsExt::from_mode(0o666)).unwrap();
    // Who has it open still writes into nothing.
    let mut held = File::options().append(true).open(&leftover).unwrap();
    in_place_of_leftover(&leftover).unwrap().write_all(b"new").unwrap();
    held.write_all(b"and more").unwrap();
    rename_over(&leftover, &path).unwrap();
    assert_eq!((fs::read_to_string(&path).unwrap(), mode(&path)), ("new".to_owned(), 0o600));
    assert!(!leftover.exists());
    remove_own(&path).unwrap();
    remove_own(&path).unwrap();
}

/// More than one file may be moved aside within a second, and a planted name must not get what was there.
#[test]
fn a_name_that_something_has_is_not_free() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("aside");
    for expected in ["aside", "aside-1", "aside-2"] {
        let free = free_name(path.clone());
        assert_eq!(free, folder.path().join(expected));
        std::os::unix::fs::symlink("missing", free).unwrap();
    }
}

/// They are symlinks of the kubelet's.
#[test]
fn what_is_only_read_may_be_a_symlink_and_nothing_else_that_is_no_file() {
    for thing in ALL {
        let folder = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let Some(planted) = plant(thing, &path, elsewhere.path()) else { continue };
        let is_read =
            matches!(thing, Thing::Symlink | Thing::HardLink | Thing::Foreign | Thing::ForeignAndWide);
        assert_eq!(read(&path, 1_000).is_ok(), is_read, "{thing:?}");
        assert!(read(&path, 3).is_err(), "{thing:?}");
        planted.is_as_it_was("read");
    }
    assert!(read(Path::new("/dev/zero"), 10).is_err());
    let mut text = String::new();
    File::open("/proc/self/status").unwrap().read_to_string(&mut text).unwrap();
    assert!(!read(Path::new("/proc/self/status"), 100_000).unwrap().is_empty(), "a file without a length");
}
