//! The figures of each receiver, as it documents them.

pub mod datadog {
    use super::super::{Limit, Over, Unit};

    const EVENTS: &str = "https://docs.datadoghq.com/api/latest/events/post-an-event/";
    const TAGS: &str = "https://docs.datadoghq.com/getting_started/tagging/";

    pub const TITLE: Limit =
        Limit { of: "title", most: 100, unit: Unit::Characters, over: Over::Cut, source: EVENTS };
    pub const TEXT: Limit =
        Limit { of: "text", most: 4_000, unit: Unit::Characters, over: Over::Cut, source: EVENTS };
    pub const AGGREGATION_KEY: Limit = Limit {
        of: "aggregation_key",
        most: 100,
        unit: Unit::Characters,
        over: Over::Hashed,
        source: EVENTS,
    };
    pub const TAG: Limit =
        Limit { of: "a tag", most: 200, unit: Unit::Characters, over: Over::Cut, source: TAGS };
    pub const TAG_COUNT: Limit =
        Limit { of: "tags", most: 100, unit: Unit::Pieces, over: Over::LeftOut, source: EVENTS };
    pub const HOST: Limit = Limit {
        of: "host",
        most: 255,
        unit: Unit::Characters,
        over: Over::Cut,
        source: "DataDog/datadog-agent pkg/util/hostname/validate/validate.go",
    };
    pub const AGE: Limit = Limit {
        of: "age of date_happened",
        most: 18 * 3_600,
        unit: Unit::Seconds,
        over: Over::Clamped,
        source: EVENTS,
    };
}

pub mod loki {
    use super::super::{Limit, Over, REQUEST, Unit};

    const LIMITS: &str = "https://grafana.com/docs/loki/latest/configure/#limits_config";

    pub const LINE: Limit = Limit {
        of: "a line (max_line_size)",
        most: 256 << 10,
        unit: Unit::Bytes,
        over: Over::Cut,
        source: LIMITS,
    };
    pub const LABELS: Limit = Limit {
        of: "labels (max_label_names_per_series)",
        most: 15,
        unit: Unit::Pieces,
        over: Over::Never,
        source: LIMITS,
    };
    pub const LABEL_VALUE: Limit = Limit {
        of: "the value of a label (max_label_value_length)",
        most: 2_048,
        unit: Unit::Bytes,
        over: Over::Cut,
        source: LIMITS,
    };
    pub const METADATA: Limit = Limit {
        of: "structured metadata of a line (max_structured_metadata_size)",
        most: 64 << 10,
        unit: Unit::Bytes,
        over: Over::Cut,
        source: LIMITS,
    };
    pub const METADATA_ENTRIES: Limit = Limit {
        of: "entries of structured metadata (max_structured_metadata_entries_count)",
        most: 128,
        unit: Unit::Pieces,
        over: Over::Never,
        source: LIMITS,
    };
    pub const AGE: Limit = Limit {
        of: "age of an entry (reject_old_samples_max_age)",
        most: 7 * 86_400,
        unit: Unit::Seconds,
        over: Over::Clamped,
        source: LIMITS,
    };
    pub const AHEAD: Limit = Limit {
        of: "an entry's time ahead (creation_grace_period)",
        most: 600,
        unit: Unit::Seconds,
        over: Over::Clamped,
        source: LIMITS,
    };
    pub const BEHIND: Limit = Limit {
        of: "an entry behind the newest of its stream (half of max_chunk_age)",
        most: 3_600,
        unit: Unit::Seconds,
        over: Over::Clamped,
        source: "https://grafana.com/docs/loki/latest/operations/request-validation-rate-limits/",
    };
    /// Between the distributor and the ingesters, a push stays below what gRPC takes.
    pub const PUSH: Limit = Limit {
        of: REQUEST,
        most: 4 << 20,
        unit: Unit::Bytes,
        over: Over::NextRequest,
        source: "https://grafana.com/docs/loki/latest/configure/#server (grpc_server_max_recv_msg_size)",
    };
    pub const RATE: Limit = Limit {
        of: "bytes of a stream (per_stream_rate_limit)",
        most: 3 << 20,
        unit: Unit::PerSecond,
        over: Over::Waits,
        source: LIMITS,
    };
}

