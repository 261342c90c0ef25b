//! Renders records for a service and classifies its responses: one file or folder per format.
//!
//! The same record always renders to the same bytes: there are no random ids, maps have an order, and the only clock is
//! [`Record::now`], for receivers whose limits depend on the time. `CONTRIBUTING.md` lists the steps for a new format.
//!
//! - `interface`: the trait [`Format`]; the rest of the program knows a format only through it
//! - `record`: what a format renders; `framing`: how records share a request; `limit`: the limits of a receiver
//! - `by_name`: the formats by the words of the setting; `renderer`: a format within its limits
//! - `common`, `text`, `times`, `fit`, `json`: shared by several formats
//! - `enriched`: for the filter: a record as it came, with its impact
//!
//! All other files and folders are a format each.

mod alertmanager;
mod by_name;
mod cloudevents;
mod common;
mod datadog;
mod elasticsearch;
pub mod enriched;
mod falco;
mod fit;
mod framing;
mod gelf;
mod interface;
pub mod json;
mod limit;
mod loki;
mod native;
mod otlp;
mod pagerduty;
mod raw;
mod record;
mod renderer;
mod splunk_hec;
mod stand_ins;
mod template;
mod text;
mod times;

pub use framing::Framing;
pub use interface::{Adjusted, Format, RenderError};
pub use limit::{Limit, Over, Unit};
pub use raw::original;
pub use record::Record;
pub use renderer::Renderer;
