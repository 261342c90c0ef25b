//! The user and the addresses of a request, named as in the pipeline of Elastic's integration for audit logs
//! (`packages/kubernetes/data_stream/audit_logs/elasticsearch/ingest_pipeline/default.yml` of elastic/integrations).
//!
//! An invalid address in a field of type `ip` would have the whole document rejected, so it is in `source.address` only.
//! `source` and `client` are the first address that is not empty, which is the client's. `related.ip` has the addresses of
//! proxies too.

use std::borrow::Cow;
use std::net::IpAddr;

use serde::Serialize;

use crate::record::audit::AuditEvent;

#[derive(Serialize)]
pub(super) struct User<'r> {
    #[serde(skip_serializing_if = "str::is_empty")]
    id: &'r str,
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'r str,
}

#[derive(Serialize)]
pub(super) struct Source<'r> {
    address: Cow<'r, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip: Option<Ip>,
}

#[derive(Serialize)]
pub(super) struct Client {
    ip: Ip,
}

/// All addresses and names of the request, so that one field finds them.
#[derive(Serialize)]
pub(super) struct Related<'r> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ip: Vec<Ip>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    user: Vec<&'r str>,
}

/// An address without a scope, which Elasticsearch does not support.
struct Ip(IpAddr);

impl Serialize for Ip {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

fn ip(text: &str) -> Option<Ip> {
    text.parse().ok().map(Ip)
}

pub(super) fn user<'r>(name: &'r str, id: &'r str) -> Option<User<'r>> {
    (!name.is_empty() || !id.is_empty()).then_some(User { id, name })
}

fn first_address<'r>(audit: &AuditEvent<'r>) -> Option<Cow<'r, str>> {
    audit.source_ips.texts().find(|address| !address.trim().is_empty())
}

pub(super) fn source<'r>(audit: &AuditEvent<'r>) -> Option<Source<'r>> {
    first_address(audit).map(|address| Source { ip: ip(&address), address })
}

pub(super) fn client(audit: &AuditEvent<'_>) -> Option<Client> {
    first_address(audit).and_then(|address| ip(&address)).map(|ip| Client { ip })
}

pub(super) fn related<'r>(audit: &'r AuditEvent<'_>) -> Option<Related<'r>> {
    let ip: Vec<Ip> = audit.source_ips.texts().filter_map(|address| ip(&address)).collect();
    let user = [&*audit.user.uid, &*audit.user.name];
    let user: Vec<&str> = user.into_iter().filter(|text| !text.is_empty()).collect();
    (!ip.is_empty() || !user.is_empty()).then_some(Related { ip, user })
}
