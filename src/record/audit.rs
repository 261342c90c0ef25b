//! Reads a record of the API server's audit log (`audit.k8s.io/v1`, kind `Event`).
//!
//! It comes alone, as a line of the audit log, or in the list that the audit webhook posts, with up to 400
//! others. A field that Kubernetes left out is empty or `None` here.

use rmp::encode;

use super::cursor::{Cursor, DecodeError, Token};
use super::depth_limit::BODIES;
use super::fields::FieldReader;
use super::raw::Raw;
use super::text::{Repair, Text};

/// One stage of one request to the API server, borrowed from the chunk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditEvent<'a> {
    /// The same for all stages of a request.
    pub audit_id: Text<'a>,
    /// RequestReceived, ResponseStarted, ResponseComplete or Panic.
    pub stage: Text<'a>,
    /// Metadata, Request or RequestResponse.
    pub level: Text<'a>,
    /// Such as `create`; the HTTP method in lower case if the request is about no resource.
    pub verb: Text<'a>,
    /// Path and query, as the client sent them.
    pub request_uri: Text<'a>,
    /// The user who authenticated.
    pub user: AuditUser<'a>,
    /// The user whom the client impersonated.
    pub impersonated_user: Option<AuditUser<'a>>,
    /// Addresses of the client and of the proxies in front of it.
    pub source_ips: Raw<'a>,
    /// As the client states it; nobody checks it.
    pub user_agent: Text<'a>,
    /// Empty if the request is about no resource, such as `/healthz`.
    pub object: AuditObject<'a>,
    /// Empty at the stages before the response.
    pub response: AuditResponse<'a>,
    /// `requestReceivedTimestamp`: RFC 3339 with microseconds.
    pub request_received: Text<'a>,
    /// `stageTimestamp`, when the request reached this stage: RFC 3339 with microseconds.
    pub stage_time: Text<'a>,
    /// A map of strings, from the authorizer, admission and others.
    pub annotations: Raw<'a>,
    /// The authorizer's decision and its reason, from the annotations.
    pub decision: Text<'a>,
    /// Also from the annotations: for RBAC, the binding that allowed the request.
    pub decision_reason: Text<'a>,
    /// The bodies, at the levels that include them. The body of a patch may be a list (RFC 6902).
    pub request_object: Raw<'a>,
    /// The body of the response, only at level RequestResponse.
    pub response_object: Raw<'a>,
}

/// `user` or `impersonatedUser`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditUser<'a> {
    /// `username`, such as `system:serviceaccount:<namespace>:<name>`.
    pub name: Text<'a>,
    /// Distinguishes users who had the same name at different times; often empty.
    pub uid: Text<'a>,
    /// A list of strings.
    pub groups: Raw<'a>,
    /// A map of lists of strings, from the authenticator.
    pub extra: Raw<'a>,
}

/// The object of the request: `objectRef`, completed from the response with what the request could not know,
/// such as the name of a created object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditObject<'a> {
    /// Plural and lower case, as in the request path: `pods`.
    pub resource: Text<'a>,
    /// Such as `exec` or `scale`; usually empty.
    pub subresource: Text<'a>,
    /// Group and version, such as `apps/v1`.
    pub api_version: Text<'a>,
    /// From the response body, if there is one; `objectRef` has no kind.
    pub kind: Text<'a>,
    /// Empty for cluster-scoped objects, and for requests across all namespaces.
    pub namespace: Text<'a>,
    /// Empty if the request is about many objects. A created object has the name in the response.
    pub name: Text<'a>,
    /// From `objectRef`, or else from the response; often empty.
    pub uid: Text<'a>,
}

/// `responseStatus`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditResponse<'a> {
    /// The HTTP status; `None` before the response.
    pub code: Option<u64>,
    /// `Success` or `Failure`, if the response was a status.
    pub status: Text<'a>,
    /// For programs, such as `NotFound`; empty if the request succeeded.
    pub reason: Text<'a>,
    /// For people; empty if the request succeeded.
    pub message: Text<'a>,
}

