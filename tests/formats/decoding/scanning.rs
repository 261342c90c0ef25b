//! Do lists and watches come apart into the same items and lines, however their bytes are cut?
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use super::cases;
use cases::cases;
use event_gateway::topology::list_scanner::{ListError, ListMeta, ListScanner, MAX_ITEM_BYTES};
use proptest::prelude::*;

/// Items, what was left out, and the end, of a body that comes in pieces.
type Scanned = (Vec<String>, u64, Result<ListMeta, ListError>);

fn scan<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Scanned {
    let mut scanner = ListScanner::default();
    let mut items = Vec::new();
    for piece in pieces {
        let fed = scanner.feed(piece, |item| items.push(String::from_utf8_lossy(item).into_owned()));
        if let Err(broken) = fed {
            return (items, scanner.refused(), Err(broken));
        }
    }
    let refused = scanner.refused();
    (items, refused, scanner.finish())
}

fn meta(version: &str, token: Option<&str>) -> ListMeta {
    ListMeta {
        resource_version: Some(version.to_owned()),
        token: token.map(str::to_owned),
        remaining_item_count: None,
    }
}

const LISTS: &[&str] = &[
    r#"{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"7"},"items":[{"a":1},{"b":[{}]}]}"#,
    r#" { "items" : [ { } , "x" , 12 , [ ] , null ] , "metadata" : { "resourceVersion" : "7" , "continue" : "t" } } "#,
    r#"{"items":null,"metadata":{"resourceVersion":"7"}}"#,
    r#"{"items":[],"metadata":{"resourceVersion":"7"},"more":{"items":[1,2],"metadata":{"x":"]}\"\\"}}}"#,
    r#"{"it\"ems":[1],"items\\":[2],"a_name_that_is_much_longer_than_items":[3],"items":["\"]},{\\"],"metadata":{"resourceVersion":"7"}}"#,
    r#"{"metadata":{"resourceVersion":"7"}}"#,
];

#[test]
fn lists_are_scanned_as_kubernetes_writes_them_and_stranger_ones() {
    let items = |n: usize| scan([LISTS[n].as_bytes()]);
    assert_eq!(items(0), (vec![r#"{"a":1}"#.into(), r#"{"b":[{}]}"#.into()], 0, Ok(meta("7", None))));
    let odd = ["{ }", "\"x\"", "12", "[ ]", "null"].map(String::from).to_vec();
    assert_eq!(items(1), (odd, 0, Ok(meta("7", Some("t")))));
    for none in [2, 3, 5] {
        assert_eq!(items(none), (vec![], 0, Ok(meta("7", None))), "{}", LISTS[none]);
    }
    assert_eq!(items(4).0, [r#""\"]},{\\""#]);
    assert_eq!(scan([&b"{}"[..]]), (vec![], 0, Ok(ListMeta::default())));
}

#[test]
fn what_is_no_list_is_reported_with_its_place() {
    for (text, offset) in [
        ("", 0),
        ("[]", 0),
        ("x", 0),
        ("{", 1),
        ("{}x", 2),
        (r#"{"a":1,}"#, 7),
        (r#"{"a" 1}"#, 5),
        (r#"{"a":}"#, 5),
        (r#"{"items":[{},]}"#, 13),
        (r#"{"items":[{}}"#, 12),
        (r#"{"items":[{]}]}"#, 11),
        (r#"{"items":[{}],"metadata":{"x":}}"#, 31),
        (r#"{"items":[{}]"#, 13),
        (r#"{"items":[{"#, 11),
        ("{\"a\nb\":1}", 3),
    ] {
        assert_eq!(scan([text.as_bytes()]).2, Err(ListError { offset }), "{text}");
    }
}

#[test]
fn what_is_too_large_or_too_deep_is_left_out_and_the_rest_is_not() {
    let text = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let items =
        [text(9), text(MAX_ITEM_BYTES + 1), text(MAX_ITEM_BYTES), nested(65), nested(64), nested(90_000)];
    // A member that is skipped may be of any size and depth.
    let list = format!(
        r#"{{"noise":[{},{}],"items":[{}],"metadata":{{"resourceVersion":"7"}}}}"#,
        text(MAX_ITEM_BYTES * 2),
        nested(500),
        items.join(",")
    );
    for size in [usize::MAX, MAX_ITEM_BYTES, 60_000, 4_099] {
        let (found, refused, end) = scan(list.as_bytes().chunks(size.min(list.len())));
        let lengths: Vec<_> = found.iter().map(String::len).collect();
        assert_eq!((lengths, refused), (vec![9, MAX_ITEM_BYTES, 128], 3), "in pieces of {size}");
        assert_eq!(end, Ok(meta("7", None)));
    }
}

proptest! {
    #![proptest_config(cases(1_000))]

    #[test]
    fn no_cut_changes_anything(
        list in 0..LISTS.len(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let mut bytes = LISTS[list].as_bytes().to_vec();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            // Every other change is one that JSON cares about.
            bytes[at] = if byte % 2 == 0 { b"{}[]\",:\\ 1n"[usize::from(byte / 2) % 11] } else { byte };
        }
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len())).collect();
        cuts.sort_unstable();
        let mut pieces = Vec::new();
        let mut from = 0;
        for cut in cuts {
            pieces.push(&bytes[from..cut]);
            from = cut;
        }
        pieces.push(&bytes[from..]);
        let whole = scan([&bytes[..]]);
        prop_assert_eq!(&scan(pieces), &whole);
        prop_assert_eq!(&scan(bytes.chunks(1)), &whole);
        // What serde_json takes as a list, this takes too.
        if let Ok(list) = serde_json::from_slice::<serde_json::Value>(&bytes)
            && let Some(items) = list.get("items").and_then(|items| items.as_array())
            && list.get("metadata").is_none_or(|meta| serde_json::from_value::<ListMeta>(meta.clone()).is_ok())
        {
            let found: Vec<serde_json::Value> =
                whole.0.iter().map(|item| serde_json::from_str(item).unwrap()).collect();
            prop_assert!(whole.2.is_ok());
            prop_assert!(found.ends_with(items));
        }
    }
}
