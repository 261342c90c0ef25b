//! Any bytes as settings, of the output and of the filter: `key value`, one a line.
//!
//! A line whose first word is no key sets a key all the same, so that every line counts.

use event_gateway::config::keys::{FILTER_KEYS, KEYS, Key, Shows};
use event_gateway::config::{self, ConfigError, PathError, Settings, Source, shown};

use super::{Body, Seen};

/// What must not be shown where it is a secret.
const SECRET: &str = "S3CR3T";
const LONGEST_LINE: usize = 3_000;

pub struct Config {
    seen: Seen,
}

impl Body for Config {
    const NAME: &'static str = "config";

    const WORDS: &'static [&'static [u8]] = &[
        b"\nendpoint http://h\n",
        b"\nendpoint https://",
        b"\nheaders X-Key: S3CR3T, A: b\n",
        b": \"",
        b"\\\"",
        b"\\\\",
        b"\", ",
        b"\nbearer_token_file /",
        b"\nbasic_user S3CR3T\n",
        b"\nbasic_password_file /x\n",
        b"\nclient_cert_file ",
        b"\nkube_url ",
        b"\nstate_file /s\n",
        b"\ndead_letter_file /s\n",
        b"\nbatch_events ",
        b"\nbatch_bytes ",
        b"\ntimeout ",
        b"\nnamespaces ",
        b"\ndedup off\n",
        b"\ncorrelate on\n",
        b"S3CR3T",
        b"missing",
        b"user:S3CR3T@",
        b"?token=S3CR3T",
        b"[::1]:",
        b"://",
        b"../",
        b"-1",
        b"1e400",
        b"18446744073709551616",
        b"9007199254740993",
        b".5ms",
        b"GB",
        b"native",
        b"cloudevents_batch",
        b", ,*,a*b*",
        b"\0",
        b"\x1b[2J",
        b"\xff\xfe",
        b"\xe2\x80\xae",
    ];

    fn new() -> Self {
        Self { seen: Seen::default() }
    }

    fn seeds() -> Vec<Vec<u8>> {
        let whole = "endpoint https://gateway.example:8443/events?token=S3CR3T\nheaders X-Key: S3CR3T, Authorization: Basic S3CR3T\n\
            cluster_name prod-eu\nbatch_events 200\nbatch_bytes 512K\ntimeout 5s\nnamespaces shop, kube-*\nlabels app, tier\n\
            state_file /var/lib/ledger\ndead_letter_file /var/lib/dead\nledger_ttl 2h\nkube_url http://127.0.0.1:8001\n";
        let mut seeds: Vec<Vec<u8>> = vec![
            whole.into(),
            "endpoint http://h\nbearer_token_file /token\nca_file /ca\nclient_cert_file ./c\nclient_key_file ./k\n".into(),
            "endpoint http://h\nbasic_user S3CR3T\nbasic_password_file S3CR3T\n".into(),
            "endpoint http://h\nheaders A: \"S3CR3T, b\", C: \"\\\"S3CR3T\\\" \\\\\", D: e \"f\", G: \"\"\n".into(),
            "dedup off\nstate_file /s\nkeep_managed_fields on\ncorrelate on\ntombstone_ttl 7d\n".into(),
            "endpoint http://S3CR3T@h/\nkube_url https://me:S3CR3T@k\nkube_token_file missing\n".into(),
        ];
        // Each key with its default, or with something.
        for key in KEYS.iter().chain(FILTER_KEYS) {
            seeds.push(format!("endpoint http://h\n{} {}\n", key.name, key.default.unwrap_or("/x")).into());
        }
        seeds
    }

    fn check(&mut self, input: &[u8], closely: bool) {
        let properties: Vec<(&Key, &[u8])> =
            input.split(|byte| *byte == b'\n').filter_map(property).collect();
        // The host knows one value for a key: the first line that sets it.
        let value = |name: &str| properties.iter().find(|(key, _)| key.name == name).map(|(_, value)| *value);
        let source = Source {
            property: &|name| value(name).filter(|value| !value.is_empty()).map(<[u8]>::to_vec),
            readable: &|path| if path.ends_with("missing") { Err(PathError::NotInAFolder) } else { Ok(()) },
            contents: &|path| {
                if path.ends_with("missing") { Err(PathError::NotUtf8) } else { Ok("{}".to_owned()) }
            },
            writable: &|path| if path.ends_with("missing") { Err(PathError::NotInAFolder) } else { Ok(()) },
            environment: &|_| input.first().map(u8::to_string),
        };
        let mut said = String::new();
        // The two have most keys in common.
        let of_filter = closely || input.len().is_multiple_of(4);
        match config::read(&source) {
            Ok(settings) => {
                self.seen.good += 1;
                assert!((1..=10_000).contains(&settings.batch_events));
                assert!((1_000..=64_000_000).contains(&settings.batch_bytes));
                assert!(!settings.endpoint.shown.contains('?'), "{}", settings.endpoint.shown);
                said = shown::output_line(&source, &settings);
                assert!(said.len() < LONGEST_LINE, "{} bytes", said.len());
                if !settings.headers.is_empty() {
                    read_again(&settings);
                }
            }
            Err(errors) => {
                self.seen.bad += 1;
                say(&errors, KEYS, &mut said);
            }
        }
        match of_filter.then(|| config::read_filter(&source)) {
            Some(Ok(settings)) => said += &shown::filter_line(&source, &settings),
            Some(Err(errors)) => say(&errors, FILTER_KEYS, &mut said),
            None => {}
        }
        assert!(!said.contains(|c: char| c.is_control()), "{said:?}");
        if said.contains(SECRET) {
            assert!(
                properties.iter().any(|(key, value)| may_be_shown(key, value)),
                "a secret is shown: {said}"
            );
        }
    }

    fn seen(&self) -> Seen {
        self.seen
    }
}