impl<'a> AuditEvent<'a> {
    /// Reads a body. `None` if it is not an audit record: it has no `auditID`, or nothing else that only
    /// audit records have.
    ///
    /// # Errors
    /// When the body is not one whole MessagePack value.
    pub fn read(body: &'a [u8], repair: &Repair) -> Result<Option<Self>, DecodeError> {
        Self::read_by(body, repair, false)
    }

    /// Reads a body that is known to be an audit record, because redaction may have removed the keys by which
    /// it is recognised.
    ///
    /// # Errors
    /// When the body is not one whole MessagePack value.
    pub fn read_known(body: &'a [u8], repair: &Repair) -> Result<Option<Self>, DecodeError> {
        Self::read_by(body, repair, true)
    }

    fn read_by(body: &'a [u8], repair: &Repair, is_known: bool) -> Result<Option<Self>, DecodeError> {
        let mut audit = Self::default();
        let mut group = Text::default();
        let mut response_object = ResponseObject::default();
        let reader = FieldReader { repair };
        reader.fields(&mut Cursor::new(body), |key, value| {
            match key {
                b"auditID" => audit.audit_id = reader.text(value)?,
                b"stage" => audit.stage = reader.text(value)?,
                b"level" => audit.level = reader.text(value)?,
                b"verb" => audit.verb = reader.text(value)?,
                b"requestURI" => audit.request_uri = reader.text(value)?,
                b"user" => audit.user = reader.user(value)?,
                b"impersonatedUser" => {
                    let is_there = reader.is_map(value);
                    let user = reader.user(value)?;
                    audit.impersonated_user = is_there.then_some(user);
                }
                b"sourceIPs" => audit.source_ips = reader.list(value)?,
                b"userAgent" => audit.user_agent = reader.text(value)?,
                b"objectRef" => (audit.object, group) = reader.audit_object(value)?,
                b"responseStatus" => audit.response = reader.response(value)?,
                b"requestReceivedTimestamp" => audit.request_received = reader.text(value)?,
                b"stageTimestamp" => audit.stage_time = reader.text(value)?,
                b"annotations" => audit.annotations = reader.map(value)?,
                b"requestObject" => audit.request_object = reader.any(value)?,
                b"responseObject" => {
                    audit.response_object = reader.any(value)?;
                    response_object =
                        reader.response_object(&mut Cursor::new(audit.response_object.bytes()))?;
                }
                _ => value.skip()?,
            }
            Ok(())
        })?;
        let says_more = is_stage(audit.stage.as_bytes())
            || [&audit.verb, &audit.request_uri, &audit.stage_time, &audit.request_received]
                .into_iter()
                .any(|value| !value.is_empty());
        if !is_known && (audit.audit_id.is_empty() || !says_more) {
            return Ok(None);
        }
        let annotation =
            |name| audit.annotations.get(name).and_then(|value| value.as_text()).unwrap_or_default();
        (audit.decision, audit.decision_reason) =
            (annotation("authorization.k8s.io/decision"), annotation("authorization.k8s.io/reason"));
        audit.object.complete(&group, response_object);
        Ok(Some(audit))
    }
}

/// Whether this is the name of an audit stage.
pub(super) fn is_stage(name: &[u8]) -> bool {
    matches!(name, b"RequestReceived" | b"ResponseStarted" | b"ResponseComplete" | b"Panic")
}

/// Replaces a body that is too large.
pub(super) const TOO_LARGE: &str = "[left out: too large]";

/// A copy of an audit record without its bodies; `None` if it has none left.
#[must_use]
pub fn without_bodies(record: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut cursor = Cursor::new(record);
    let Token::Map(len) = cursor.token().ok()? else { return None };
    out.extend_from_slice(Cursor::new(record).up_to(&cursor));
    let mut has_left_out = false;
    for _ in 0..len {
        let pair = cursor;
        let key = cursor.token().ok()?;
        cursor.skip_children(key).ok()?;
        let value = cursor;
        let head = cursor.token().ok()?;
        cursor.skip_children(head).ok()?;
        let is_body = matches!(key, Token::Str(name) if BODIES.contains(&name));
        if is_body && head != Token::Nil && head != Token::Str(TOO_LARGE.as_bytes()) {
            out.extend_from_slice(pair.up_to(&value));
            // Writing to a Vec cannot fail.
            let _ = encode::write_str(&mut out, TOO_LARGE);
            has_left_out = true;
        } else {
            out.extend_from_slice(pair.up_to(&cursor));
        }
    }
    has_left_out.then_some(out)
}

