//! Does a host start, deliver and stop with a foreign thing at each path that the plugin writes, and leave it alone?

use std::path::{Path, PathBuf};
use std::thread;

use super::support::gateway::{Answer, TestGateway};
use super::support::host::{Build, Code, MiniHost};
use super::support::kube_api::KubeApi;
use super::support::service_impact::loaded;
use super::support::{PATIENT, events};
use super::things::{ALL, Planted, Thing, plant};

/// A gateway that never takes the record `bad`.
fn gateway() -> TestGateway {
    let gateway = TestGateway::start();
    gateway.respond_with(|request| {
        if request.ids().iter().any(|id| id == "bad.1") { Answer::status(422) } else { Answer::ok() }
    });
    gateway
}

struct Trial {
    thing: Thing,
    planted: Planted,
    path: PathBuf,
    host: MiniHost,
    gateway: TestGateway,
    _api: KubeApi,
    _folders: [tempfile::TempDir; 2],
}

/// A host whose files lie in one folder, with a thing at one name of it; and what its start answered. `None` where the
/// thing takes root.
fn trial(thing: Thing, name: &str) -> Option<(Trial, i32)> {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let folder = folders[0].path();
    let path = folder.join(name);
    let planted = plant(thing, &path, folders[1].path())?;
    let (gateway, api) = (gateway(), KubeApi::start());
    let mut host = MiniHost::start(Build::V5_1_1);
    let (ledger, letters) = (folder.join("ledger"), folder.join("letters"));
    let settings = [("state_file", &ledger), ("dead_letter_file", &letters)];
    host.set("a", "endpoint", gateway.url()).set("a", "correlate", "on").set("a", "kube_url", api.url());
    for (key, value) in settings.map(|(key, path)| (key, path.to_str().unwrap())).iter().chain(PATIENT) {
        host.set("a", key, value);
    }
    let started = host.init("a");
    Some((Trial { thing, planted, path, host, gateway, _api: api, _folders: folders }, started))
}

impl Trial {
    /// There is an ERROR that names the path, and says what it is.
    #[track_caller]
    fn is_logged(&self) {
        let line = self.host.wait_log(self.thing.words());
        let path = self.path.display().to_string();
        assert!(line.level == 1 && line.text.contains(&path), "{:?}: {line:?}", self.thing);
    }

    /// It stops, and the thing is as it was.
    fn ends(mut self) {
        self.host.quit();
        self.planted.is_as_it_was("after the stop");
    }
}

/// Side by side, as most of it is starting and waiting.
fn with_each(name: &'static str, ask: fn(Trial, i32)) {
    let asked = ALL.map(|thing| {
        thread::spawn(move || {
            if let Some((trial, started)) = trial(thing, name) {
                ask(trial, started);
            }
        })
    });
    for (thing, asked) in ALL.into_iter().zip(asked) {
        assert!(asked.join().is_ok(), "{thing:?} at {name}");
    }
}

fn goes_on(mut trial: Trial, started: i32) {
    assert_eq!(started, 1, "{:?}", trial.thing);
    assert_eq!(trial.host.deliver("a", "t", &events(["u1", "u2"])), Code::Ok);
    assert_eq!(trial.gateway.accepted_ids(), ["u1.1", "u2.1"]);
    trial.is_logged();
    trial.ends();
}

/// What can be no file is an error in the configuration. The rest is waited for.
fn goes_on_or_does_not_start(trial: Trial, started: i32) {
    if !trial.thing.is_no_file() {
        return goes_on(trial, started);
    }
    assert!(started < 1, "{:?}", trial.thing);
    trial.is_logged();
    trial.ends();
}

#[test]
fn nothing_planted_at_the_state_file_is_used() {
    with_each("ledger", goes_on_or_does_not_start);
}

#[test]
fn nothing_planted_where_a_new_state_file_is_made_is_used() {
    with_each("ledger.unfinished", goes_on);
}

#[test]
fn nothing_planted_at_the_saved_request_is_used() {
    with_each("ledger.in-flight", goes_on);
}

#[test]
fn nothing_planted_at_the_topology_is_used() {
    with_each("ledger.topology", |trial, started| {
        goes_on(trial, started);
    });
}

/// It is saved at the stop at the latest, and said then.
#[test]
fn nothing_planted_where_a_new_topology_is_made_is_used() {
    with_each("ledger.topology.new", |mut trial, started| {
        assert_eq!(started, 1);
        assert_eq!(trial.host.deliver("a", "t", &events(["u1"])), Code::Ok);
        trial.host.exit("a");
        trial.is_logged();
        assert!(!trial.path.with_extension("").exists(), "nothing has taken its place");
        trial.ends();
    });
}

