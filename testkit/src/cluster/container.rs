//! The container of a pod and of the template that it is made by.

use serde_json::{Value, json};

/// The container of a workload's pods, as it also stands in the template.
pub(super) fn container(seed: u64, revision: u64) -> Value {
    let probe = |path: &str, seconds: u64| {
        json!({
            "httpGet": { "path": path, "port": "http", "scheme": "HTTP" }, "initialDelaySeconds": seconds,
            "timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3,
        })
    };
    json!({
        "name": "app",
        "image": image(seed, revision),
        "imagePullPolicy": "IfNotPresent",
        "env": [
            { "name": "LOG_LEVEL", "value": "info" },
            { "name": "POD_NAME", "valueFrom": { "fieldRef": { "apiVersion": "v1", "fieldPath": "metadata.name" } } },
        ],
        "ports": [{ "name": "http", "containerPort": 8080, "protocol": "TCP" }],
        "resources": { "limits": { "memory": "512Mi" }, "requests": { "cpu": "100m", "memory": "256Mi" } },
        "livenessProbe": probe("/healthz", 10),
        "readinessProbe": probe("/ready", 2),
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
    })
}

pub(super) fn image(seed: u64, revision: u64) -> String {
    format!("registry.example.internal/apps/service-{}:1.{revision}.{}", seed % 1_000, seed % 10)
}
