//! Does any value of any key make the settings panic, or show a secret? `PROPTEST_CASES=100000` tries so many at
//! random; `started` tries real files, and `mutations` many more of everything.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use super::{cases, reading};
use cases::cases;
use event_gateway::config::keys::{FILTER_KEYS, KEYS};
use proptest::prelude::*;
use reading::*;

#[test]
fn every_key_takes_every_hostile_value_or_says_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let unreadable = folder.path().join("unreadable");
    std::fs::write(&unreadable, "x").unwrap();
    std::fs::set_permissions(&unreadable, std::os::unix::fs::PermissionsExt::from_mode(0o000)).unwrap();
    let folder_path = folder.path().to_str().unwrap().as_bytes().to_vec();
    let values: Vec<Vec<u8>> = vec![
        b"".to_vec(),
        b"   ".to_vec(),
        vec![b'a'; 1 << 20],
        b"a, ".repeat(1 << 18),
        vec![b'*'; 1 << 20],
        vec![b'9'; 1 << 20],
        [&b"https://h/"[..], &vec![b'a'; 1 << 20]].concat(),
        [&b"/"[..], &vec![b'a'; 1 << 20]].concat(),
        b"a\0b".to_vec(),
        b"\x1b[2J\x07".to_vec(),
        b"two\nlines".to_vec(),
        b"\xff\xfe\xc0".to_vec(),
        "ü👩‍👩‍👧\u{202e}\u{feff}".as_bytes().to_vec(),
        b"-1".to_vec(),
        b"-0".to_vec(),
        b"+1".to_vec(),
        b"18446744073709551616".to_vec(),
        b"18446744073709551616K".to_vec(),
        b"340282366920938463463374607431768211456".to_vec(),
        b"1e400".to_vec(),
        b"0x10".to_vec(),
        b"1.1.1".to_vec(),
        b".".to_vec(),
        b"NaN".to_vec(),
        b"inf".to_vec(),
        b"../../../../etc/shadow".to_vec(),
        b"/".to_vec(),
        b"%s%n${HOME}".to_vec(),
        b"\"'\\".to_vec(),
        b"http://".to_vec(),
        b"https://[::1".to_vec(),
        b"http://user:password@host/".to_vec(),
        b": ,:,a:".to_vec(),
        folder_path,
        unreadable.to_str().unwrap().as_bytes().to_vec(),
    ];
    let mut good = 0;
    let mut wrong = 0;
    let of_output = KEYS.iter().map(|key| (key, true));
    for (key, of_output) in of_output.chain(FILTER_KEYS.iter().map(|key| (key, false))) {
        for value in &values {
            let mut properties: Vec<(&str, &[u8])> = vec![("endpoint", b"http://h")];
            properties.retain(|(name, _)| *name != key.name);
            properties.push((key.name, value));
            let read =
                if of_output { read(&properties).map(drop) } else { read_filter(&properties).map(drop) };
            match read {
                Ok(()) => good += 1,
                Err(errors) => {
                    wrong += 1;
                    assert!(!errors.is_empty());
                    for error in errors {
                        // A pair of keys may be reported by the one that is missing.
                        let family = |name: &str| name.split('_').next().unwrap().to_owned();
                        assert_eq!(family(error.key), family(key.name), "{error}");
                        let shown = error.to_string();
                        assert!(!shown.contains(|c: char| c.is_control()), "{shown:?}");
                        assert!(shown.len() < 600, "{} bytes", shown.len());
                    }
                }
            }
        }
    }
    assert_eq!(good + wrong, (KEYS.len() + FILTER_KEYS.len()) * values.len());
    assert!(good > 100 && wrong > 300, "{good} good, {wrong} wrong");
}

/// One URL pasted behind the scheme of another: `https` is the host then, and the rest a path, which is shown.
#[test]
fn a_password_is_found_in_a_url_behind_another() {
    for key in ["endpoint", "kube_url"] {
        for url in ["https://https://me:S3CR3T@host/", "https://tps://me:S3CR3T@k", "http://h/x//S3CR3T@k/y"]
        {
            let errors = read(&[("endpoint", b"http://h"), (key, url.as_bytes())]).unwrap_err();
            let reported = errors[0].to_string();
            assert!(
                errors[0].key == key && reported.contains("password") && !reported.contains("S3CR3T"),
                "{reported}"
            );
        }
        for url in ["http://h/@scope/x", "http://h/a//b/c@d"] {
            assert!(read(&[("endpoint", b"http://h"), (key, url.as_bytes())]).is_ok(), "{url}");
        }
    }
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn no_bytes_make_it_panic(
        values in proptest::collection::vec(
            (0..KEYS.len(), proptest::collection::vec(any::<u8>(), 0..40)), 1..6),
        texts in proptest::collection::vec((0..KEYS.len(), "[-+.0-9a-zA-Z:/@?#%*, \t]{0,20}"), 1..6),
    ) {
        let mut properties: Vec<(&str, &[u8])> = Vec::new();
        properties.extend(values.iter().map(|(key, value)| (KEYS[*key].name, &**value)));
        properties.extend(texts.iter().map(|(key, value)| (KEYS[*key].name, value.as_bytes())));
        if let Err(errors) = read(&properties) {
            let places: Vec<_> =
                errors.iter().map(|error| KEYS.iter().position(|key| key.name == error.key)).collect();
            prop_assert!(places.is_sorted() && !places.contains(&None) && !places.is_empty());
        }
    }

    #[test]
    fn no_secret_is_ever_repeated(
        before in "[ -~ü]{0,12}",
        after in "[ -~ü\u{0}\n]{0,12}",
        shape in 0usize..8,
        scheme in proptest::sample::select(&["http://", "https://", "", "ht!tp://"][..]),
    ) {
        const SECRET: &str = "S3CR3T";
        let url = |rest: &str| ("endpoint", format!("{scheme}{before}{rest}{after}"));
        let (key, value) = match shape {
            0 => ("headers", format!("Authorization: {SECRET}{after}")),
            1 => ("headers", format!("{before}, X-Key:{SECRET}{after}, Host: x")),
            2 => ("headers", format!("{SECRET}{after}")),
            3 => url(&format!("me:{SECRET}@host/")),
            4 => url(&format!("host/?token={SECRET}")),
            5 => url(&format!("{SECRET}@")),
            6 => url(&format!("host/#{SECRET}")),
            _ => ("headers", format!("{before}:{SECRET}{after}")),
        };
        let good: (&str, &[u8]) = ("endpoint", b"http://h");
        let bad: (&str, &[u8]) = ("batch_events", b"many");
        let properties = [good, bad, (key, value.as_bytes())];
        let errors = read(&properties).unwrap_err();
        let reported = format!("{errors:?} {}", errors.iter().map(ToString::to_string).collect::<String>());
        prop_assert!(!reported.contains(SECRET), "{reported}");
        if let Ok(settings) = read(&[good, (key, value.as_bytes())]) {
            // In a path, or as the host, it is no secret that we could know of.
            let url: ureq::http::Uri = settings.endpoint.url.parse().unwrap();
            let is_public = url.path().contains(SECRET) || url.host().unwrap().contains(SECRET);
            prop_assert!(is_public || !settings.endpoint.shown.contains(SECRET), "{:?}", settings.endpoint);
        }
    }
}
