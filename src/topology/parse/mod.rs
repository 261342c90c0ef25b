//! Reads the kept fields of an object from its JSON.
//!
//! `wire` describes the JSON that the API server sends, borrowed from the text. Here it becomes an [`Object`]
//! with shared strings. An object without a uid or a name, or with a field of the wrong type, is refused as a
//! whole, because a partial object would get wrong relations.

mod wire;

use std::fmt;
use std::num::NonZeroU64;
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use self::wire::{IngressSpec, LabelSelector, Meta, Named, NullableText, Wire};
use super::intern::Interner;
use super::key::Key;
use super::kind::ObjectKind;
use super::labels::Labels;
use super::object::{Details, Endpoint, Object, Owner, PodExtras, ScaleTarget, UNORDERED};
use super::selector::{Expression, Operator, Selector};
use super::uid::Uid;
use crate::pattern::Patterns;
use crate::record::redact::{holds_a_secret, keeps_an_object};
use crate::time::Stamp;

/// Label on slices: the Service to which they belong.
const SERVICE_NAME: &str = "kubernetes.io/service-name";
/// Annotation on the mirror of a static pod: the uid that its kubelet uses in events.
const MIRRORS: &str = "kubernetes.io/config.mirror";
const ZONE: &str = "topology.kubernetes.io/zone";
const REGION: &str = "topology.kubernetes.io/region";

/// Maximum number of owners kept. Kubernetes' own objects have one or two; an object of 1 MiB could have
/// 10,000.
const MOST_OWNERS: usize = 32;

/// Why an object is not kept. The text does not include the object's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError(pub String);

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Parses objects of one kind.
#[derive(Debug)]
pub struct Parser {
    kind: ObjectKind,
    annotations: Patterns,
    interner: Interner,
    last_version: String,
}

impl Parser {
    /// `annotations` selects the annotations to keep.
    #[must_use]
    pub fn new(kind: ObjectKind, annotations: Patterns) -> Self {
        Self { kind, annotations, interner: Interner::default(), last_version: String::new() }
    }

    /// The resourceVersion of the last parsed object, as it was written.
    #[must_use]
    pub fn last_version(&self) -> &str {
        &self.last_version
    }

    /// The kind of objects that it parses.
    #[must_use]
    pub fn kind(&self) -> ObjectKind {
        self.kind
    }

    /// Parses one object.
    ///
    /// # Errors
    /// When the JSON is not an object of this kind, or has no uid or no name.
    pub fn object(&mut self, json: &[u8]) -> Result<Object, ParseError> {
        let kind = self.kind;
        let wire: Wire<'_> =
            wire::read(kind, json).map_err(|error| ParseError(format!("not a {}: {error}", kind.name())))?;
        let meta = wire.meta();
        if meta.uid.is_empty() || meta.name.is_empty() {
            return Err(ParseError(format!("{} without a uid or a name", kind.name())));
        }
        self.last_version.clear();
        self.last_version.push_str(&meta.resource_version);
        self.interner.bound();
        let labels = self.labels(&meta.labels.0);
        let mut annotations = Vec::new();
        if !self.annotations.is_empty() {
            // Some tools store a whole object in an annotation, and anybody may write a Secret into one.
            let is_wanted = |name: &str, value: &str| {
                self.annotations.matches(name) && !keeps_an_object(name.as_bytes()) && !holds_a_secret(value)
            };
            let wanted = meta.annotations.0.iter().filter(|(name, value)| is_wanted(name, value));
            annotations.extend(wanted.map(|(name, value)| self.interner.label(name, value)));
        }
        let mut owners: Vec<&wire::OwnerReference<'_>> = meta.owners().collect();
        if owners.len() > MOST_OWNERS {
            // Keeps the controlling owner.
            owners.sort_by_key(|owner| owner.controller != Some(true));
            owners.truncate(MOST_OWNERS);
        }
        let owners: Vec<Owner> = owners.into_iter().map(|owner| self.owner(owner)).collect();
        Ok(Object {
            kind,
            uid: Uid::new(&meta.uid),
            namespace: self.interner.text(&meta.namespace),
            name: (*meta.name).into(),
            version: version(&meta.resource_version),
            created_seconds: seconds(&meta.creation_timestamp),
            details: self.details(&wire, &labels),
            labels,
            annotations: self.interner.labels(Labels::new(annotations)),
            owners: self.interner.owners(owners),
            deleted_seconds: None,
        })
    }