#[test]
fn nothing_planted_at_the_dead_letters_is_used() {
    with_each("letters", |mut trial, started| {
        if trial.thing.is_no_file() {
            return goes_on_or_does_not_start(trial, started);
        }
        assert_eq!(started, 1, "{:?}", trial.thing);
        trial.is_logged();
        assert_eq!(trial.host.deliver("a", "t", &events(["u1", "bad"])), Code::Retry, "it waits");
        trial.planted.is_as_it_was("while a record waits");
        trial.planted.take_away();
        assert_eq!(trial.host.deliver("a", "t", &events(["u1", "bad"])), Code::Ok);
        let letters = std::fs::read_to_string(&trial.path).unwrap();
        assert_eq!(letters.lines().count(), 1, "{letters}");
        trial.host.quit();
    });
}

/// Something takes the place of a file that is in use.
#[test]
fn nothing_planted_at_files_that_are_in_use_is_used() {
    for thing in ALL {
        let spare = tempfile::tempdir().unwrap();
        let Some((mut trial, _)) = trial(Thing::Symlink, "unused") else { continue };
        let folder = trial.path.parent().unwrap().to_owned();
        assert_eq!(trial.host.deliver("a", "t", &events(["u1", "bad"])), Code::Ok);
        let mut planted = Vec::new();
        for name in ["ledger", "ledger.in-flight", "letters"] {
            std::fs::rename(folder.join(name), spare.path().join(name)).unwrap();
            let victims = tempfile::tempdir().unwrap();
            let Some(one) = plant(thing, &folder.join(name), victims.path()) else { continue };
            planted.push((one, victims));
        }
        if planted.is_empty() {
            continue;
        }
        assert_eq!(trial.host.deliver("a", "t", &events(["u2"])), Code::Ok, "{thing:?}");
        assert_eq!(trial.host.deliver("a", "t", &events(["u3", "u4"])), Code::Ok, "{thing:?}");
        trial.host.wait_log("was replaced while it was in use");
        trial.host.exit("a");
        let warnings = trial.host.logs().iter().filter(|line| line.text.contains(thing.words())).count();
        assert!(warnings > 0, "{thing:?}: {:?}", trial.host.logs());
        planted.iter().for_each(|(one, _)| one.is_as_it_was("in use"));
        trial.host.quit();
    }
}

/// A link to the very file that was moved: what is written goes where somebody else says.
#[test]
fn a_symlink_to_the_file_in_use_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, moved) = (folder.path().join("ledger"), folder.path().join("moved"));
    let gateway = gateway();
    let mut host = MiniHost::start(Build::V5_1_1);
    host.set("a", "endpoint", gateway.url()).set("a", "state_file", ledger.to_str().unwrap());
    assert_eq!(host.init("a"), 1);
    assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Ok);
    std::fs::rename(&ledger, &moved).unwrap();
    std::os::unix::fs::symlink("moved", &ledger).unwrap();
    assert_eq!(host.deliver("a", "t", &events(["u2"])), Code::Ok);
    host.wait_log("was replaced while it was in use");
    host.quit();
}

/// The filter's own.
#[test]
fn nothing_planted_at_the_state_file_of_the_filter_is_used() {
    for thing in ALL {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let path = folders[0].path().join("seen");
        let Some(planted) = plant(thing, &path, folders[1].path()) else { continue };
        let (mut host, _image) = loaded(Build::V5_1_1, |_| {});
        host.set_filter("f", "state_file", path.to_str().unwrap());
        let started = host.init_filter("f");
        assert_eq!(started != 0, thing.is_no_file(), "{thing:?}");
        if started == 0 {
            let one = events(["u1"]);
            host.filter_until_log("f", &one, thing.words());
        } else {
            host.wait_log(thing.words());
        }
        host.quit();
        planted.is_as_it_was("after the stop");
    }
}

/// Files of earlier runs are completed, and foreign ones are none.
#[test]
fn nothing_planted_in_the_folder_of_files_is_used() {
    const STEM: &str = "20261121T174415.123Z-000001-0123abcd";
    for thing in ALL {
        for end in [".part", ".ndjson"] {
            let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
            let path = |end: &str| folders[0].path().join(format!("{STEM}{end}"));
            let Some(planted) = plant(thing, &path(end), folders[1].path()) else { continue };
            if end != ".part" {
                std::fs::write(path(".part"), "{}\n").unwrap();
            }
            let mut host = MiniHost::start(Build::V5_1_1);
            host.set("a", "endpoint", format!("file://{}", folders[0].path().display()));
            host.set("a", "file_max_age", "1s");
            assert_eq!(host.init("a"), 1);
            assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Ok);
            warns_about_files(&host, thing, end, &path(end));
            host.quit();
            planted.is_as_it_was("after the stop");
        }
    }
}

fn warns_about_files(host: &MiniHost, thing: Thing, end: &str, path: &Path) {
    match end {
        ".ndjson" => drop(host.wait_log("already")),
        // What is no file at all is not looked at.
        _ if matches!(thing, Thing::HardLink | Thing::Foreign | Thing::ForeignAndWide) => {
            let line = host.wait_log(thing.words());
            assert!(line.level == 1 && line.text.contains(&path.display().to_string()), "{line:?}");
        }
        _ => {}
    }
}