impl<'a> AuditObject<'a> {
    fn complete(&mut self, group: &str, response_object: ResponseObject<'a>) {
        if !group.is_empty() && !self.api_version.is_empty() {
            self.api_version = format!("{group}/{}", self.api_version).into();
        }
        // The response to a subresource request, or to a failed one, is about another object, such as a Scale
        // or a Status.
        if self.subresource.is_empty() && response_object.kind != "Status" {
            let ResponseObject { kind, name, uid } = response_object;
            self.kind = kind;
            for (known, given) in [(&mut self.name, name), (&mut self.uid, uid)] {
                if known.is_empty() {
                    *known = given;
                }
            }
        }
    }
}

/// The fields that a response body adds about the object.
#[derive(Default)]
struct ResponseObject<'a> {
    kind: Text<'a>,
    name: Text<'a>,
    uid: Text<'a>,
}

impl FieldReader<'_> {
    fn user<'a>(&self, cursor: &mut Cursor<'a>) -> Result<AuditUser<'a>, DecodeError> {
        let mut user = AuditUser::default();
        self.fields(cursor, |key, value| {
            match key {
                b"username" => user.name = self.text(value)?,
                b"uid" => user.uid = self.text(value)?,
                b"groups" => user.groups = self.list(value)?,
                b"extra" => user.extra = self.map(value)?,
                _ => value.skip()?,
            }
            Ok(())
        })?;
        Ok(user)
    }

    /// The object, and its API group, which still has to be put in front of the version.
    fn audit_object<'a>(&self, cursor: &mut Cursor<'a>) -> Result<(AuditObject<'a>, Text<'a>), DecodeError> {
        let mut object = AuditObject::default();
        let mut group = Text::default();
        self.fields(cursor, |key, value| {
            match key {
                b"resource" => object.resource = self.text(value)?,
                b"subresource" => object.subresource = self.text(value)?,
                b"apiGroup" => group = self.text(value)?,
                b"apiVersion" => object.api_version = self.text(value)?,
                b"namespace" => object.namespace = self.text(value)?,
                b"name" => object.name = self.text(value)?,
                b"uid" => object.uid = self.text(value)?,
                _ => value.skip()?,
            }
            Ok(())
        })?;
        Ok((object, group))
    }

    fn response<'a>(&self, cursor: &mut Cursor<'a>) -> Result<AuditResponse<'a>, DecodeError> {
        let mut response = AuditResponse::default();
        self.fields(cursor, |key, value| {
            match key {
                b"code" => response.code = self.count(value)?,
                b"status" => response.status = self.text(value)?,
                b"reason" => response.reason = self.text(value)?,
                b"message" => response.message = self.text(value)?,
                _ => value.skip()?,
            }
            Ok(())
        })?;
        Ok(response)
    }

    fn response_object<'a>(&self, cursor: &mut Cursor<'a>) -> Result<ResponseObject<'a>, DecodeError> {
        let mut response_object = ResponseObject::default();
        if cursor.is_at_end() {
            return Ok(response_object);
        }
        self.fields(cursor, |key, value| {
            match key {
                b"kind" => response_object.kind = self.text(value)?,
                b"metadata" => {
                    self.fields(value, |key, value| {
                        match key {
                            b"name" => response_object.name = self.text(value)?,
                            b"uid" => response_object.uid = self.text(value)?,
                            _ => value.skip()?,
                        }
                        Ok(())
                    })?;
                }
                _ => value.skip()?,
            }
            Ok(())
        })?;
        Ok(response_object)
    }
}
