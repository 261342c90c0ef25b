//! Does the host live with the filter: on its small stacks, through panics, without a context, in every
//! release, beside the output in one image?

use std::fs;
use std::time::Duration;

use super::support;
use support::gateway::TestGateway;
use support::host::{Build, Code, MiniHost, Outcome, Place, Thread};
use support::service_impact::{EACH, Image, filtering, loaded, set};
use support::{chunk, event, events};

/// What a call may take of the 24 KiB, and one that has something to log, with the host's logger on top.
const MOST_BYTES: usize = 8 << 10;
const MOST_BYTES_WITH_LOGGER: usize = 16 << 10;

#[test]
fn a_call_uses_little_of_the_hosts_stack() {
    let folder = tempfile::tempdir().expect("a folder");
    let state_file = folder.path().join("seen");
    let settings = [("state_file", state_file.to_str().expect("UTF-8"))];
    for settings in [&settings[..], &[]] {
        let (mut host, _image) = filtering(Build::V4_2_2, settings);
        let recording = chunk::of(&chunk::recording_events());
        let bomb = [vec![0x91; 100_000], vec![0xc0]].concat();
        let liar = [0xdf, 0xff, 0xff, 0xff, 0xff].to_vec();
        // Distinguished by all that it says, which is much.
        let mut wide = event("u2", 1, 1);
        let annotations = (0..60_000).map(|number| (format!("a{number}"), serde_json::json!(number)));
        wide["metadata"] = serde_json::json!({"annotations": annotations.collect::<serde_json::Map<_, _>>()});
        let wide = chunk::of([&wide]);
        let chunks = [recording.clone(), recording, bomb, liar, wide, events(["u1"]), Vec::new()];
        for data in chunks.iter().chain(&chunk::greedy()) {
            let used = host.filter("f", "t", data, Place::Processor).stack_bytes.expect("measured");
            println!("a call over {} bytes uses {used} bytes of the stack", data.len());
            assert!(used <= MOST_BYTES, "{used} bytes of the host's stack");
        }
        host.quit();
    }
}

#[test]
fn every_release_takes_the_filter() {
    let builds = [
        Build::V2_2_3,
        Build::V4_2_2,
        Build::V5_0_0,
        Build::V5_1_0,
        Build::V5_1_1,
        Build::ALIGN8,
        Build::UNNAMED,
    ];
    for build in builds {
        let image = Image::new();
        let mut host = MiniHost::start_empty(build, |_| {});
        let found = host.load_filter(&image.filter());
        assert!(found.struct_bytes >= 128, "{build:?}: {found:?}");
        assert_eq!(host.init_filter("f"), 0, "{build:?}");
        for place in EACH {
            let data = events([format!("{place:?}")]);
            assert_eq!(host.filter("f", "t", &data, place).outcome, Outcome::NoTouch, "{build:?}");
            let again = host.filter("f", "t", &data, place).outcome;
            assert_eq!(again, Outcome::Modified(Vec::new()), "{build:?}");
        }
        host.exit("f");
        host.quit();
    }
}

#[test]
fn a_panic_loses_nothing_and_kills_nobody() {
    let folder = tempfile::tempdir().expect("a folder");
    let wire = folder.path().join("wire");
    let (mut host, _image) = loaded(Build::V4_2_2, |command| {
        command.env("RUST_BACKTRACE", "1").env("EVENT_GATEWAY_PANIC", &wire);
    });
    for place in ["filter_pre_run", "filter_init"] {
        fs::write(&wire, place).expect("written");
        assert_ne!(host.init_filter("f"), 0, "{place}");
    }
    fs::remove_file(&wire).expect("removed");
    assert_eq!(host.init_filter("f"), 0);

    for (number, trap) in ["filter", "enrich"].into_iter().enumerate() {
        for place in EACH {
            let data = events([format!("{number} {place:?}")]);
            fs::write(&wire, trap).expect("written");
            for _ in 0..2 {
                assert_eq!(host.filter("f", "t", &data, place).outcome, Outcome::NoTouch, "{trap}");
            }
            fs::remove_file(&wire).expect("removed");
            assert_eq!(
                host.filter("f", "t", &data, place).outcome,
                Outcome::NoTouch,
                "what panicked counts as unseen"
            );
            assert_eq!(host.filter("f", "t", &data, place).outcome, Outcome::Modified(Vec::new()));
        }
    }
    for trap in ["filter", "enrich"] {
        let line = host.wait_log(&format!("a test asked for a panic in {trap}"));
        assert!(line.text.contains("it passes unchanged") && line.level == 1, "{line:?}");
    }
    fs::write(&wire, "filter_exit").expect("written");
    host.exit("f");
    assert_eq!(host.stderr(), [""; 0], "nothing goes to the host's descriptors");
    host.quit();
}

#[test]
fn a_panic_of_the_thread_that_writes_is_logged_and_survived() {
    let folder = tempfile::tempdir().expect("a folder");
    let (wire, file) = (folder.path().join("wire"), folder.path().join("seen"));
    let (mut host, _image) = loaded(Build::V5_1_1, |command| {
        command.env("EVENT_GATEWAY_PANIC", &wire);
    });
    set(&mut host, "f", &[("state_file", file.to_str().expect("UTF-8"))]);
    assert_eq!(host.init_filter("f"), 0);
    fs::write(&wire, "keep").expect("written");
    let first = host.filter("f", "t", &events(["u1"]), Place::Processor);
    while host.threads() > 2 {
        std::thread::sleep(Duration::from_millis(5));
    }
    fs::remove_file(&wire).expect("removed");
    let again = host.filter("f", "t", &events(["u1"]), Place::Processor);
    assert_eq!(again.outcome, Outcome::Modified(Vec::new()), "memory goes on");
    let line = host.wait_log("ended by a panic");
    assert_eq!((line.level, line.thread), (1, Thread::Input));
    // One of the two calls had the line to log.
    assert!(
        first.stack_bytes.max(again.stack_bytes).is_some_and(|used| used <= MOST_BYTES_WITH_LOGGER),
        "{first:?}, {again:?}"
    );
    host.quit();
}