/// Whatever the headers were, they can be written in quotation marks, and are the same again.
fn read_again(settings: &Settings) {
    let quoted = settings.headers.iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes());
        format!("{name}: \"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
    });
    let quoted = quoted.collect::<Vec<_>>().join(", ");
    let source = Source {
        property: &|name| match name {
            "endpoint" => Some(b"http://h".to_vec()),
            "headers" => Some(quoted.clone().into_bytes()).filter(|text| !text.is_empty()),
            _ => None,
        },
        readable: &|_| Ok(()),
        contents: &|_| Ok(String::new()),
        writable: &|_| Ok(()),
        environment: &|_| None,
    };
    let again = config::read(&source).expect("what can be sent can be written");
    assert_eq!(again.headers, settings.headers, "{quoted}");
}

fn property(line: &[u8]) -> Option<(&'static Key, &[u8])> {
    let end = line.iter().position(|byte| *byte == b' ')?;
    let (name, value) = (&line[..end], &line[end + 1..]);
    let all = || KEYS.iter().chain(FILTER_KEYS);
    let named = all().find(|key| key.name.as_bytes() == name);
    let sum: usize = name.iter().map(|byte| usize::from(*byte)).sum();
    Some((named.or_else(|| all().nth(sum % (KEYS.len() + FILTER_KEYS.len())))?, value))
}

/// Holds the errors against what is said of them, and appends them as a log has them.
fn say(errors: &[ConfigError], keys: &[Key], said: &mut String) {
    let place = |error: &ConfigError| keys.iter().position(|key| key.name == error.key);
    assert!(!errors.is_empty());
    assert!(errors.iter().all(|error| place(error).is_some()), "{errors:?}");
    assert!(errors.iter().map(place).is_sorted(), "{errors:?}");
    for error in errors {
        let before = said.len();
        *said += &error.to_string();
        // Paths are shown whole.
        let is_path = keys.iter().any(|key| key.name == error.key && key.shows == Shows::Path);
        assert!(is_path || said.len() - before < 700, "{error}");
    }
}

/// Whether the secret stands in this value where it can be no secret, or nobody could know that it is one.
fn may_be_shown(key: &Key, value: &[u8]) -> bool {
    let text = String::from_utf8_lossy(value);
    let text = text.trim();
    match key.shows {
        Shows::Nothing => false,
        Shows::All => text.contains(SECRET),
        Shows::Path => text.starts_with(['/', '.']) && text.contains(SECRET),
        // The name of a header, in front of its colon.
        Shows::HeaderNames => text
            .split(',')
            .any(|part| part.split_once(':').is_some_and(|(name, _)| name.to_uppercase().contains(SECRET))),
        // Host and path. A user in a URL is reported, without being shown.
        Shows::Url => {
            let end = text.find(['?', '#']).unwrap_or(text.len());
            let rest = text[..end].split_once("://").map_or("", |(_, rest)| rest);
            let authority = rest.split('/').next().unwrap_or_default();
            // One URL behind the scheme of another is found out as well.
            let mut others = rest.split("//").skip(1).filter_map(|rest| rest.split('/').next());
            text[..end].contains(SECRET)
                && !authority.contains('@')
                && !others.any(|other| other.contains('@'))
        }
    }
}
