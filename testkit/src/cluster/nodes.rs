//! Nodes, with their zones, addresses and conditions.

use serde_json::{Value, json};

use super::metadata::{Meta, derived, object, rfc3339};
use super::plan::{Cluster, START};
use super::random::hex;

const ZONES: [&str; 3] = ["eu-central-1a", "eu-central-1b", "eu-central-1c"];

pub(super) fn zone(node: usize) -> &'static str {
    ZONES[node % ZONES.len()]
}

pub(super) fn address(node: usize) -> String {
    format!("10.{}.{}.{}", node / 62_500, node / 250 % 250, node % 250 + 1)
}

pub(super) fn node(cluster: &Cluster, place: usize) -> Value {
    let node = &cluster.nodes[place];
    let (name, now) = (node.name.as_str(), rfc3339(cluster.now));
    let created_at = START - 86_400 * (1 + node.seed % 90);
    let labels = json!({
        "beta.kubernetes.io/arch": "amd64", "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64", "kubernetes.io/os": "linux", "kubernetes.io/hostname": name,
        "node.kubernetes.io/instance-type": "m7i.4xlarge",
        "topology.kubernetes.io/region": "eu-central-1", "topology.kubernetes.io/zone": zone(place),
    });
    let annotations = json!({
        "node.alpha.kubernetes.io/ttl": "0", "volumes.kubernetes.io/controller-managed-attach-detach": "true",
    });
    let meta = Meta {
        namespace: None,
        name: name.to_owned(),
        seed: node.seed,
        labels,
        annotations,
        owner: None,
        created_at,
    };
    let condition = |kind: &str, status: bool, reason: &str, message: &str| {
        json!({
            "type": kind, "status": if status { "True" } else { "False" }, "reason": reason, "message": message,
            "lastHeartbeatTime": now, "lastTransitionTime": rfc3339(created_at),
        })
    };
    let memory_reason =
        if node.pressure { "KubeletHasInsufficientMemory" } else { "KubeletHasSufficientMemory" };
    let images: Vec<Value> = (0..12)
        .map(|image| {
            let digest = hex(node.seed % 50 + image, 64);
            let repository = format!("registry.example.internal/platform/image-{image}");
            let names = [format!("{repository}@sha256:{digest}"), format!("{repository}:1.{image}.0")];
            json!({ "names": names, "sizeBytes": 40_000_000 + image * 7_919 })
        })
        .collect();
    let fields = json!({
        "spec": {
            "podCIDR": format!("10.244.{}.0/24", place % 250),
            "podCIDRs": [format!("10.244.{}.0/24", place % 250)],
            "providerID": format!("aws:///{}/i-{}", zone(place), hex(node.seed, 17)),
        },
        "status": {
            "addresses": [
                { "type": "InternalIP", "address": address(place) },
                { "type": "InternalDNS", "address": name },
                { "type": "Hostname", "address": name },
            ],
            "capacity": {
                "cpu": "16", "ephemeral-storage": "104845292Ki", "hugepages-1Gi": "0", "hugepages-2Mi": "0",
                "memory": "64839624Ki", "pods": "110",
            },
            "allocatable": {
                "cpu": "15890m", "ephemeral-storage": "95551679124", "hugepages-1Gi": "0", "hugepages-2Mi": "0",
                "memory": "61823944Ki", "pods": "110",
            },
            "conditions": [
                condition("MemoryPressure", node.pressure, memory_reason, "as the kubelet sees its memory"),
                condition("DiskPressure", false, "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
                condition("PIDPressure", false, "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
                condition("Ready", true, "KubeletReady", "kubelet is posting ready status"),
            ],
            "daemonEndpoints": { "kubeletEndpoint": { "Port": 10250 } },
            "images": images,
            "nodeInfo": {
                "architecture": "amd64", "bootID": hex(derived(node.seed, 1), 32), "machineID": hex(derived(node.seed, 2), 32),
                "systemUUID": hex(derived(node.seed, 3), 32), "containerRuntimeVersion": "containerd://2.1.4",
                "kernelVersion": "6.12.40-64.114.amzn2023.x86_64", "kubeProxyVersion": "",
                "kubeletVersion": "v1.36.2", "operatingSystem": "linux", "osImage": "Amazon Linux 2023",
            },
        },
    });
    let metadata = meta.value(&["podCIDR", "podCIDRs", "providerID"], &["conditions", "images", "nodeInfo"]);
    object("v1", "Node", metadata, fields)
}
