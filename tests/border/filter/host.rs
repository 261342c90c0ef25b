//! Does the mini host hold a filter to Fluent Bit's rules?
//!
//! The filter is `testkit/src/host/trial/`. A check of the host that cannot fire checks nothing, so each is
//! made to.

use std::time::Duration;

use super::support;
use support::host::{Build, Filtered, LogLine, MiniHost, Outcome, Place, Thread, Trial};

const EACH: [Place; 2] = [Place::Pipeline, Place::Processor];

/// An empty host and the trial plugin in it.
fn loaded(build: Build, trial: &Trial) -> MiniHost {
    let mut host = MiniHost::start_empty(build, |_| {});
    assert_eq!(host.load_filter(&trial.filter()).name, "trial");
    host
}

/// The same, with a live filter "f" that does this.
fn doing(what: &str) -> (MiniHost, Trial) {
    let trial = Trial::build(&[]);
    let mut host = loaded(Build::V5_1_1, &trial);
    host.set_filter("f", "do", what);
    assert_eq!(host.init_filter("f"), 0);
    (host, trial)
}

/// What was logged and where, in order.
fn story(host: &MiniHost) -> Vec<(String, Thread)> {
    let said = |line: LogLine| (line.text, line.thread);
    host.logs().into_iter().filter(|line| !line.text.starts_with("reads")).map(said).collect()
}

fn texts(host: &MiniHost) -> Vec<String> {
    story(host).into_iter().map(|(text, _)| text).collect()
}

#[test]
fn every_release_reads_its_own_struct() {
    let trial = Trial::build(&[]);
    for build in [Build::V2_2_3, Build::V4_2_2, Build::V5_1_1, Build::ALIGN8, Build::NO_COROUTINES] {
        let mut host = MiniHost::start_empty(build, |_| {});
        let loaded = host.load_filter(&trial.filter());
        assert_eq!((loaded.struct_bytes, loaded.shares_image), (88, false), "{build:?}");
        host.set_filter("f", "do", "prefix");
        assert_eq!(host.init_filter("f"), 0, "{build:?}");
        for place in EACH {
            let filtered = host.filter("f", "kube", b"-data", place);
            assert_eq!(filtered.outcome, Outcome::Modified(b"kube-data".to_vec()), "{build:?} {place:?}");
        }
        host.quit();
    }
}

#[test]
fn a_struct_that_does_not_fit_every_release_is_found() {
    let short = Trial::build(&["SHORT"]);
    let mut host = loaded(Build::V5_1_1, &short);
    host.expect_violation("filter struct of 64 bytes, the host reads 88");
    host.quit();
    let mut host = loaded(Build::V2_2_3, &short);
    host.expect_violation("filter struct of 64 bytes, the host reads 80");
    host.quit();
    let mut host = loaded(Build::V5_1_1, &Trial::build(&["WITH_MAP"]));
    host.expect_violation("config_map is not NULL");
    host.quit();
    let notified = Trial::build(&["WITH_NOTIFICATION"]);
    let mut host = loaded(Build::V5_1_1, &notified);
    host.expect_violation("cb_notification is not NULL");
    host.quit();
    // An older release sees no cb_notification: what stands there is its own.
    loaded(Build::V2_2_3, &notified).quit();
}

#[test]
fn a_file_by_another_name_is_refused() {
    let trial = Trial::build(&[]);
    let mut host = MiniHost::start_empty(Build::V5_1_1, |_| {});
    let reply = host.command(format!("loadfilter {}", trial.output().display()));
    assert_eq!(reply, "error loadfilter invalid plugin prefix");
    let other = trial.filter().with_file_name("flb-filter_other.so");
    std::fs::copy(trial.filter(), &other).expect("a copy");
    let reply = host.command(format!("loadfilter {}", other.display()));
    assert_eq!(reply, "error loadfilter registration structure is missing");
    host.load_filter(&trial.filter());
    host.quit();
}