    fn labels(&mut self, pairs: &[(NullableText<'_>, NullableText<'_>)]) -> Arc<Labels> {
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| self.interner.label(name, value)).collect();
        self.interner.labels(Labels::new(pairs))
    }

    fn owner(&mut self, owner: &wire::OwnerReference<'_>) -> Owner {
        Owner {
            api_version: self.interner.text(&owner.api_version),
            kind: self.interner.text(&owner.kind),
            name: self.interner.text(&owner.name),
            uid: Uid::new(&owner.uid),
            key: Key::of(&owner.uid),
            controls: owner.controller.unwrap_or(false),
        }
    }

    fn details(&mut self, wire: &Wire<'_>, own_labels: &Arc<Labels>) -> Details {
        match wire {
            Wire::Service(service) => Details::Service { selector: self.labels(&service.spec.selector.0) },
            Wire::EndpointSlice(slice) => Details::EndpointSlice {
                service: self.interner.text(own_labels.get(SERVICE_NAME).unwrap_or_default()),
                endpoints: slice.endpoints.iter().flatten().map(endpoint).collect(),
            },
            Wire::Pod(pod) => {
                let annotation = |name: &str| pod.metadata.annotations.0.iter().find(|pair| *pair.0 == *name);
                let claims: Vec<_> = pod
                    .spec
                    .volumes()
                    .filter_map(|volume| volume.claim(&pod.metadata.name))
                    .map(|claim| self.interner.text(&claim))
                    .collect();
                let mirrors = annotation(MIRRORS).map(|(_, uid)| (**uid).into());
                Details::Pod {
                    node: self.interner.text(&pod.spec.node_name),
                    ip: pod.status.pod_ip.parse().ok(),
                    started_seconds: NonZeroU64::new(seconds(&pod.status.start_time)),
                    extras: (!claims.is_empty() || mirrors.is_some())
                        .then(|| Box::new(PodExtras { claims: claims.into(), mirrors })),
                }
            }
            Wire::Node(node) => Details::Node {
                zone: self.interner.text(own_labels.get(ZONE).unwrap_or_default()),
                region: self.interner.text(own_labels.get(REGION).unwrap_or_default()),
                addresses: node.status.addresses.iter().flatten().map(|one| (*one.address).into()).collect(),
            },
            // The Deployment controller copies the template's labels to the ReplicaSet.
            Wire::Partial(_) => Details::Workload { template: Some(Arc::clone(own_labels)) },
            Wire::Workload(workload) => {
                Details::Workload { template: self.template(workload.spec.template()) }
            }
            Wire::CronJob(job) => {
                Details::Workload { template: self.template(job.spec.job_template.spec.template()) }
            }
            Wire::Autoscaler(autoscaler) => {
                let target = &autoscaler.spec.scale_target_ref;
                Details::Autoscaler {
                    target: ScaleTarget {
                        api_version: (*target.api_version).into(),
                        kind: (*target.kind).into(),
                        name: (*target.name).into(),
                    },
                }
            }
            Wire::Budget(budget) => Details::Budget {
                selector: budget.spec.selector.as_ref().and_then(|selector| self.selector(selector)),
            },
            // Anybody who creates a claim may name any volume in its spec. Only controllers write the status:
            // `Bound` means that the volume names the claim too.
            Wire::Claim(claim) if *claim.status.phase == *"Bound" => {
                Details::Claim { volume: (*claim.spec.volume_name).into() }
            }
            Wire::Claim(_) => Details::Claim { volume: Box::default() },
            Wire::Ingress(ingress) => Details::Ingress { backends: self.backends(&ingress.spec) },
        }
    }

    fn template(&mut self, template: Option<&Named<'_>>) -> Option<Arc<Labels>> {
        template.map(|template| self.labels(&template.metadata.labels.0))
    }

    /// `None` for an unknown operator: such a selector selects nothing.
    fn selector(&mut self, selector: &LabelSelector<'_>) -> Option<Selector> {
        let labels = self.labels(&selector.match_labels.0);
        let expressions = selector.match_expressions.iter().flatten().map(|one| {
            let operator = match &*one.operator {
                "In" => Operator::In,
                "NotIn" => Operator::NotIn,
                "Exists" => Operator::Exists,
                "DoesNotExist" => Operator::DoesNotExist,
                _ => return None,
            };
            let values = one.values.iter().flatten().map(|value| self.interner.text(value)).collect();
            Some(Expression { name: self.interner.text(&one.key), operator, values })
        });
        Some(Selector { expressions: expressions.collect::<Option<_>>()?, labels })
    }

    fn backends(&mut self, spec: &IngressSpec<'_>) -> Box<[Arc<str>]> {
        let mut names: Vec<_> =
            spec.services().filter(|name| !name.is_empty()).map(|name| self.interner.text(name)).collect();
        names.sort();
        names.dedup();
        names.into()
    }
}

fn endpoint(wire: &wire::Endpoint<'_>) -> Endpoint {
    let pod = wire.target_ref.as_ref().filter(|target| &*target.kind == "Pod" && !target.uid.is_empty());
    let address = &*wire.addresses.0;
    Endpoint {
        target: pod.map_or_else(|| Key::of("address").with(Key::of(address)), |pod| Key::of(&pod.uid)),
        node: (!wire.node_name.is_empty()).then(|| Key::of(&wire.node_name)),
        // Unknown means ready (discovery.k8s.io/v1, EndpointConditions).
        ready: wire.conditions.ready.unwrap_or(true),
        is_pod: pod.is_some(),
    }
}

/// The version as a number. Text that is not a number becomes a hash, which has no order and only shows
/// whether two versions are equal.
fn version(text: &str) -> u64 {
    let number = text.parse().ok().filter(|version| *version < UNORDERED);
    number.unwrap_or_else(|| xxh3_64(text.as_bytes()) | UNORDERED)
}

fn seconds(time: &str) -> u64 {
    Stamp::parse(time).and_then(|stamp| u64::try_from(stamp.unix_seconds()).ok()).unwrap_or(0)
}

impl Meta<'_> {
    fn owners(&self) -> impl Iterator<Item = &wire::OwnerReference<'_>> {
        self.owner_references.iter().flatten().filter(|owner| !owner.uid.is_empty())
    }
}
