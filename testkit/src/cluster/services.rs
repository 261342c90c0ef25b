//! Services of every sort, their EndpointSlices and some Ingresses.

use serde_json::{Value, json};

use super::metadata::{Meta, derived, object, owner};
use super::nodes;
use super::owners::selector;
use super::plan::{Cluster, Pod, START, Service, ServiceKind};
use super::pods;
use super::random::{suffix, uid};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    IPv4,
    IPv6,
}

/// The Service, its slices, and an Ingress for some.
pub(super) fn of_service(cluster: &Cluster, place: usize) -> Vec<(&'static str, Value)> {
    let service = &cluster.services[place];
    let mut made = vec![("services", service_object(cluster, service))];
    made.extend(slices(cluster, service));
    if place.is_multiple_of(20) {
        made.push(("ingresses", ingress(cluster, service)));
    }
    made
}

fn slices(cluster: &Cluster, service: &Service) -> Vec<(&'static str, Value)> {
    // A Service without a selector may have slices that a person wrote: of addresses outside the cluster.
    if service.kind == ServiceKind::WithoutSelector && service.seed.is_multiple_of(2) {
        return vec![("endpointslices", foreign_slice(cluster, service))];
    }
    (0..service.slices.len()).flat_map(|slice| slice_objects(cluster, service, slice)).collect()
}

/// One slice of a Service: an object for each family of addresses, as a slice holds only one.
pub(super) fn slice_objects(
    cluster: &Cluster,
    service: &Service,
    slice: usize,
) -> Vec<(&'static str, Value)> {
    let dual = service.kind == (ServiceKind::ClusterIp { dual_stack: true });
    let families = [Some(Family::IPv4), dual.then_some(Family::IPv6)];
    let families = families.into_iter().flatten();
    families.map(|family| ("endpointslices", slice_object(cluster, service, slice, family))).collect()
}

fn meta<'a>(cluster: &'a Cluster, service: &Service) -> Meta<'a> {
    let workload = &cluster.workloads[service.workload];
    let mut labels = selector(workload);
    labels["app.kubernetes.io/managed-by"] = "Helm".into();
    Meta {
        namespace: Some(cluster.namespace_of(service.workload)),
        name: service.name.clone(),
        seed: service.seed,
        labels,
        annotations: json!({ "meta.helm.sh/release-name": workload.name }),
        owner: None,
        created_at: START - 500_000 - service.seed % 5_000_000,
    }
}

fn cluster_ip(seed: u64) -> String {
    format!("172.20.{}.{}", seed >> 8 & 0xff, seed & 0xff)
}

fn service_object(cluster: &Cluster, service: &Service) -> Value {
    let port = json!({ "name": "http", "port": 80, "protocol": "TCP", "targetPort": "http" });
    let mut spec = json!({
        "internalTrafficPolicy": "Cluster", "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack",
        "ports": [port], "sessionAffinity": "None", "type": "ClusterIP",
    });
    let address = cluster_ip(service.seed);
    let selected = selector(&cluster.workloads[service.workload]);
    match service.kind {
        ServiceKind::ClusterIp { dual_stack } => {
            spec["selector"] = selected;
            spec["clusterIP"] = address.as_str().into();
            spec["clusterIPs"] = json!([address]);
            if dual_stack {
                spec["ipFamilies"] = json!(["IPv4", "IPv6"]);
                spec["ipFamilyPolicy"] = "PreferDualStack".into();
                spec["clusterIPs"] = json!([address, format!("fd00:10:96::{:x}", service.seed & 0xffff)]);
            }
        }
        ServiceKind::Headless => {
            spec["selector"] = selected;
            spec["clusterIP"] = "None".into();
            spec["clusterIPs"] = json!(["None"]);
        }
        ServiceKind::WithoutSelector => {
            spec["clusterIP"] = address.as_str().into();
            spec["clusterIPs"] = json!([address]);
        }
        ServiceKind::ExternalName => {
            spec = json!({
                "type": "ExternalName", "externalName": "db.example.com", "sessionAffinity": "None",
            });
        }
    }
    let fields = json!({ "spec": spec, "status": { "loadBalancer": {} } });
    let metadata =
        meta(cluster, service).value(&["ports", "selector", "type", "sessionAffinity"], &["loadBalancer"]);
    object("v1", "Service", metadata, fields)
}

