//! Records with a secret planted in them, in shapes that the bytes of an input choose: the body of a request about a
//! Secret in any form, or an object that holds secrets anywhere in another one.

use serde_json::{Map, Value, json};

use super::wrapped::WRAPPERS;

/// With a blank, so that it is nowhere taken for a name; its base64 ends in an equals sign.
pub const CANARY: &str = "CANARY hunter2";
pub const ENCODED: &str = "Q0FOQVJZIGh1bnRlcjI=";

/// The bytes of an input, one after the other, and zeros behind them.
pub struct Choices<'i> {
    bytes: std::slice::Iter<'i, u8>,
    /// Whether the secret was planted.
    pub planted: bool,
}

const RESOURCES: [(&str, &str); 12] = [
    ("secrets", ""),
    ("secrets", "status"),
    ("Secrets.v1", ""),
    ("secrets.", "x"),
    ("SECRETS", ""),
    ("secrets/x", ""),
    ("serviceaccounts", "token"),
    ("ServiceAccounts.v1", "Token"),
    ("tokenreviews", ""),
    ("tokenreviews.authentication.k8s.io", "y"),
    ("tokenrequests", ""),
    ("", ""),
];
const OTHERS: [&str; 4] = ["configmaps", "templates", "deployments", "externalsecrets"];
const KINDS: [&str; 8] =
    ["Secret", "SecretList", "TokenRequest", "TokenReview", "secret", "SECRET", "Secret.v1", "v1/Secret"];
const KEYS: [&str; 40] = [
    "data",
    "stringData",
    "kind",
    "apiVersion",
    "type",
    "immutable",
    "metadata",
    "name",
    "labels",
    "annotations",
    "managedFields",
    "fieldsV1",
    "manager",
    "ownerReferences",
    "finalizers",
    "items",
    "object",
    "spec",
    "status",
    "token",
    "value",
    "op",
    "path",
    "from",
    "raw",
    "contentType",
    "message",
    "details",
    "causes",
    "$patch",
    "x",
    "a b",
    "",
    "requestObject",
    "responseObject",
    "objectRef",
    "involvedObject",
    "uid",
    "namespace",
    "template",
];
/// In which tools keep an object.
const APPLIED: [&str; 6] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    "objectset.rio.cattle.io/applied",
    "kapp.k14s.io/original",
    "banzaicloud.com/last-applied",
    "internal.config.kubernetes.io/x",
    "kopf.zalando.org/last-handled-configuration",
];

impl<'i> Choices<'i> {
    pub fn new(input: &'i [u8]) -> Self {
        Self { bytes: input.iter(), planted: false }
    }

