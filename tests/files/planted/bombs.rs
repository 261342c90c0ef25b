//! Is what a start takes from a file bounded, whatever somebody has written there?
//!
//! A few hundred KiB that unpack to hundreds of MiB, objects without number, lines without end; and a ledger that is
//! changed in any place. Each is refused or moved aside with a line, in bounded memory.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use event_gateway::cluster::snapshot_file;
use event_gateway::log::HostLog;
use event_gateway::topology::kind::ObjectKind;
use event_gateway::topology::parse::Parser;
use event_gateway::topology::writer::IndexWriter;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::support::gateway::TestGateway;
use super::support::host::{Build, Code, MiniHost};
use super::support::kube_api::KubeApi;
use super::support::{PATIENT, events};

const HEADER: &str = "{\"format\":\"event_gateway topology\",\"version\":2,\"saved_seconds\":1}\n";

fn packed(path: &Path, level: Compression, mut write: impl FnMut(&mut dyn Write)) {
    let mut packed = GzEncoder::new(File::create(path).unwrap(), level);
    packed.write_all(HEADER.as_bytes()).unwrap();
    write(&mut packed);
    packed.finish().unwrap();
}

/// A pod as the API server has many of, with a uid that is like no other.
fn pod(number: u64) -> String {
    let random = |salt: u64| {
        (number ^ salt).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29).wrapping_mul(salt | 1)
    };
    let (one, other) = (random(0x1234_5677), random(0xabcd_ef01));
    format!(
        r#"{{"kind":"Pod","apiVersion":"v1","metadata":{{"name":"cart-7d4b9c-{:05x}","namespace":"shop",
        "uid":"{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}","resourceVersion":"{number}",
        "creationTimestamp":"2026-11-20T23:28:49Z","labels":{{"app":"cart","pod-template-hash":"7d4b9c"}},
        "ownerReferences":[{{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"cart-7d4b9c","controller":true,
        "uid":"11111111-2222-4333-a444-555555555555"}}]}},"spec":{{"nodeName":"node-{}"}}}}"#,
        one & 0xf_ffff,
        one >> 32,
        one & 0xffff,
        other & 0xfff,
        other >> 52,
        other & 0xffff_ffff_ffff,
        number % 500,
    )
}

fn writer(pods: u64) -> IndexWriter {
    let mut parser = Parser::new(ObjectKind::Pod, event_gateway::pattern::Patterns::default());
    let mut writer = IndexWriter::new(3_600);
    for number in 1..=pods {
        writer.put(parser.object(pod(number).as_bytes()).unwrap().into());
    }
    writer
}

/// Pods of one Deployment are as alike as objects can be.
#[test]
fn a_cluster_of_objects_that_are_all_alike_is_restored() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ledger.topology");
    let pods = 60_000;
    snapshot_file::save(&file, &writer(pods).snapshot(), 1_800_000_000).unwrap();
    let mut restored = IndexWriter::new(3_600);
    snapshot_file::restore(&file, &mut restored, 1_800_000_000, &HostLog::default());
    assert_eq!(restored.len() as u64, pods);
}

/// One that is too long is left out, and costs no other.
#[test]
fn an_object_that_is_too_long_to_be_read_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ledger.topology");
    let mut writer = writer(2);
    let long = pod(3).replace("\"app\":\"cart\"", &format!("\"app\":\"{}\"", "x".repeat(3 << 20)));
    let mut parser = Parser::new(ObjectKind::Pod, event_gateway::pattern::Patterns::default());
    writer.put(parser.object(long.as_bytes()).unwrap().into());
    assert_eq!(writer.len(), 3);
    snapshot_file::save(&file, &writer.snapshot(), 1_800_000_000).unwrap();
    let mut restored = IndexWriter::new(3_600);
    snapshot_file::restore(&file, &mut restored, 1_800_000_000, &HostLog::default());
    assert_eq!(restored.len(), 2);
}