pub mod pagerduty {
    use super::super::{Limit, Over, RECORD, Unit};

    const OVERVIEW: &str = "https://developer.pagerduty.com/docs/events-api-v2-overview";
    const TRIGGER: &str = "https://developer.pagerduty.com/docs/send-alert-event";

    pub const EVENT: Limit =
        Limit { of: RECORD, most: 512_000, unit: Unit::Bytes, over: Over::Cut, source: OVERVIEW };
    pub const SUMMARY: Limit =
        Limit { of: "summary", most: 1_024, unit: Unit::Characters, over: Over::Cut, source: TRIGGER };
    pub const DEDUP_KEY: Limit =
        Limit { of: "dedup_key", most: 255, unit: Unit::Characters, over: Over::Hashed, source: TRIGGER };
    pub const RATE: Limit = Limit {
        of: "events of an integration key, which PagerDuty adapts",
        most: 120,
        unit: Unit::PerMinute,
        over: Over::Waits,
        source: "https://community.pagerduty.com/forum/t/monitoring-api-rate-limiting/3318",
    };
}

pub mod splunk {
    use super::super::{Limit, Over, REQUEST, Unit};

    const LIMITS: &str = "https://docs.splunk.com/Documentation/Splunk/latest/Admin/Limitsconf";

    pub const REQUEST_BYTES: Limit =
        Limit { of: REQUEST, most: 838_860_800, unit: Unit::Bytes, over: Over::NextRequest, source: LIMITS };
    pub const TRUNCATE: Limit = Limit {
        of: "an event that is not truncated (TRUNCATE of its sourcetype)",
        most: 10_000,
        unit: Unit::Bytes,
        over: Over::Receiver,
        source: "https://docs.splunk.com/Documentation/Splunk/latest/Admin/Propsconf",
    };
    pub const AHEAD: Limit = Limit {
        of: "an event's time ahead (quarantineFutureSecs)",
        most: 30 * 86_400,
        unit: Unit::Seconds,
        over: Over::Clamped,
        source: "https://docs.splunk.com/Documentation/Splunk/latest/Admin/Indexesconf",
    };
}

pub mod otlp {
    use super::super::{Limit, Over, REQUEST, Unit};

    pub const REQUEST_BYTES: Limit = Limit {
        of: REQUEST,
        most: 20 << 20,
        unit: Unit::Bytes,
        over: Over::NextRequest,
        source: "open-telemetry/opentelemetry-collector config/confighttp/README.md (max_request_body_size)",
    };
}

pub mod elasticsearch {
    use super::super::{Limit, Over, REQUEST, Unit};

    pub const REQUEST_BYTES: Limit = Limit {
        of: REQUEST,
        most: 100 << 20,
        unit: Unit::Bytes,
        over: Over::NextRequest,
        source: "https://www.elastic.co/docs/reference/elasticsearch/configuration-reference/networking-settings (http.max_content_length)",
    };
    pub const ID: Limit = Limit {
        of: "_id",
        most: 512,
        unit: Unit::Bytes,
        over: Over::Hashed,
        source: "https://www.elastic.co/docs/reference/elasticsearch/mapping-reference/mapping-id-field",
    };
    pub const DEPTH: Limit = Limit {
        of: "levels of objects (index.mapping.depth.limit)",
        most: 20,
        unit: Unit::Pieces,
        over: Over::AsText,
        source: "https://www.elastic.co/docs/reference/elasticsearch/index-settings/mapping-limit",
    };
    pub const FIELDS: Limit = Limit {
        of: "fields of an index (index.mapping.total_fields.limit)",
        most: 1_000,
        unit: Unit::Pieces,
        over: Over::Receiver,
        source: "https://www.elastic.co/docs/reference/elasticsearch/index-settings/mapping-limit",
    };
}

pub mod cloudevents {
    use super::super::{Limit, Over, RECORD, Unit};

    pub const EVENT: Limit = Limit {
        of: RECORD,
        most: 64 << 10,
        unit: Unit::Bytes,
        over: Over::Receiver,
        source: "cloudevents/spec cloudevents/spec.md (size limits: what intermediaries must forward)",
    };
}