#[test]
fn each_outcome_arrives_as_it_was_given() {
    let big: Vec<u8> = (0..2_000_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    for (what, data, outcome) in [
        ("pass", &b"data"[..], Outcome::NoTouch),
        ("drop", b"data", Outcome::Modified(Vec::new())),
        ("prefix", b"", Outcome::Modified(b"t g".to_vec())),
        ("prefix", &big, Outcome::Modified([b"t g", &big[..]].concat())),
    ] {
        let (mut host, _trial) = doing(what);
        for place in EACH {
            assert!(host.filter("f", "t g", data, place).outcome == outcome, "{what} {place:?}");
        }
        host.quit();
    }
}

#[test]
fn time_and_stack_are_measured() {
    let (mut host, _trial) = doing("sleep");
    for place in EACH {
        let took = host.filter("f", "t", b"data", place).took;
        assert!(took >= Duration::from_millis(50), "{took:?}");
    }
    host.quit();
    let (mut host, _trial) = doing("stack 10000");
    assert_eq!(host.filter("f", "t", b"data", Place::Pipeline).stack_bytes, None);
    let used = host.filter("f", "t", b"data", Place::Processor).stack_bytes.expect("measured");
    assert!((10_000..14_000).contains(&used), "{used} bytes");
    host.quit();
}

#[test]
fn a_wrong_answer_is_found() {
    for (what, violation) in [
        ("leak", "dropped all with a buffer set: it leaks"),
        ("touch", "not touched, but its output is set"),
        ("seven", "filter code 7"),
        ("nothing_said", "16 bytes without a buffer"),
        ("too_much_said", "4096 bytes said"),
        ("own_data", "the host's own data"),
        ("static_buffer", "16 bytes said, 0 allocated by malloc"),
    ] {
        let (mut host, _trial) = doing(what);
        for place in EACH {
            host.filter("f", "t", b"data", place);
            host.expect_violation(violation);
        }
        assert_eq!(host.violations(), [""; 0], "{what}");
        host.quit();
    }
}

#[test]
fn a_thread_of_the_plugins_own_may_neither_log_nor_read() {
    for (what, violation) in [
        ("log_from_own_thread", "flb_log_print on a thread that is not the host's"),
        ("read_from_own_thread", "flb_filter_get_property on a thread that is not the host's"),
    ] {
        let (mut host, _trial) = doing(what);
        assert_eq!(host.filter("f", "t", b"data", Place::Pipeline).outcome, Outcome::NoTouch);
        host.expect_violation(violation);
        host.quit();
    }
}

#[test]
fn what_the_host_does_not_survive_is_explained() {
    const SEGV: i32 = 11;
    for (what, place, violation) in [
        ("stack 40000", Place::Processor, "stack overflow"),
        ("read_past_tag", Place::Processor, "in the tag"),
        ("read_past_data", Place::Processor, "past the end of the data"),
        ("read_past_data", Place::Pipeline, "past the end of the data"),
        ("write_data", Place::Pipeline, "read-only"),
        ("look_into_input", Place::Pipeline, "opaque"),
        ("look_into_config", Place::Processor, "opaque"),
    ] {
        let (mut host, _trial) = doing(what);
        host.start_filter("f", "t", b"data", place);
        assert_eq!(host.wait_death(), Some(SEGV), "{what}");
        host.expect_violation(violation);
    }
    // What is too much for a coroutine is little for a thread, and a NUL ends the pipeline's tag.
    for what in ["stack 40000", "read_past_tag"] {
        let (mut host, _trial) = doing(what);
        assert_eq!(host.filter("f", "t", b"data", Place::Pipeline).outcome, Outcome::NoTouch, "{what}");
        host.quit();
    }
    let (mut host, _trial) = doing("stack 40000");
    host.stack_bytes(64 << 10);
    host.filter("f", "t", b"data", Place::Processor);
    host.quit();
}

#[test]
fn a_call_that_yields_is_found() {
    let trial = Trial::build(&[]);
    let mut host = loaded(Build::V5_1_1, &trial);
    host.set_filter("f", "do", "yield").as_processor("f");
    assert_eq!(host.init_filter("f"), 0);
    let Filtered { outcome, .. } = host.filter("f", "t", b"data", Place::Processor);
    assert_eq!(outcome, Outcome::Yielded);
    host.expect_violation("filter f yielded");
    host.quit();
}

#[test]
fn properties_read_as_in_fluent_bit() {
    let trial = Trial::build(&[]);
    let mut host = loaded(Build::V5_1_1, &trial);
    let mut reads = |key: &str, value: &str| {
        let filter = format!("f-{key}-{}", value.len());
        host.set_filter(&filter, key, value)
            .set_filter(&filter, "read", key)
            .set_filter(&filter, "do", "pass");
        assert_eq!(host.init_filter(&filter), 0);
        let said = host.logs().pop().expect("a line").text;
        host.exit(&filter);
        said.strip_prefix("reads ").expect("what it reads").to_owned()
    };
    assert_eq!(reads("some.key", "a  value"), "a  value");
    assert_eq!(reads("SOME.Key", "a value"), "a value");
    assert_eq!(reads("some.key", ""), "", "an output would read none");
    for eaten in ["match", "match_regex", "alias", "log_level", "log_suppress_interval"] {
        assert_eq!(reads(eaten, "info"), "(none)", "{eaten}");
    }
    host.quit();
}

#[test]
fn init_and_exit_follow_the_rules_for_contexts() {
    let trial = Trial::build(&[]);
    let mut host = loaded(Build::V5_1_1, &trial);
    let threads = host.threads();
    for name in ["whole", "bare", "failing", "refused"] {
        host.set_filter(name, "do", "pass").set_filter(name, "alias", name);
    }
    host.set_filter("bare", "context", "none");
    host.set_filter("failing", "init", "fail");
    host.set_filter("refused", "pre_run", "refuse");
    assert_eq!(host.pre_run_filter("whole"), 0);
    assert_ne!(host.pre_run_filter("refused"), 0);
    assert_eq!((host.init_filter("whole"), host.init_filter("bare")), (0, 0));
    assert_ne!(host.init_filter("failing"), 0);
    assert_ne!(host.init_filter("refused"), 0);
    assert_eq!(host.filter("bare", "t", b"data", Place::Processor).outcome, Outcome::NoTouch);
    host.exit("bare");
    host.exit("whole");
    let engine = |text: &str| (text.to_owned(), Thread::Engine);
    assert_eq!(
        story(&host),
        [
            ("pre_run whole".to_owned(), Thread::Main),
            ("pre_run refused".to_owned(), Thread::Main),
            engine("pre_run whole"),
            engine("init whole"),
            engine("pre_run bare"),
            engine("init bare"),
            engine("pre_run failing"),
            engine("init failing"),
            engine("pre_run refused"),
            engine("exit whole"),
        ]
    );
    assert_eq!(host.threads(), threads, "the host's own thread for an input does not count");
    host.quit();
}

#[test]
fn what_a_filter_leaves_behind_is_found() {
    let trial = Trial::build(&[]);
    let mut host = loaded(Build::V5_1_1, &trial);
    let threads = host.settled_threads();
    host.set_filter("f", "timer", "left").set_filter("f", "thread", "left");
    assert_eq!(host.init_filter("f"), 0);
    host.exit("f");
    host.expect_violation("timer left: 1 of f");
    assert_eq!(host.settled_threads(), threads + 1);
    host.quit();
}

#[test]
fn filters_start_before_the_output_and_end_before_it_and_processors_outlive_it() {
    for (build, processors_start_on) in [(Build::V2_2_3, Thread::Engine), (Build::V5_1_1, Thread::Input)] {
        let trial = Trial::build(&[]);
        let mut host = MiniHost::start_empty(build, |_| {});
        host.load(&trial.output());
        assert!(host.load_filter(&trial.filter()).shares_image);
        host.set_filter("f", "alias", "f").set_filter("p", "alias", "p").as_processor("p");
        assert_eq!((host.init_filter("p"), host.init_filter("f"), host.init("o")), (0, 0, 1));
        let started = texts(&host).len();
        assert!(host.reload().ok);
        let reload = story(&host).split_off(started);
        let expected = [
            ("pre_run f", Thread::Main), // of the new context, while the old one runs
            ("exit f", Thread::Engine),
            ("output exit, filters: 1", Thread::Engine),
            ("exit p", Thread::Engine),
            ("pre_run p", processors_start_on),
            ("init p", processors_start_on),
            ("pre_run f", Thread::Engine),
            ("init f", Thread::Engine),
            ("output init, filters: 2", Thread::Engine),
        ];
        assert_eq!(reload, expected.map(|(text, thread)| (text.to_owned(), thread)), "{build:?}");
        let reloaded = texts(&host).len();
        for place in EACH {
            assert_eq!(host.filter("f", "t", b"data", place).outcome, Outcome::NoTouch);
        }
        host.quit();
        assert_eq!(texts(&host)[reloaded..], ["exit f", "output exit, filters: 1", "exit p"], "{build:?}");
    }
}

#[test]
fn a_copy_of_the_file_is_another_image() {
    let trial = Trial::build(&[]);
    let mut host = loaded(Build::V5_1_1, &trial);
    host.load(&trial.copied_output());
    assert_eq!((host.init_filter("f"), host.init("o")), (0, 1));
    host.wait_log("output init, filters: 0");
    host.quit();
    // The output may come second, too.
    let mut host = loaded(Build::V5_1_1, &trial);
    host.load(&trial.output());
    assert_eq!((host.init_filter("f"), host.init("o")), (0, 1));
    host.wait_log("output init, filters: 1");
    host.quit();
}

#[test]
fn a_reload_that_pre_run_refuses_leaves_the_old_filter_at_work() {
    let (mut host, trial) = doing("prefix");
    host.exit("f");
    host.load(&trial.output());
    assert_eq!((host.init_filter("f"), host.init("o")), (0, 1));
    host.set_filter("f", "pre_run", "refuse");
    let started = story(&host).len();
    assert!(!host.reload().ok);
    let halted = [("pre_run trial.0", Thread::Main), ("output exit, filters: 1", Thread::Main)];
    assert_eq!(
        story(&host)[started..],
        halted.map(|(text, thread)| (text.to_owned(), thread)),
        "the new context's outputs end without a beginning"
    );
    let filtered = host.filter("f", "tag ", b"data", Place::Pipeline);
    assert_eq!(filtered.outcome, Outcome::Modified(b"tag data".to_vec()));
    host.set_filter("f", "pre_run", "accept").set_filter("f", "do", "drop");
    assert!(host.reload().ok);
    let filtered = host.filter("f", "tag ", b"data", Place::Pipeline);
    assert_eq!(filtered.outcome, Outcome::Modified(Vec::new()), "the new configuration");
    host.set_filter("f", "init", "fail");
    assert!(!host.reload().ok);
    host.quit();
}