/// S7: what is small in the folder is large in memory.
#[test]
fn a_start_gets_over_each_bomb_in_bounded_memory() {
    let written = tempfile::tempdir().unwrap();
    let good = written.path().join("good");
    snapshot_file::save(&good, &writer(1).snapshot(), 1).unwrap();
    let mut text = String::new();
    let unpacked = flate2::read::GzDecoder::new(File::open(&good).unwrap());
    std::io::BufRead::lines(std::io::BufReader::new(unpacked))
        .skip(1)
        .for_each(|line| text += &line.unwrap());
    let object = text.clone() + "\n";
    let label = format!("{{\"name\":\"l\",\"value\":\"{}\",\"key\":7}}", "v".repeat(1 << 20));
    let large = text.replace("\"labels\":[", &format!("\"labels\":[{label},")) + "\n";
    assert_ne!(large.len(), object.len());
    type Bomb<'a> = (&'a str, &'a dyn Fn(&mut dyn Write));
    let bombs: [Bomb<'_>; 5] = [
        ("objects", &|into| (0..2_200_000).for_each(|_| into.write_all(object.as_bytes()).unwrap())),
        ("large objects", &|into| (0..732).for_each(|_| into.write_all(large.as_bytes()).unwrap())),
        ("empty lines", &|into| (0..732).for_each(|_| into.write_all(&vec![b'\n'; 1 << 20]).unwrap())),
        ("one line", &|into| (0..732).for_each(|_| into.write_all(&vec![b' '; 1 << 20]).unwrap())),
        ("an array", &|into| {
            into.write_all(b"{\"object\":[").unwrap();
            (0..732).for_each(|_| into.write_all(&b"[],".repeat(300_000)).unwrap());
        }),
    ];
    for (what, write) in bombs {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ledger.topology");
        packed(&file, Compression::best(), |into| write(into));
        let (gateway, api) = (TestGateway::start(), KubeApi::start());
        let mut host = MiniHost::start(Build::V5_1_1);
        let before_kib = host.rss_kib();
        host.set("a", "endpoint", gateway.url()).set("a", "correlate", "on").set("a", "kube_url", api.url());
        host.set("a", "state_file", folder.path().join("ledger").to_str().unwrap());
        for (key, value) in PATIENT {
            host.set("a", key, value);
        }
        assert_eq!(host.init("a"), 1);
        assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Ok);
        let line = host.wait_log("holds more than this plugin ever writes");
        assert!(line.level == 1 && line.text.contains("was moved to"), "{what}: {line:?}");
        let peak_kib = peak_kib(host.pid());
        assert!(peak_kib < before_kib + (200 << 10), "{what}: {before_kib} KiB before, {peak_kib} at most");
        host.quit();
        let names = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let aside = names.filter(|name| name.to_str().unwrap().contains(".topology.too-large-")).count();
        assert_eq!(aside, 1, "{what}");
    }
}

/// Kubernetes takes no object of that size.
#[test]
fn a_line_that_is_longer_than_any_object_is_refused() {
    for (many, is_restored) in [(1 << 20, true), (3 << 20, false)] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ledger.topology");
        snapshot_file::save(&file, &writer(1).snapshot(), 1).unwrap();
        let mut text = String::new();
        let mut unpacked = flate2::read::GzDecoder::new(File::open(&file).unwrap());
        std::io::Read::read_to_string(&mut unpacked, &mut text).unwrap();
        let text = text.replace("cart-7d4b9c-", &"x".repeat(many));
        let object = text.lines().nth(1).unwrap().to_owned() + "\n";
        packed(&file, Compression::fast(), |into| into.write_all(object.as_bytes()).unwrap());
        let mut restored = IndexWriter::new(3_600);
        snapshot_file::restore(&file, &mut restored, 1, &HostLog::default());
        assert_eq!((restored.len() == 1, file.exists()), (is_restored, is_restored), "{many} bytes");
    }
}

/// The most memory that a process ever had.
fn peak_kib(pid: u32) -> usize {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// A ledger that is far longer than it may be, without taking room on the disk.
#[test]
fn a_ledger_that_is_too_long_is_moved_aside_unread() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = folder.path().join("ledger");
    let gateway = TestGateway::start();
    let start = || {
        let mut host = MiniHost::start(Build::V5_1_1);
        host.set("a", "endpoint", gateway.url()).set("a", "state_file", ledger.to_str().unwrap());
        assert_eq!(host.init("a"), 1);
        host
    };
    start().quit();
    let file = File::options().write(true).open(&ledger).unwrap();
    if file.set_len(1 << 40).is_err() {
        return; // No file system for that.
    }
    let mut host = start();
    assert_eq!(host.deliver("a", "t", &events(["u1"])), Code::Ok);
    let line = host.wait_log("a ledger has at most");
    assert!(line.level == 1 && line.text.contains("was moved to"), "{line:?}");
    let peak_kib = peak_kib(host.pid());
    assert!(peak_kib < 200 << 10, "{peak_kib} KiB");
    host.quit();
}
