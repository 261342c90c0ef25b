//! Are files complete when they have their name, of the size and age that was set, and sorted by time?

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use event_gateway::gateway::Gzip;

use super::folder::{complete, ids_in, names, parts};
use super::support::host::{Build, Code, MiniHost};
use super::support::value;
use super::{begin, chunk, ids, started, wait_until};

fn endpoint(folder: &Path) -> String {
    format!("file://{}", folder.display())
}

#[test]
fn a_file_is_no_larger_than_it_may_be_and_names_sort_by_time() {
    for (compress, end, most) in [("none", ".ndjson", "20K"), ("gzip", ".ndjson.gz", "2K")] {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        let settings = [("compress", compress), ("file_max_bytes", most), ("batch_events", "10")];
        let mut host = started(&endpoint(folder), &settings);
        for start in (0..300).step_by(30) {
            assert_eq!(host.deliver("a", "t", &chunk(start..start + 30)), Code::Ok);
            assert!(parts(folder).len() <= 1, "{:?}", names(folder));
        }
        let metrics = host.metrics_when(|metrics| value(metrics, "delivered_records_total") >= 300.0);
        assert_eq!(value(&metrics, "requests_total"), 30.0);
        let before_the_stop = complete(folder).len();
        host.exit("a");
        let files = complete(folder);
        assert_eq!(files, names(folder), "a stop completes the last");
        assert!(before_the_stop > 3 && files.iter().all(|name| name.ends_with(end)), "{files:?}");
        assert_eq!(ids_in(folder), ids(0..300), "in the order of the names");
        let sizes: Vec<_> =
            files.iter().map(|name| folder.join(name).metadata().expect("a file").len()).collect();
        let most = most.trim_end_matches('K').parse::<u64>().expect("a size") * 1_000;
        assert!(sizes.iter().all(|size| *size <= most), "{sizes:?}");
        assert_eq!(sizes.iter().sum::<u64>() as f64, value(&metrics, "sent_bytes_total"));
        host.quit();
    }
}

#[test]
fn one_batch_that_is_larger_gets_a_file_of_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let mut host = started(&endpoint(folder), &[("compress", "none"), ("file_max_bytes", "1000")]);
    for start in [0, 50] {
        assert_eq!(host.deliver("a", "t", &chunk(start..start + 50)), Code::Ok);
    }
    assert_eq!((complete(folder).len(), ids_in(folder)), (2, ids(0..100)));
    host.quit();
}

#[test]
fn a_file_that_is_old_enough_is_completed_though_nothing_comes() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let mut host = started(&endpoint(folder), &[("file_max_age", "700ms")]);
    assert_eq!(host.deliver("a", "t", &chunk(0..5)), Code::Ok);
    wait_until("a complete file", || !complete(folder).is_empty());
    assert_eq!((parts(folder).len(), ids_in(folder)), (0, ids(0..5)));
    assert_eq!(host.deliver("a", "t", &chunk(5..9)), Code::Ok);
    wait_until("another complete file", || complete(folder).len() > 1);
    assert_eq!(ids_in(folder), ids(0..9));
    host.quit();
}

#[test]
fn a_file_that_is_not_complete_is_found_by_no_glob() {
    for compress in ["none", "gzip"] {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        let mut host = started(&endpoint(folder), &[("file_max_age", "1h"), ("compress", compress)]);
        assert_eq!(host.deliver("a", "t", &chunk(0..5)), Code::Ok);
        assert_eq!((complete(folder).len(), parts(folder).len()), (0, 1), "{:?}", names(folder));
        host.exit("a");
        assert_eq!((complete(folder).len(), parts(folder).len()), (1, 0), "{:?}", names(folder));
        host.quit();
    }
}

