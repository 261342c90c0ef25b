//! Is every bad template refused at the start, with file, line, column and the reason?

use super::support;
use super::trying::problem;
use support::gateway::TestGateway;
use support::host::{Build, MiniHost};

#[test]
fn each_fault_is_reported_with_its_place() {
    for (template, reported) in [
        ("{\n  \"a\": \"{{ count \"\n}", "line 2, column "),
        ("{\"a\": \"{{ count | nothing }}\"}", "line 1, column 19: there is no filter nothing"),
        ("{\"a\": \"é{{ cuont }}\"}", "line 1, column 12: there is no cuont; there are action, audit"),
        ("{\"a\":\n \"\\u00e9\\n{{ cuont }}\"}", "line 2, column 14: there is no cuont"),
        ("[\"{{ count is odder }}\"]", "line 1, column 15: there is no test odder"),
        ("[\"{{ lipsum(3) }}\"]", "line 1, column 6: there is no function lipsum"),
        ("[\"{{ reason.upper() }}\"]", "line 1, column 13: there is no method upper; look for a filter"),
        ("[\"{% set a = 1 %}{{ a }}\"]", "line 1, column 6: set is no tag of a template"),
        ("[\"{% include 'x' %}\"]", "line 1, column 6: include is no tag of a template"),
        ("[\"{% if count %}\"]", "line 1, column "),
        ("[\"{{ 'x' * 100000000 }}\"]", "line 1, column 10: * could repeat a text"),
        ("[\"{% for a in [message] %}{{ a }}{% endfor %}\"]", "line 1, column 16: message is in brackets"),
        (
            "[\"{% for a in record.x ~ message %}{% endfor %}\"]",
            "line 1, column 24: ~ or + in what a loop runs over",
        ),
        (
            "[\"{% for a in services recursive %}{{ loop(a) }}{% endfor %}\"]",
            "line 1, column 24: a template does not recurse",
        ),
        ("[\"{% for a in services %}{{ loop(a) }}{% endfor %}\"]", "a template does not recurse"),
        ("{\"a\": 1,}", "line 1, column 8: "),
        ("", "line 1, column 1: the file is empty"),
        ("{\"{{ kind }}\": 1}", "line 1, column 2: an expression in a name"),
    ] {
        let problem = problem(template);
        assert!(problem.starts_with("file.json, ") && problem.contains(reported), "{template}: {problem}");
    }
    let joined = vec!["message"; 18].join(" ~ ");
    assert!(problem(&format!("[\"{{{{ {joined} }}}}\"]")).contains("more than 16 of ~ and +"));
    let two = problem("{\"a\": \"{{ x }}\",\n\"b\": \"{{ y }}\"}");
    assert_eq!(two.lines().count(), 2, "{two}");
}

#[test]
fn a_template_that_fails_on_a_sample_record_says_on_which() {
    for (template, sample, place) in [
        ("{\"a\":\n  \"{{ message | replace('', 'x') }}\"}", "event of core/v1", "line 2, column "),
        (
            "[\"{{ (record.objectRef.name ~ '') | int if kind == 'kubernetes.audit' else 0 }}\"]",
            "audit record of a resource",
            "line 1, column ",
        ),
        (
            "[\"{{ reason | upper if record.log else 1 }}\", \"{{ record.n | date('%') if record.log }}{{ record.stream | pick('x') }}\"]",
            "record of no known kind",
            "line 1, column ",
        ),
        (
            "[\"{% for a in range(10000) %}{% for b in range(10000) %}{% endfor %}{% endfor %}\"]",
            "event of core/v1",
            "more than 20000 steps",
        ),
    ] {
        let problem = problem(template);
        assert!(problem.contains(&format!("(with the sample record \"{sample}\")")), "{template}: {problem}");
        assert!(problem.starts_with("file.json, line ") && problem.contains(place), "{template}: {problem}");
    }
}

#[test]
fn a_host_does_not_start_with_a_bad_template() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("template.json");
    let shown = file.to_str().expect("UTF-8");
    let gateway = TestGateway::start();
    let mut host = MiniHost::start(Build::V5_1_1);
    let mut start = |instance: &str, settings: &[(&str, &str)]| {
        host.set(instance, "endpoint", gateway.url());
        for (key, value) in settings {
            host.set(instance, key, value);
        }
        let code = host.init(instance);
        if code == 1 {
            host.exit(instance);
        }
        code == 1
    };
    let with_file = [("format", "template"), ("template_file", shown)];
    assert!(!start("missing", &with_file));
    std::fs::write(&file, "{\n  \"a\": \"{{ count | nothing }}\"\n}").expect("a file");
    assert!(!start("bad", &with_file));
    std::fs::write(&file, "{\"a\": \"{{ count }}\"} // ".to_owned() + &"x".repeat(2 << 20)).expect("a file");
    assert!(!start("large", &with_file));
    assert!(!start("none", &[("format", "template")]));
    assert!(!start("another", &[("template_file", shown)]));
    std::fs::write(&file, "{\"a\": \"{{ count }}\"}").expect("a file");
    assert!(start("good", &with_file));
    for said in [
        format!("template_file: {shown} cannot be read (No such file"),
        format!(
            "template_file: {shown}, line 2, column 20: there is no filter nothing; expected a template as docs/templates.md"
        ),
        format!("template_file: {shown} cannot be read (it is larger than 1048576 bytes)"),
        "template_file: is not set; expected a file, since format is template".to_owned(),
        "template_file: is set, but format is not template".to_owned(),
    ] {
        let line = host.wait_log(&said);
        assert!(line.text.contains(&said), "{line:?}");
    }
    host.quit();
}
