//! Which headers does the text of `headers` set, and what is said of one that is wrong?
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use event_gateway::config::ConfigError;
use proptest::prelude::*;

use super::cases::cases;
use super::reading::read_with;

fn headers(text: &str) -> Result<Vec<(String, String)>, Vec<ConfigError>> {
    let settings = read_with(&[("headers", text)])?;
    let shown = |value: &[u8]| String::from_utf8(value.to_vec()).unwrap();
    Ok(settings.headers.iter().map(|(name, value)| (name.to_string(), shown(value.as_bytes()))).collect())
}

/// What is wrong with it: one thing, of the key `headers`.
fn problem(text: &str) -> String {
    let errors = headers(text).unwrap_err();
    assert_eq!((errors.len(), errors[0].key), (1, "headers"), "{errors:?}");
    assert_eq!(errors[0].expected, "Name: value, Name: \"value, with commas\"");
    errors[0].problem.clone()
}

#[test]
fn values_in_quotation_marks_hold_commas_and_others_are_as_they_are_written() {
    for (text, wanted) in [
        (r#"X-List: "a, b", X-Other: c"#, &[("x-list", "a, b"), ("x-other", "c")][..]),
        (r#"X-Other: c,X-List:"a, b""#, &[("x-other", "c"), ("x-list", "a, b")]),
        (r#"A: "say \"a, b\" in C:\\temp\\""#, &[("a", r#"say "a, b" in C:\temp\"#)]),
        (r#"A: "b: c, D: e", F: g"#, &[("a", "b: c, D: e"), ("f", "g")]),
        (r#"A: "" , B: " c ""#, &[("a", ""), ("b", " c ")]),
        // Without them nothing has changed.
        ("A: b, C: d:e", &[("a", "b"), ("c", "d:e")]),
        (r#"A: b "c" \d"#, &[("a", r#"b "c" \d"#)]),
        (r#"A: W/"x\y""#, &[("a", r#"W/"x\y""#)]),
        (" , A: b,, ,C:d , ", &[("a", "b"), ("c", "d")]),
        ("A:, B: c", &[("a", ""), ("b", "c")]),
        ("A: b, A: c", &[("a", "b"), ("a", "c")]),
    ] {
        let wanted: Vec<_> =
            wanted.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        assert_eq!(headers(text).unwrap(), wanted, "{text}");
    }
}

#[test]
fn what_is_wrong_is_said_by_the_header_and_never_by_its_value() {
    for (text, wanted) in [
        (r#"X-Key: "S3CR3T"#, "has for x-key a quotation mark that is never closed"),
        (r#"X-Key: "S3CR3T\", B: c"#, "has for x-key a quotation mark that is never closed"),
        (r#"X-Key: "S3C" R3T, B: c"#, "has for x-key text after a value in quotation marks"),
        (
            r#"X-Key: "S3C\R3T""#,
            "has for x-key a backslash before something other than a quotation mark or a backslash",
        ),
        (
            r#"X-Key: "S3C\"#,
            "has for x-key a backslash before something other than a quotation mark or a backslash",
        ),
        ("Authorization: ApiKey S3CR3Té", "has for authorization a value that is not ASCII"),
        (r#"Host: "S3CR3T, b""#, "sets host, which the plugin sets itself"),
        (r#"S3C R3T: "a, b""#, "has a part whose name is not a valid header name"),
        (r#""S3CR3T": "a"#, "has a part whose name is not a valid header name"),
        ("A: b, S3CR3T", "has a part without a colon"),
        (r#"A: b, "S3CR3T""#, "has a part without a colon"),
    ] {
        assert_eq!(problem(text), wanted, "{text}");
    }
    // Several of them at once.
    let errors = headers(r#"A b, Host: "c, d", E f: g, H: "i" j"#).unwrap_err();
    assert_eq!(errors.len(), 4, "{errors:?}");
}

proptest! {
    #![proptest_config(cases(1_000))]

    /// Whatever a header can hold can be written in quotation marks, beside others.
    #[test]
    fn each_value_can_be_written(values in proptest::collection::vec("[ -~]{0,20}", 1..5)) {
        let quoted = |value: &String| format!("\"{}\"", value.replace('\\', r"\\").replace('"', "\\\""));
        let parts = values.iter().enumerate().map(|(n, value)| format!("X-{n}: {}", quoted(value)));
        let read = headers(&parts.collect::<Vec<_>>().join(", ")).unwrap();
        prop_assert_eq!(read.into_iter().map(|(_, value)| value).collect::<Vec<_>>(), values);
    }

    /// And what has no comma and no quotation mark at its beginning needs none.
    #[test]
    fn plain_values_are_as_they_are_written(values in proptest::collection::vec("[!#-+\\--~]([ -+\\--~]{0,20}[!-+\\--~])?", 1..5)) {
        let parts = values.iter().enumerate().map(|(n, value)| format!("X-{n}: {value}"));
        let read = headers(&parts.collect::<Vec<_>>().join(",")).unwrap();
        prop_assert_eq!(read.into_iter().map(|(_, value)| value).collect::<Vec<_>>(), values);
    }
}
