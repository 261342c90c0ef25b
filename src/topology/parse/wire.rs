//! Objects as the API server writes them, limited to the fields that are read, borrowed from the JSON.
//!
//! Kubernetes sometimes writes `null` for an empty list or map and sometimes leaves the field out; both are
//! read as empty. Unknown fields are skipped.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};

use crate::topology::kind::ObjectKind;

/// A string, borrowed if it has no escapes; `null` becomes the empty string.
#[derive(Debug, Default)]
pub(super) struct NullableText<'a>(Cow<'a, str>);

impl Deref for NullableText<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for NullableText<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Borrowed<'b>(#[serde(borrow)] Cow<'b, str>);
        let text = Option::<Borrowed<'a>>::deserialize(deserializer)?;
        Ok(Self(text.map(|text| text.0).unwrap_or_default()))
    }
}

/// A string map, in the order of its text.
#[derive(Debug, Default)]
pub(super) struct Pairs<'a>(pub Vec<(NullableText<'a>, NullableText<'a>)>);

impl<'de: 'a, 'a> Deserialize<'de> for Pairs<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PairsVisitor;
        impl<'de> Visitor<'de> for PairsVisitor {
            type Value = Pairs<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string map")
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Pairs::default())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_any(PairsVisitor)
    }
}

/// The first string of a list. A slice has up to a thousand such lists, and only the first item of each is
/// needed.
#[derive(Debug, Default)]
pub(super) struct First<'a>(pub NullableText<'a>);

impl<'de: 'a, 'a> Deserialize<'de> for First<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FirstVisitor;
        impl<'de> Visitor<'de> for FirstVisitor {
            type Value = First<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of strings")
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(First::default())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let first = list.next_element()?.unwrap_or_default();
                while list.next_element::<NullableText<'de>>()?.is_some() {}
                Ok(First(first))
            }
        }
        deserializer.deserialize_any(FirstVisitor)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, bound(deserialize = "'de: 'a"))]
pub(super) struct Meta<'a> {
    pub name: NullableText<'a>,
    pub namespace: NullableText<'a>,
    pub uid: NullableText<'a>,
    pub resource_version: NullableText<'a>,
    pub creation_timestamp: NullableText<'a>,
    pub labels: Pairs<'a>,
    pub annotations: Pairs<'a>,
    pub owner_references: Option<Vec<OwnerReference<'a>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, bound(deserialize = "'de: 'a"))]
pub(super) struct OwnerReference<'a> {
    pub api_version: NullableText<'a>,
    pub kind: NullableText<'a>,
    pub name: NullableText<'a>,
    pub uid: NullableText<'a>,
    pub controller: Option<bool>,
}