fn slice_object(cluster: &Cluster, service: &Service, slice: usize, family: Family) -> Value {
    let pods = service.slices[slice].iter().filter_map(|place| cluster.pods[*place].as_ref());
    // A pod without an address is in no slice yet.
    let pods = pods.filter(|pod| pod.node.is_some() && pod.phase != super::plan::Phase::Pending);
    let endpoints: Vec<Value> = pods.map(|pod| endpoint(cluster, service, pod, family)).collect();
    let metadata = slice_meta(cluster, service, slice, family, "endpointslice-controller.k8s.io");
    let fields = json!({
        "addressType": if family == Family::IPv4 { "IPv4" } else { "IPv6" },
        "endpoints": endpoints,
        "ports": [{ "name": "http", "port": 8080, "protocol": "TCP" }],
    });
    object("discovery.k8s.io/v1", "EndpointSlice", metadata, fields)
}

fn slice_meta(cluster: &Cluster, service: &Service, slice: usize, family: Family, manager: &str) -> Value {
    let mut meta = meta(cluster, service);
    meta.seed = derived(service.seed, 2 * slice as u64 + u64::from(family == Family::IPv6));
    meta.name = format!("{}-{}", service.name, suffix(meta.seed, 5));
    meta.labels["kubernetes.io/service-name"] = service.name.as_str().into();
    meta.labels["endpointslice.kubernetes.io/managed-by"] = manager.into();
    if service.kind == ServiceKind::Headless {
        meta.labels["service.kubernetes.io/headless"] = "".into();
    }
    meta.annotations = json!({
        "endpoints.kubernetes.io/last-change-trigger-time": super::metadata::rfc3339(cluster.now),
    });
    meta.owner = Some(owner("v1", "Service", &service.name, service.seed));
    let mut metadata = meta.value(&[], &[]);
    metadata["generateName"] = format!("{}-", service.name).into();
    metadata["managedFields"][0]["fieldsV1"] = json!({
        "f:addressType": {}, "f:endpoints": {}, "f:ports": {},
        "f:metadata": metadata["managedFields"][0]["fieldsV1"]["f:metadata"].take(),
    });
    metadata
}

fn endpoint(cluster: &Cluster, service: &Service, pod: &Pod, family: Family) -> Value {
    let name = pods::name(cluster, pod);
    let address = if family == Family::IPv4 { pods::address(pod) } else { pods::address_v6(pod) };
    let mut endpoint = json!({
        "addresses": [address],
        // A pod that is going serves on, but is not ready any more.
        "conditions": {
            "ready": pod.ready && !pod.terminating, "serving": pod.ready, "terminating": pod.terminating,
        },
        "targetRef": {
            "kind": "Pod", "namespace": cluster.namespace_of(pod.workload), "name": name, "uid": uid(pod.seed),
        },
    });
    if let Some(node) = pod.node {
        endpoint["nodeName"] = cluster.nodes[node].name.as_str().into();
        endpoint["zone"] = nodes::zone(node).into();
    }
    if service.kind == ServiceKind::Headless {
        endpoint["hostname"] = name.into();
    }
    endpoint
}

fn foreign_slice(cluster: &Cluster, service: &Service) -> Value {
    let mut metadata = slice_meta(cluster, service, 0, Family::IPv4, "a-person");
    if let Some(metadata) = metadata.as_object_mut() {
        metadata.remove("ownerReferences");
    }
    let fields = json!({
        "addressType": "IPv4",
        "endpoints": [{ "addresses": ["198.51.100.7"], "conditions": { "ready": true } }],
        "ports": [{ "name": "http", "port": 443, "protocol": "TCP" }],
    });
    object("discovery.k8s.io/v1", "EndpointSlice", metadata, fields)
}

fn ingress(cluster: &Cluster, service: &Service) -> Value {
    let mut meta = meta(cluster, service);
    meta.seed = derived(service.seed, 1_000_000);
    let backend = json!({ "service": { "name": service.name, "port": { "name": "http" } } });
    let fields = json!({
        "spec": { "ingressClassName": "nginx", "rules": [{
            "host": format!("{}.example.com", service.name),
            "http": { "paths": [{ "path": "/", "pathType": "Prefix", "backend": backend }] },
        }] },
        "status": { "loadBalancer": {} },
    });
    object("networking.k8s.io/v1", "Ingress", meta.value(&["rules"], &["loadBalancer"]), fields)
}
