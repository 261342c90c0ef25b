//! What does a real Fluent Bit say before the first event: in a dry run, to errors in the settings, and
//! to a ledger that is in use?

use crate::{real, support};
use real::{BOUND, config, on_every_host, state_file, to_gateway};
use support::fluent_bit::Config;

const NOWHERE: &str = "http://127.0.0.1:9/events";

/// Makes no record, so that nothing is sent to nowhere.
fn silent(config: Config) -> Config {
    config.section("INPUT", &[("name", "dummy"), ("samples", "0"), ("rate", "1"), ("tag", "other")])
}

#[test]
fn a_dry_run_takes_good_settings_and_refuses_a_misspelt_key_where_the_host_can() {
    on_every_host(|fluent_bit, folder| {
        let ledger = state_file(folder);
        let good = silent(config(folder)).event_gateway(&to_gateway(NOWHERE, &ledger)).text();
        let (code, said) = fluent_bit.dry_run(&good, folder);
        assert_eq!(code, Some(0), "{said}");
        assert!(!std::path::Path::new(&ledger).exists(), "a dry run made a ledger");

        let misspelt = [("endpoint", NOWHERE), ("sate_file", &*ledger)];
        let misspelt = silent(config(folder)).event_gateway(&misspelt).text();
        let (code, said) = fluent_bit.dry_run(&misspelt, folder);
        if fluent_bit.version >= (5, 1, 1) {
            assert!(code.is_some_and(|code| code != 0), "{code:?}: {said}");
            assert!(said.contains("sate_file"), "{said}");
        } else {
            assert_eq!(code, Some(0), "hosts before 5.1.1 know no keys of a plugin: {said}");
        }
    });
}

#[test]
fn two_errors_are_both_named_and_the_process_ends() {
    on_every_host(|fluent_bit, folder| {
        let wrong = [("endpoint", "ftp://gateway/events"), ("timeout", "soon")];
        let config = silent(config(folder)).event_gateway(&wrong).text();
        let mut host = fluent_bit.start(&config, folder);
        let status = host.wait_for_exit(BOUND);
        let log = host.log();
        assert!(status.code().is_some_and(|code| code != 0), "{status}, which is no orderly refusal:\n{log}");
        for error in ["endpoint: is not an http:// or https:// URL", "timeout: \"soon\" is not a time"] {
            assert!(log.contains(error), "no {error:?} in the log:\n{log}");
        }
    });
}

#[test]
fn a_second_instance_on_the_same_ledger_is_refused_by_the_name_of_the_key() {
    on_every_host(|fluent_bit, folder| {
        let ledger = state_file(folder);
        let one = silent(config(folder)).event_gateway(&to_gateway(NOWHERE, &ledger));
        let alone = one.text();
        let two = one.event_gateway(&to_gateway(NOWHERE, &ledger)).text();
        let refusal = "state_file: ";
        let reason = "is in use by another instance";

        // In one process …
        let mut host = fluent_bit.start(&two, folder);
        let status = host.wait_for_exit(BOUND);
        let log = host.log();
        assert!(status.code().is_some_and(|code| code != 0), "{status}:\n{log}");
        assert!(log.lines().any(|line| line.contains(refusal) && line.contains(reason)), "{log}");

        // … and in two.
        let mut first = fluent_bit.start(&alone, folder);
        first.wait_for_log("] delivers to ", BOUND);
        let mut second = fluent_bit.start(&alone, folder);
        let status = second.wait_for_exit(BOUND);
        let log = second.log();
        assert!(status.code().is_some_and(|code| code != 0), "{status}:\n{log}");
        assert!(log.lines().any(|line| line.contains(refusal) && line.contains(reason)), "{log}");
        assert_eq!(first.exit_status(), None, "the first one must not mind");
    });
}