#[test]
fn a_start_completes_what_is_torn_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let put = |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes).expect("a file");
    let line = |id: &str| format!("{{\"id\":\"{id}\"}}\n").into_bytes();
    let (mut gzip, mut packed) = (Gzip::default(), Vec::new());
    for id in ["z1", "z2"] {
        gzip.pack(&line(id), &mut packed).expect("gzip");
    }
    put(
        "20261121T174415.123Z-000001-0123abcd.part",
        &[line("p1"), line("p2"), b"{\"id\":\"p3".to_vec()].concat(),
    );
    put("20261121T174415.123Z-000002-0123abcd.gz.part", &packed[..packed.len() - 3]);
    put("20261121T174415.123Z-000003-0123abcd.part", b"{\"id\":\"nothing whole");
    put("20261121T174415.123Z-000004-0123abcd.part", &line("in use"));
    put("20261121T174415.123Z-000005-0123abcd.part", &line("taken"));
    put("20261121T174415.123Z-000005-0123abcd.ndjson", &line("t1"));
    put("movie.part", b"not ours");
    let in_use = File::options().append(true).open(folder.join("20261121T174415.123Z-000004-0123abcd.part"));
    let mut in_use = in_use.expect("a file");
    in_use.try_lock().expect("a lock");

    let mut host = started(&endpoint(folder), &[]);
    host.wait_log("cannot be completed (there is a ");
    host.exit("a");
    assert_eq!(
        names(folder),
        [
            "20261121T174415.123Z-000001-0123abcd.ndjson",
            "20261121T174415.123Z-000002-0123abcd.ndjson.gz",
            "20261121T174415.123Z-000004-0123abcd.part",
            "20261121T174415.123Z-000005-0123abcd.ndjson",
            "20261121T174415.123Z-000005-0123abcd.part",
            "movie.part",
        ]
    );
    assert_eq!(ids_in(folder), ["p1", "p2", "z1", "t1"]);
    in_use.write_all(&line("and more")).expect("its owner goes on");
    drop(in_use);
    fs::remove_file(folder.join("20261121T174415.123Z-000005-0123abcd.part")).expect("a file");
    begin(&mut host, "b", &endpoint(folder), &[]);
    host.wait_log(": 1 files that an earlier run left were completed");
    host.quit();
    assert_eq!(ids_in(folder), ["p1", "p2", "z1", "in use", "and more", "t1"]);
}

#[test]
fn two_outputs_on_one_folder_do_not_meet() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let settings = [("file_max_age", "1h"), ("batch_events", "5"), ("file_max_bytes", "1500")];
    let mut first = MiniHost::start(Build::V5_1_1);
    begin(&mut first, "a", &endpoint(folder), &settings);
    begin(&mut first, "b", &endpoint(folder), &settings);
    let mut second = started(&endpoint(folder), &settings);
    for start in (0..300).step_by(30) {
        let flushes = [("a", start..start + 10), ("b", start + 10..start + 20)];
        let flushes = flushes.map(|(instance, range)| first.flush(instance, "t", &chunk(range)));
        assert_eq!(second.deliver("a", "t", &chunk(start + 20..start + 30)), Code::Ok);
        for id in flushes {
            assert_eq!(first.wait(id), Code::Ok);
        }
    }
    // The start of another completes what the dead one left, and nothing of the living.
    assert_eq!(first.deliver("a", "t", &chunk(300..301)), Code::Ok);
    assert_eq!(second.deliver("a", "t", &chunk(301..302)), Code::Ok);
    let before = parts(folder).len();
    second.kill();
    begin(&mut first, "c", &endpoint(folder), &settings);
    first.wait_log("were completed");
    assert_eq!(parts(folder).len(), before - 1);
    assert_eq!(first.deliver("a", "t", &chunk(302..303)), Code::Ok, "the living one writes on");
    first.quit();
    let mut came = ids_in(folder);
    came.sort_by_key(|id| id[1..id.len() - 2].parse::<usize>().expect("a number"));
    assert_eq!(came, ids(0..303));
    assert_eq!(parts(folder), [""; 0]);
}