    pub fn below(&mut self, count: usize) -> usize {
        usize::from(self.bytes.next().copied().unwrap_or(0)) % count
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// One record, whatever its kind.
    pub fn record(&mut self) -> Value {
        let record = match self.below(8) {
            0..4 => self.about_a_secret(),
            4 | 5 => self.about_another(),
            6 => self.event(),
            _ => self.holding_one(3),
        };
        match self.below(6) {
            0 => (WRAPPERS[self.below(WRAPPERS.len())].wrap)(&record),
            1 => {
                json!({"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "items": [record, {"auditID": "n", "verb": "get"}]})
            }
            2 => json!({self.pick(&["log", "line", "payload", "x"]): record.to_string()}),
            3 => json!({"deeper": {"list": [1, record]}}),
            _ => record,
        }
    }

    fn about_a_secret(&mut self) -> Value {
        let (resource, subresource) = self.pick(&RESOURCES);
        let mut record = audit(resource);
        if !subresource.is_empty() {
            record["objectRef"]["subresource"] = json!(subresource);
        }
        for body in ["requestObject", "responseObject"] {
            if !self.one_in(4) {
                record[body] = self.body(4);
            }
        }
        // Without a resource nothing but a body says that it is about one.
        if !resource.is_empty() {
            if self.one_in(3) {
                record["responseStatus"] =
                    json!({"code": 422, "message": self.secret(), "details": self.body(2)});
            }
            if self.one_in(4) {
                record["annotations"] = json!({"patch.webhook.admission.k8s.io/round_0_index_0": self.secret(), "x": self.body(1)});
            }
            if self.one_in(4) {
                record["requestURI"] = json!(format!("/api/v1/secrets?data={}&limit=5", self.secret()));
            }
        }
        record
    }

    fn about_another(&mut self) -> Value {
        let mut record = audit(self.pick(&OTHERS));
        record["requestObject"] = self.holding_one(4);
        if self.one_in(2) {
            record["responseObject"] = self.holding_one(3);
        }
        record
    }

    fn event(&mut self) -> Value {
        json!({"kind": "Event", "apiVersion": "v1", "metadata": {"uid": "u", "resourceVersion": "1", "annotations":
            {"x": self.holding_one(1), "y": self.document()}}, "involvedObject": {"kind": "Secret", "name": "db"},
            "reason": "R", "message": self.document()})
    }

    /// The secret in plain text, in base64, or in a document; now and then something else.
    fn secret(&mut self) -> String {
        if self.one_in(8) {
            return "nothing".to_owned();
        }
        self.planted = true;
        match self.below(4) {
            0 => ENCODED.to_owned(),
            1 => self.document(),
            _ => CANARY.to_owned(),
        }
    }

    /// A text that tells an object which holds the secret.
    fn document(&mut self) -> String {
        self.planted = true;
        let kind = self.pick(&KINDS);
        let json = json!({"kind": kind, "data": {"p": ENCODED}, "stringData": {"p": CANARY}}).to_string();
        match self.below(14) {
            0 => format!("apiVersion: v1\nkind: {kind}\ndata:\n  p: {ENCODED}\n"),
            1 => format!("a: b\n---\nstringData: {{p: {CANARY}}}\nkind: \"{kind}\" # it is\n"),
            2 => format!("{{kind: '{kind}', stringData: {{p: {CANARY}}}}}"),
            3 => json!({"log": json}).to_string(),
            4 => Value::from(json).to_string(),
            5 => format!("applying {json}, as said"),
            6 => format!("{{}}\n{json}\nand more"),
            7 => format!("{{\"kind\"=>\"{kind}\", \"data\"=>{{\"p\"=>\"{CANARY}\"}}}}"),
            8 => format!("{{kind={kind}, stringData={{p={CANARY}}}}}"),
            9 => format!("{}{json}{}", "[".repeat(70), "]".repeat(70)),
            10 => json.replace('"', "&quot;"),
            11 => format!("kind: |-\n  {kind}\nstringData: {{p: {CANARY}}}\n"),
            _ => json,
        }
    }

    /// What a client may send as the body of a request about a Secret.
    fn body(&mut self, depth: usize) -> Value {
        match self.below(if depth == 0 { 4 } else { 10 }) {
            0 => json!(self.below(9)),
            1 => Value::Null,
            2 | 3 => json!(self.secret()),
            4 | 5 => (0..self.below(4)).map(|_| self.body(depth - 1)).collect(),
            _ => {
                let mut members = Map::new();
                for _ in 0..=self.below(6) {
                    let key = if self.one_in(12) { self.secret() } else { self.key() };
                    members.insert(key, self.body(depth - 1));
                }
                members.into()
            }
        }
    }

    fn key(&mut self) -> String {
        if self.one_in(8) { self.pick(&APPLIED).to_owned() } else { self.pick(&KEYS).to_owned() }
    }

    /// A document of another kind, in which objects and texts stand that hold the secret, and nothing else of it.
    fn holding_one(&mut self, depth: usize) -> Value {
        match self.below(if depth == 0 { 4 } else { 9 }) {
            0 => {
                let mut object = json!({"kind": self.pick(&KINDS), "x": self.secret()});
                object[self.pick(&KEYS[4..])] = self.body(2);
                object
            }
            1 => json!(self.document()),
            2 => json!({self.pick(&APPLIED): self.secret()}),
            3 => json!({"op": "add", "value": self.secret(),
                "path": format!("/metadata/annotations/{}", self.pick(&APPLIED).replace('/', "~1"))}),
            4 | 5 => (0..self.below(4)).map(|_| self.holding_one(depth - 1)).collect(),
            _ => {
                // None that makes an audit record of it.
                let keys = &KEYS[7..33];
                (0..=self.below(5))
                    .map(|_| (self.pick(keys).to_owned(), self.holding_one(depth - 1)))
                    .collect::<Map<_, _>>()
                    .into()
            }
        }
    }
}

fn audit(resource: &str) -> Value {
    json!({"kind": "Event", "apiVersion": "audit.k8s.io/v1", "auditID": "a", "stage": "ResponseComplete",
        "verb": "patch", "user": {"username": "jane"}, "requestURI": "/api",
        "objectRef": {"resource": resource, "namespace": "shop", "name": "db"}})
}