/// An object of any kind: its metadata and the fields of its kind.
pub(super) enum Wire<'a> {
    Service(WireObject<Meta<'a>, ServiceSpec<'a>, Ignored>),
    EndpointSlice(Slice<'a>),
    Pod(WireObject<Meta<'a>, PodSpec<'a>, PodStatus<'a>>),
    Node(WireObject<Meta<'a>, Ignored, NodeStatus<'a>>),
    Partial(WireObject<Meta<'a>, Ignored, Ignored>),
    Workload(WireObject<Meta<'a>, WorkloadSpec<'a>, Ignored>),
    CronJob(WireObject<Meta<'a>, CronJobSpec<'a>, Ignored>),
    Autoscaler(WireObject<Meta<'a>, AutoscalerSpec<'a>, Ignored>),
    Budget(WireObject<Meta<'a>, BudgetSpec<'a>, Ignored>),
    Claim(WireObject<Meta<'a>, ClaimSpec<'a>, ClaimStatus<'a>>),
    Ingress(WireObject<Meta<'a>, IngressSpec<'a>, Ignored>),
}

pub(super) fn read(kind: ObjectKind, json: &[u8]) -> serde_json::Result<Wire<'_>> {
    use serde_json::from_slice;
    Ok(match kind {
        ObjectKind::Service => Wire::Service(from_slice(json)?),
        ObjectKind::EndpointSlice => Wire::EndpointSlice(from_slice(json)?),
        ObjectKind::Pod => Wire::Pod(from_slice(json)?),
        ObjectKind::Node => Wire::Node(from_slice(json)?),
        ObjectKind::ReplicaSet => Wire::Partial(from_slice(json)?),
        ObjectKind::Deployment | ObjectKind::StatefulSet | ObjectKind::DaemonSet | ObjectKind::Job => {
            Wire::Workload(from_slice(json)?)
        }
        ObjectKind::CronJob => Wire::CronJob(from_slice(json)?),
        ObjectKind::HorizontalPodAutoscaler => Wire::Autoscaler(from_slice(json)?),
        ObjectKind::PodDisruptionBudget => Wire::Budget(from_slice(json)?),
        ObjectKind::PersistentVolumeClaim => Wire::Claim(from_slice(json)?),
        ObjectKind::Ingress => Wire::Ingress(from_slice(json)?),
    })
}

impl<'a> Wire<'a> {
    pub(super) fn meta(&self) -> &Meta<'a> {
        match self {
            Self::Service(body) => &body.metadata,
            Self::EndpointSlice(slice) => &slice.metadata,
            Self::Pod(body) => &body.metadata,
            Self::Node(body) => &body.metadata,
            Self::Partial(body) => &body.metadata,
            Self::Workload(body) => &body.metadata,
            Self::CronJob(body) => &body.metadata,
            Self::Autoscaler(body) => &body.metadata,
            Self::Budget(body) => &body.metadata,
            Self::Claim(body) => &body.metadata,
            Self::Ingress(body) => &body.metadata,
        }
    }
}

#[derive(Deserialize)]
#[serde(default)]
pub(super) struct WireObject<M: Default, S: Default, T: Default> {
    pub metadata: M,
    pub spec: S,
    pub status: T,
}

impl<M: Default, S: Default, T: Default> Default for WireObject<M, S, T> {
    fn default() -> Self {
        Self { metadata: M::default(), spec: S::default(), status: T::default() }
    }
}

/// A skipped value.
#[derive(Default)]
pub(super) struct Ignored;

impl<'de> Deserialize<'de> for Ignored {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde::de::IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

/// Structs whose fields may all be missing.
macro_rules! shapes {
    ($($name:ident { $($field:ident: $type:ty,)* })*) => {
        $(
            #[derive(Default, Deserialize)]
            #[serde(rename_all = "camelCase", default, bound(deserialize = "'de: 'a"))]
            pub(super) struct $name<'a> {
                $(pub $field: $type,)*
                #[serde(skip)]
                pub marker: std::marker::PhantomData<&'a ()>,
            }
        )*
    };
}

shapes! {
    ServiceSpec { selector: Pairs<'a>, }
    Slice { metadata: Meta<'a>, endpoints: Option<Vec<Endpoint<'a>>>, }
    Endpoint {
        addresses: First<'a>,
        conditions: Conditions<'a>,
        node_name: NullableText<'a>,
        target_ref: Option<TargetRef<'a>>,
    }
    Conditions { ready: Option<bool>, }
    TargetRef { api_version: NullableText<'a>, kind: NullableText<'a>, name: NullableText<'a>, uid: NullableText<'a>, }
    PodSpec { node_name: NullableText<'a>, volumes: Option<Vec<Volume<'a>>>, }
    Volume {
        name: NullableText<'a>,
        persistent_volume_claim: Option<ClaimName<'a>>,
        ephemeral: Option<Ignored>,
    }
    ClaimName { claim_name: NullableText<'a>, }
    NodeStatus { addresses: Option<Vec<Address<'a>>>, }
    Address { address: NullableText<'a>, }
    WorkloadSpec { template: Option<Named<'a>>, }
    Named { metadata: Meta<'a>, }
    CronJobSpec { job_template: JobTemplate<'a>, }
    JobTemplate { spec: WorkloadSpec<'a>, }
    AutoscalerSpec { scale_target_ref: TargetRef<'a>, }
    BudgetSpec { selector: Option<LabelSelector<'a>>, }
    LabelSelector { match_labels: Pairs<'a>, match_expressions: Option<Vec<Requirement<'a>>>, }
    Requirement { key: NullableText<'a>, operator: NullableText<'a>, values: Option<Vec<NullableText<'a>>>, }
    ClaimSpec { volume_name: NullableText<'a>, }
    ClaimStatus { phase: NullableText<'a>, }
    IngressSpec { default_backend: Backend<'a>, rules: Option<Vec<Rule<'a>>>, }
    Backend { service: Option<ServiceName<'a>>, }
    ServiceName { name: NullableText<'a>, }
    Rule { http: Option<Http<'a>>, }
    Http { paths: Option<Vec<Path<'a>>>, }
    Path { backend: Backend<'a>, }
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct PodStatus<'a> {
    #[serde(rename = "podIP")]
    pub pod_ip: NullableText<'a>,
    #[serde(rename = "startTime")]
    pub start_time: NullableText<'a>,
}

impl<'a> PodSpec<'a> {
    pub(super) fn volumes(&self) -> impl Iterator<Item = &Volume<'a>> {
        self.volumes.iter().flatten()
    }
}

impl Volume<'_> {
    /// The claim that it mounts. The claim of an ephemeral volume is named after the pod and the volume.
    pub(super) fn claim(&self, pod: &str) -> Option<Cow<'_, str>> {
        let named = self.persistent_volume_claim.as_ref().map(|claim| Cow::Borrowed(&*claim.claim_name));
        named.or_else(|| self.ephemeral.as_ref().map(|_| Cow::Owned(format!("{pod}-{}", &*self.name))))
    }
}

impl<'a> WorkloadSpec<'a> {
    pub(super) fn template(&self) -> Option<&Named<'a>> {
        self.template.as_ref()
    }
}

impl IngressSpec<'_> {
    /// Names of its backend Services, possibly repeated.
    pub(super) fn services(&self) -> impl Iterator<Item = &str> {
        let paths = self.rules.iter().flatten().filter_map(|rule| rule.http.as_ref());
        let paths = paths.flat_map(|http| http.paths.iter().flatten()).map(|path| &path.backend);
        let backends = std::iter::once(&self.default_backend).chain(paths);
        backends.filter_map(|backend| backend.service.as_ref()).map(|service| &*service.name)
    }
}