#[test]
#[allow(unsafe_code)]
fn without_a_context_nothing_is_touched() {
    use std::ptr::null_mut;
    let plugin = &event_gateway::abi::filter::filter_service_impact_plugin;
    let (filter, exit) = (plugin.filter.expect("cb_filter"), plugin.exit.expect("cb_exit"));
    let (data, mut out, mut length) = (events(["u1"]), null_mut(), 0);
    // SAFETY: as the host calls it, but without a context.
    let answer = unsafe {
        let nobody = null_mut();
        let (out, length) = (&raw mut out, &raw mut length);
        filter(
            data.as_ptr().cast(),
            data.len(),
            c"t".as_ptr(),
            1,
            out,
            length,
            nobody,
            nobody,
            nobody,
            nobody,
        )
    };
    assert_eq!((answer, out, length), (2, null_mut(), 0));
    // SAFETY: there is nothing to free.
    assert_eq!(unsafe { exit(null_mut(), null_mut()) }, 0);
    for refused in [plugin.pre_run, plugin.init] {
        // SAFETY: no instance, no look behind it.
        assert_ne!(unsafe { refused.expect("a callback")(null_mut(), null_mut(), null_mut()) }, 0);
    }
}

#[test]
fn pre_run_only_looks() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("seen");
    let (mut host, _image) = loaded(Build::V5_1_1, |_| {});
    let threads = host.threads();
    set(&mut host, "f", &[("state_file", file.to_str().expect("UTF-8"))]);
    for _ in 0..3 {
        assert_eq!(host.pre_run_filter("f"), 0);
    }
    assert!(!file.exists(), "it made a file");
    assert_eq!(host.threads(), threads);
    assert_eq!(host.init_filter("f"), 0);
    assert_eq!(host.pre_run_filter("f"), 0, "while the instance runs and holds the file");
    super::memory::exit_written(&mut host);
    assert_eq!(host.threads(), threads, "its thread is joined");

    set(&mut host, "g", &[("dedup", "perhaps"), ("ledger_ttl", "soon"), ("keep_managed_fields", "")]);
    assert_ne!(host.pre_run_filter("g"), 0);
    for error in
        ["dedup: \"perhaps\" is not a switch; expected on or off", "ledger_ttl: \"soon\" is not a time"]
    {
        let line = host.wait_log(error);
        assert!(line.text.starts_with("[filter:service_impact:service_impact.1] "), "{}", line.text);
        assert_eq!(line.level, 1);
    }
    assert_ne!(host.init_filter("g"), 0);
    set(&mut host, "h", &[("dedup", "off"), ("state_file", file.to_str().expect("UTF-8"))]);
    assert_ne!(host.pre_run_filter("h"), 0);
    host.wait_log("state_file: is set together with dedup off");
    host.quit();
}

#[test]
fn filter_and_output_live_in_one_image_and_reload_together() {
    let image = Image::new();
    let gateway = TestGateway::start();
    for as_processor in [false, true] {
        let mut host = MiniHost::start_empty(Build::V5_1_1, |_| {});
        host.load(&image.output());
        assert!(host.load_filter(&image.filter()).shares_image);
        let threads = host.threads();
        if as_processor {
            host.as_processor("f");
        }
        host.set("o", "endpoint", gateway.url());
        assert_eq!((host.init_filter("f"), host.init("o")), (0, 1));
        let place = if as_processor { Place::Processor } else { Place::Pipeline };
        for round in 0..3 {
            let data = chunk::of([&event(&format!("{as_processor} {round}"), 1, 1)]);
            assert_eq!(host.filter("f", "t", &data, place).outcome, Outcome::NoTouch);
            assert_eq!(host.deliver("o", "t", &data), Code::Ok);
            assert_eq!(host.filter("f", "t", &data, place).outcome, Outcome::Modified(Vec::new()));
            assert!(host.reload().ok);
            assert_eq!(
                host.filter("f", "t", &data, place).outcome,
                Outcome::NoTouch,
                "memory went with the instance"
            );
        }
        host.exit("f");
        host.exit("o");
        assert_eq!(host.threads(), threads);
        host.quit();
    }
    assert_eq!(gateway.accepted_ids().len(), 6);
}

#[test]
fn a_reload_into_wrong_settings_leaves_the_old_filter_at_work() {
    let (mut host, image) = filtering(Build::V5_1_1, &[]);
    host.exit("f");
    host.load(&image.output());
    let gateway = TestGateway::start();
    host.set("o", "endpoint", gateway.url());
    assert_eq!((host.init_filter("f"), host.init("o")), (0, 1));
    host.filter("f", "t", &events(["u1"]), Place::Pipeline);
    host.set_filter("f", "dedup", "perhaps");
    assert!(!host.reload().ok);
    let known = host.filter("f", "t", &events(["u1"]), Place::Pipeline);
    assert_eq!(known.outcome, Outcome::Modified(Vec::new()), "the old instance goes on");
    host.quit();
}
