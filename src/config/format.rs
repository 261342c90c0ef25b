//! The formats, by the words that settings call them, and how bodies are packed.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Native,
    CloudEvents,
    CloudEventsBatch,
    Raw,
    Template,
    Otlp,
    OtlpJson,
    Ecs,
    Elasticsearch,
    SplunkHec,
    Datadog,
    Loki,
    Alertmanager,
    PagerDuty,
    Falco,
    KubernetesEventExporter,
    K8stream,
    Eventrouter,
}

impl Format {
    /// All of them, by the words of the setting.
    pub const WORDS: &[(&str, Self)] = &[
        ("native", Self::Native),
        ("cloudevents", Self::CloudEvents),
        ("cloudevents_batch", Self::CloudEventsBatch),
        ("raw", Self::Raw),
        ("template", Self::Template),
        ("otlp", Self::Otlp),
        ("otlp_json", Self::OtlpJson),
        ("ecs", Self::Ecs),
        ("elasticsearch", Self::Elasticsearch),
        ("splunk_hec", Self::SplunkHec),
        ("datadog", Self::Datadog),
        ("loki", Self::Loki),
        ("alertmanager", Self::Alertmanager),
        ("pagerduty", Self::PagerDuty),
        ("falco", Self::Falco),
        ("kubernetes_event_exporter", Self::KubernetesEventExporter),
        ("k8stream", Self::K8stream),
        ("eventrouter", Self::Eventrouter),
    ];
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compress {
    Gzip,
    None,
}
