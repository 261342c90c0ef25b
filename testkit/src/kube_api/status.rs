//! The answers of a real API server that are no objects: `Status`, with the words that it uses.

use serde_json::{Value, json};

use super::asked::Asked;

/// An HTTP status and the `Status` that says why.
pub(super) struct Refusal {
    pub(super) code: u16,
    pub(super) retry_after_seconds: Option<u64>,
    pub(super) body: Value,
}

impl Refusal {
    pub(super) fn new(code: u16, reason: &str, message: &str) -> Self {
        let body = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": message, "reason": reason, "code": code,
        });
        Refusal { code, retry_after_seconds: None, body }
    }

    pub(super) fn bad_request(message: &str) -> Self {
        Self::new(400, "BadRequest", message)
    }

    pub(super) fn unauthorized() -> Self {
        Self::new(401, "Unauthorized", "Unauthorized")
    }

    /// The words by which a person finds the missing rule of RBAC.
    pub(super) fn forbidden(asked: &Asked) -> Self {
        let (resource, group) = (asked.resource.names().resource, asked.resource.group());
        let name = asked.scope.name.as_ref().map_or_else(String::new, |name| format!(" \"{name}\""));
        let place = match &asked.scope.namespace {
            Some(namespace) => format!("in the namespace \"{namespace}\""),
            None => "at the cluster scope".to_owned(),
        };
        let message = format!(
            "{}{name} is forbidden: User \"system:serviceaccount:logging:fluent-bit\" cannot {} resource \
             \"{resource}\" in API group \"{group}\" {place}",
            asked.resource.qualified(),
            asked.verb_name()
        );
        let mut refusal = Self::new(403, "Forbidden", &message);
        refusal.body["details"] = json!({ "kind": resource });
        for (key, value) in [("name", asked.scope.name.as_deref().unwrap_or_default()), ("group", group)] {
            if !value.is_empty() {
                refusal.body["details"][key] = value.into();
            }
        }
        refusal
    }

    pub(super) fn not_found() -> Self {
        Self::new(404, "NotFound", "the server could not find the requested resource")
    }

    pub(super) fn method_not_allowed() -> Self {
        let message = "the server does not allow this method on the requested resource";
        Self::new(405, "MethodNotAllowed", message)
    }

    pub(super) fn not_acceptable(message: &str) -> Self {
        Self::new(406, "NotAcceptable", message)
    }

    /// A watch from a version whose successors are forgotten.
    pub(super) fn too_old_to_watch(wanted: u64, oldest: u64) -> Self {
        Self::new(410, "Expired", &format!("too old resource version: {wanted} ({oldest})"))
    }

    /// The same of etcd, without a watch cache before it.
    pub(super) fn compacted() -> Self {
        Self::new(410, "Expired", "The resourceVersion for the provided watch is too old.")
    }

    /// A list as it was at a version that is forgotten.
    pub(super) fn too_old_to_list() -> Self {
        Self::new(410, "Expired", "The resourceVersion for the provided list is too old.")
    }

    /// The rest of a list that is forgotten; the token leads to the rest as it is now.
    pub(super) fn page_expired(inconsistent_token: &str) -> Self {
        let message = "The provided continue parameter is too old to display a consistent list result. You can \
                       start a new list without the continue parameter, or use the continue token in this \
                       response to retrieve the remainder of the results.";
        let mut refusal = Self::new(410, "Expired", message);
        refusal.body["metadata"]["continue"] = inconsistent_token.into();
        refusal
    }

    pub(super) fn invalid(message: &str) -> Self {
        Self::new(422, "Invalid", message)
    }

    pub(super) fn too_many_requests(retry_after_seconds: u64) -> Self {
        let message = "Too many requests, please try again later.";
        Self::new(429, "TooManyRequests", message).retry_after(retry_after_seconds)
    }

    pub(super) fn unavailable(retry_after_seconds: u64) -> Self {
        let message = "the server is currently unable to handle the request";
        Self::new(503, "ServiceUnavailable", message).retry_after(retry_after_seconds)
    }

    /// A version that is still to come: a server behind another one says this.
    pub(super) fn version_too_large(wanted: u64, newest: u64) -> Self {
        let message = format!("Too large resource version: {wanted}, current: {newest}");
        let mut refusal = Self::new(504, "Timeout", &message).retry_after(1);
        refusal.body["details"]["causes"] =
            json!([{ "reason": "ResourceVersionTooLarge", "message": "Too large resource version" }]);
        refusal
    }

    pub(super) fn is_version_too_large(&self) -> bool {
        self.code == 504
    }

    fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_seconds = Some(seconds);
        self.body["details"] = json!({ "retryAfterSeconds": seconds });
        self
    }
}
