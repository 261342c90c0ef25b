//! The default limits that the OpenTelemetry collector documents.

use crate::format::limit::{Limit, Over, Unit};

pub(super) const REQUEST_BYTES: Limit = Limit {
    of: Limit::REQUEST,
    most: 20 << 20,
    unit: Unit::Bytes,
    over: Over::NextRequest,
    source: "open-telemetry/opentelemetry-collector config/confighttp/README.md (max_request_body_size)",
};

/// All limits, in the order of docs/formats.md.
pub(super) const ALL: &[Limit] = &[REQUEST_BYTES];
