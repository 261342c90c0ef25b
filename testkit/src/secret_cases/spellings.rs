//! Objects that hold secrets as tools and languages print them, and audit records as shippers change them.

use serde_json::{Value, json};

use super::{CANARY, Row, audit, encoded, secret, yaml};

/// Texts that tell such an object in another language than JSON or YAML, or in JSON that no parser reads whole.
pub fn texts() -> Vec<Row> {
    let line = |text: String| json!({"line": text, "stream": "stdout"});
    let deep = format!("{}{}{}", "[".repeat(70), secret(), "]".repeat(70));
    vec![
        (
            "the host's and Ruby's",
            line(format!("[0] a: [[1.0, {{}}], {{\"kind\"=>\"Secret\", \"data\"=>\"{CANARY}\"}}]")),
            &["stdout"],
        ),
        ("Java's", line(format!("Secret(apiVersion=v1, data={{p={CANARY}}}, kind=Secret)")), &["stdout"]),
        (
            "Go's",
            line(format!("got &Secret{{ObjectMeta:{{db}},StringData:map[string]string{{p: {CANARY},}}}}")),
            &["stdout"],
        ),
        (
            "Go's with types",
            line(format!("v1.Secret{{TypeMeta:v1.TypeMeta{{Kind:\"\"}}, Data:{{\"p\":\"{CANARY}\"}}}}")),
            &[],
        ),
        ("Python's", line(format!("{{u'kind': u'Secret', u'data': {{u'p': u'{CANARY}'}}}}")), &[]),
        ("Terraform's", line(format!("kind = \"Secret\"\n data = {{ p = \"{CANARY}\" }}")), &[]),
        ("a block of YAML", line(format!("kind: >-\n  Secret\nstringData:\n  p: {CANARY}\n")), &[]),
        (
            "in colours",
            line(format!(
                "\u{1b}[1m\"kind\"\u{1b}[0m: \u{1b}[0;32m\"Secret\"\u{1b}[0m, \"data\": \"{CANARY}\""
            )),
            &[],
        ),
        (
            "in HTML",
            line(format!("{{&quot;kind&quot;:&quot;Secret&quot;,&quot;data&quot;:&quot;{CANARY}&quot;}}")),
            &[],
        ),
        (
            "in a query",
            line(format!("/x?body=%7B%22kind%22%3A%22Secret%22%2C%22data%22%3A%22{CANARY}%22%7D")),
            &[],
        ),
        ("JSON that nests too deep", line(deep.clone()), &["stdout"]),
        (
            "the same in a ConfigMap",
            audit(
                "configmaps",
                json!({"requestObject": {"kind": "ConfigMap", "data": {"a": deep, "b": "stays"}}}),
            ),
            &["stays"],
        ),
        (
            "YAML that JSON's parsers refuse",
            line(format!("{{\"kind\": \"\\x53ecret\", \"data\": \"{CANARY}\"}}")),
            &[],
        ),
        (
            "what kubectl keeps, as Ruby prints it",
            line(format!("\"kubectl.kubernetes.io/last-applied-configuration\"=>\"{CANARY}\"")),
            &["stdout"],
        ),
    ]
}

/// Audit records about such objects whose members were renamed, flattened, sorted, lost or appended.
pub fn records() -> Vec<Row> {
    let of = |members: Value| {
        let mut record = json!({"auditID": "a", "verb": "patch", "stage": "ResponseComplete", "user": {"username": "jane"}});
        record.as_object_mut().expect("a map").extend(members.as_object().expect("members").clone());
        record
    };
    let path = "/api/v1/namespaces/shop/secrets/db";
    let policy = json!({"validation.policy.admission.k8s.io/validation_failure": format!("[{{\"message\":\"{CANARY}\"}}]")});
    // Members of these are in the order of their names.
    let sorted = audit("secrets", json!({"annotations": policy, "level": "Metadata"})).to_string();
    let cut = audit("secrets", json!({"requestObject": {"x": 1}})).to_string();
    let cut = &cut[cut.find('{').expect("a brace")..cut.find("\"x\"").expect("a body")];
    vec![
        (
            "flat, by points",
            of(
                json!({"objectRef.resource": "secrets", "requestObject.data.p": CANARY, "requestObject.kind": "Secret"}),
            ),
            &["jane"],
        ),
        (
            "flat, by underscores",
            of(json!({"objectRef_resource": "secrets", "responseObject_data_p": CANARY})),
            &["jane"],
        ),
        (
            "flat, of a token",
            of(
                json!({"objectRef.resource": "serviceaccounts", "objectRef.subresource": "token", "responseObject.status.token": CANARY}),
            ),
            &["jane"],
        ),
        (
            "in snake case",
            of(json!({"object_ref": {"resource": "secrets"}, "request_object": {"data": {"p": CANARY}}})),
            &["jane"],
        ),
        (
            "without objectRef",
            of(json!({"requestURI": path, "responseStatus": {"code": 422, "message": CANARY}})),
            &["jane", "422"],
        ),
        (
            "without objectRef, a query",
            of(json!({"objectRef": null, "requestURI": format!("{path}?data={CANARY}&limit=5")})),
            &["limit=5"],
        ),
        (
            "without objectRef, of a token",
            of(
                json!({"requestURI": "/api/v1/namespaces/shop/serviceaccounts/a/token", "response": {"token": CANARY}}),
            ),
            &["jane"],
        ),
        (
            "Rancher's",
            of(
                json!({"requestURI": "/v1/secrets/shop/db", "method": "PUT", "requestBody": {"data": {"p": CANARY}}, "responseBody": {"data": CANARY}}),
            ),
            &["jane"],
        ),
        (
            "a patch in a text",
            audit(
                "secrets",
                json!({"patch": format!("[{{\"path\":\"/data/p\",\"value\":\"{CANARY}\"}}]"), "cluster": "prod 1"}),
            ),
            &["jane"],
        ),
        (
            "YAML in a text",
            audit("secrets", json!({"body": format!("stringData:\n  p: {CANARY}\n"), "node": "n1"})),
            &["jane"],
        ),
        (
            "base64 in a text",
            audit("secrets", json!({"body": encoded(&yaml()), "path": "/var/log/audit.log"})),
            &["jane"],
        ),
        (
            "a key that is a document",
            audit("secrets", json!({yaml(): 1, format!("{{\"data\":\"{CANARY}\"}}"): 1})),
            &["jane"],
        ),
        ("sorted, as a text", json!({"line": sorted}), &["auditID", "secrets"]),
        (
            "sorted, as a text that was cut",
            json!({"line": &sorted[..sorted.len() - 1]}),
            &["auditID", "secrets"],
        ),
        ("behind an object in a text", json!({"line": format!("{}\n{cut}", secret())}), &["auditID", "db"]),
        (
            "before an object in a text",
            json!({"line": format!("{{\"auditID\":\"a\",\"verb\":\"get\"}}\n{}\n{cut}", secret())}),
            &["get"],
        ),
    ]
}
