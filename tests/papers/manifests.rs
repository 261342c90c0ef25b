//! Are the manifests YAML that says what it should, and does the NetworkPolicy follow from what the plugin does?
//!
//! They are ours and plain: maps, lists and scalars. A reader of so much of YAML is shorter than a dependency is long.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

const FOLDER: &str = "fluent-bit-conf/kubernetes";

/// The documents of a file.
fn documents(file: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FOLDER).join(file);
    let text = fs::read_to_string(path).expect("a manifest");
    text.split("\n---\n")
        .map(|document| parse(document).unwrap_or_else(|why| panic!("{file}: {why}")))
        .collect()
}

fn parse(text: &str) -> Result<Value, String> {
    let mut lines = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#')) {
        if line.contains('\t') || line.trim_end() != line || line.contains(" #") {
            return Err(format!("a tab, a blank at the end or a comment behind: {line:?}"));
        }
        let indent = line.len() - line.trim_start().len();
        lines.push((indent, line.trim_start().to_owned()));
    }
    let mut lines = &lines[..];
    let value = block(&mut lines, 0)?;
    lines.first().map_or(Ok(value), |(_, line)| Err(format!("not expected here: {line}")))
}

type Lines<'l> = &'l [(usize, String)];

/// A map or a list whose lines stand this deep.
fn block(lines: &mut Lines<'_>, depth: usize) -> Result<Value, String> {
    let Some((_, first)) = lines.first() else { return Err("nothing".to_owned()) };
    if first.starts_with("- ") {
        let mut items = Vec::new();
        while let Some((indent, line)) = lines.first().filter(|(indent, _)| *indent == depth) {
            let Some(item) = line.strip_prefix("- ") else { break };
            // The item is a block whose first line stands behind the dash.
            let mut inner = vec![(indent + 2, item.to_owned())];
            *lines = &lines[1..];
            let deeper = lines.iter().take_while(|(indent, _)| *indent > depth).count();
            inner.extend_from_slice(&lines[..deeper]);
            *lines = &lines[deeper..];
            let mut rest = &inner[..];
            items.push(if item.contains(": ") || item.ends_with(':') {
                block(&mut rest, depth + 2)?
            } else {
                scalar(item)?
            });
        }
        return Ok(Value::Array(items));
    }
    let mut map = Map::new();
    while let Some((_, line)) = lines.first().filter(|(indent, _)| *indent == depth) {
        let (key, value) = match line.split_once(": ") {
            Some((key, value)) => (key, Some(value)),
            None => (line.strip_suffix(':').ok_or_else(|| format!("no key: {line}"))?, None),
        };
        let key = key.to_owned();
        let value = value.map(scalar).transpose()?;
        *lines = &lines[1..];
        let value = match (value, lines.first()) {
            (Some(value), _) => value,
            (None, Some((deeper, _))) if *deeper > depth => {
                let deeper = *deeper;
                block(lines, deeper)?
            }
            (None, _) => return Err(format!("{key} has no value")),
        };
        if map.insert(key.clone(), value).is_some() {
            return Err(format!("{key} stands twice"));
        }
    }
    if map.is_empty() { Err("neither a map nor a list".to_owned()) } else { Ok(Value::Object(map)) }
}

fn scalar(text: &str) -> Result<Value, String> {
    if let Some(list) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        return list.split(',').map(|item| scalar(item.trim())).collect();
    }
    let bare = text.trim_matches('"');
    if bare.starts_with(['{', '&', '*', '|', '>', '!', '%', '@', '\'', '[']) || bare.contains(": ") {
        return Err(format!("more of YAML than is read here: {text}"));
    }
    Ok(match bare.parse::<u64>() {
        Ok(number) if bare == text => number.into(),
        _ => bare.into(),
    })
}

#[test]
fn each_manifest_can_be_read_and_names_what_it_is() {
    for (file, kinds) in [
        ("rbac.yaml", &["Namespace", "ServiceAccount", "ClusterRole", "ClusterRoleBinding"][..]),
        ("network-policy.yaml", &["NetworkPolicy"]),
    ] {
        let documents = documents(file);
        let found: Vec<&str> = documents.iter().filter_map(|document| document["kind"].as_str()).collect();
        assert_eq!(found, kinds, "{file}");
        for document in documents {
            assert!(
                document["apiVersion"].is_string() && document["metadata"]["name"].is_string(),
                "{document}"
            );
            let namespace = &document["metadata"]["namespace"];
            assert!(namespace.is_null() || namespace == "event-gateway", "{document}");
        }
    }
}

#[test]
fn the_network_policy_lets_through_what_the_plugin_needs_and_no_more() {
    let policy = &documents("network-policy.yaml")[0];
    assert_eq!(policy["apiVersion"], "networking.k8s.io/v1");
    let spec = &policy["spec"];
    assert_eq!(spec["policyTypes"], json!(["Ingress", "Egress"]), "what is not named is not restricted");
    assert_eq!(
        spec["podSelector"]["matchLabels"].as_object().map(Map::len),
        Some(1),
        "not all pods of the namespace"
    );
    let ports = |direction: &str| -> Vec<(String, u64)> {
        let rules = spec[direction].as_array().expect("rules");
        let ports = rules.iter().flat_map(|rule| rule["ports"].as_array().expect("a rule names its ports"));
        let pair = |port: &Value| Some((port["protocol"].as_str()?.to_owned(), port["port"].as_u64()?));
        ports.map(|port| pair(port).expect("a port")).collect()
    };
    let named = |pairs: &[(&str, u64)]| {
        pairs.iter().map(|(name, port)| ((*name).to_owned(), *port)).collect::<Vec<_>>()
    };
    // The page of metrics and the webhook, as the documents have them.
    assert_eq!(ports("ingress"), named(&[("TCP", 2020), ("TCP", 9880)]));
    assert_eq!(ports("egress"), named(&[("UDP", 53), ("TCP", 53), ("TCP", 443), ("TCP", 6443)]));
    for rule in spec["ingress"].as_array().expect("rules") {
        assert!(rule["from"].as_array().is_some_and(|from| !from.is_empty()), "from anywhere: {rule}");
    }
    for (file, port) in [("docs/metrics.md", "http_port    2020"), ("docs/sources.md", "port           9880")]
    {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).expect("a document");
        assert!(text.contains(port), "{file}");
    }
}

/// A check that cannot fail checks nothing.
#[test]
fn the_reader_refuses_what_is_none() {
    let good = "a: 1\nb:\n  - c: [x, y]\n    d:\n      e: \"2\"\n  - f\n";
    assert_eq!(parse(good), Ok(json!({"a": 1, "b": [{"c": ["x", "y"], "d": {"e": "2"}}, "f"]})));
    for bad in
        ["a: 1\na: 2\n", "a:\n", "a\n", "a:\n\tb: 1\n", "a: 1\n   b: 2\n", "a: {b: 1}\n", "a: 1 # c\n", ""]
    {
        assert!(parse(bad).is_err(), "{bad}");
    }
}
