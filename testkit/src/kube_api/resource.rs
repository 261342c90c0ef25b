//! The resources that the server serves, and where a client finds each: always for the whole cluster, and, as
//! the real paths go, for one namespace or one object.

/// Stands for all resources where a method takes the name of one.
pub const ALL: &str = "*";

/// What the API calls a resource in paths, lists and objects.
pub(super) struct Names {
    /// The plural of paths, and of the recording: `pods`.
    pub(super) resource: &'static str,
    pub(super) kind: &'static str,
    pub(super) api_version: &'static str,
}

const fn names(resource: &'static str, kind: &'static str, api_version: &'static str) -> Names {
    Names { resource, kind, api_version }
}

pub(super) const TABLE: [Names; 16] = [
    names("events", "Event", "v1"),
    names("pods", "Pod", "v1"),
    names("services", "Service", "v1"),
    names("nodes", "Node", "v1"),
    names("persistentvolumeclaims", "PersistentVolumeClaim", "v1"),
    names("replicasets", "ReplicaSet", "apps/v1"),
    names("deployments", "Deployment", "apps/v1"),
    names("statefulsets", "StatefulSet", "apps/v1"),
    names("daemonsets", "DaemonSet", "apps/v1"),
    names("jobs", "Job", "batch/v1"),
    names("cronjobs", "CronJob", "batch/v1"),
    names("horizontalpodautoscalers", "HorizontalPodAutoscaler", "autoscaling/v2"),
    names("endpointslices", "EndpointSlice", "discovery.k8s.io/v1"),
    names("ingresses", "Ingress", "networking.k8s.io/v1"),
    names("poddisruptionbudgets", "PodDisruptionBudget", "policy/v1"),
    names("leases", "Lease", "coordination.k8s.io/v1"),
];

/// One of them: its place in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Resource(pub(super) usize);

impl Resource {
    pub(super) fn all() -> impl Iterator<Item = Resource> {
        (0..TABLE.len()).map(Resource)
    }

    /// A test that misspells a resource shall not wait for it in vain.
    pub(super) fn named(name: &str) -> Resource {
        let place = TABLE.iter().position(|names| names.resource == name);
        Resource(place.unwrap_or_else(|| panic!("the test API server has no resource {name:?}")))
    }

    /// The resource of this name, or every one for `ALL`.
    pub(super) fn matching(name: &str) -> Vec<Resource> {
        if name == ALL { Self::all().collect() } else { vec![Self::named(name)] }
    }

    /// An object without a kind is an event as a list shows it, which is what most tests have.
    pub(super) fn of_kind(kind: Option<&str>) -> Resource {
        let kind = kind.unwrap_or("Event");
        let place = TABLE.iter().position(|names| names.kind == kind);
        Resource(place.unwrap_or_else(|| panic!("the test API server has no kind {kind:?}")))
    }

    /// What a path asks for: a resource, a namespace when it is limited to one, and a name when it is one object.
    pub(super) fn of_path(path: &str) -> Option<(Resource, Option<&str>, Option<&str>)> {
        Self::all().find_map(|resource| {
            let rest = path.strip_prefix(&resource.prefix())?;
            let (own, words) = (resource.names().resource, rest.split('/').collect::<Vec<_>>());
            match *words {
                [word] if word == own => Some((resource, None, None)),
                ["namespaces", namespace, word] if word == own => Some((resource, Some(namespace), None)),
                ["namespaces", namespace, word, name] if word == own && !name.is_empty() => {
                    Some((resource, Some(namespace), Some(name)))
                }
                // The only resource here that has no namespace.
                ["nodes", name] if own == "nodes" && !name.is_empty() => Some((resource, None, Some(name))),
                _ => None,
            }
        })
    }

    /// A real server keeps no watch cache of events: the default of its `--watch-cache-sizes` is 0 for them. Each
    /// of their lists and watches is one of etcd.
    pub(super) fn has_watch_cache(self) -> bool {
        self.names().resource != "events"
    }

    /// Whether clients can write it here; what they send is checked by the rules of a Lease.
    pub(super) fn is_writable(self) -> bool {
        self.names().resource == "leases"
    }

    /// The API group, which is empty for the core.
    pub(super) fn group(self) -> &'static str {
        self.names().api_version.split_once('/').map_or("", |(group, _)| group)
    }

    /// As messages name it: `pods`, `leases.coordination.k8s.io`.
    pub(super) fn qualified(self) -> String {
        let (name, group) = (self.names().resource, self.group());
        if group.is_empty() { name.to_owned() } else { format!("{name}.{group}") }
    }

    /// `/api/v1/` for the core group, `/apis/apps/v1/` and the like for the others.
    fn prefix(self) -> String {
        let version = self.names().api_version;
        let root = if version.contains('/') { "apis" } else { "api" };
        format!("/{root}/{version}/")
    }

    pub(super) fn names(self) -> &'static Names {
        &TABLE[self.0]
    }
}
