//! A record becomes the text that is sent, and a response becomes a disposition: one file or folder per format.
//!
//! The same record always renders to the same bytes: no random id, no map without an order, and no clock but
//! [`Record::now`], on which the times of some receivers depend. `CONTRIBUTING.md` lists the steps for a new format.
//!
//! - `interface`: the trait [`Format`], which is all that the rest of the program knows of a format
//! - `record`: what a format renders; `framing`: how records share a request; `limit`: what a receiver takes
//! - `by_name`: the formats by the words of the setting; `renderer`: a format within its limits
//! - `common`, `text`, `times`, `fit`, `json`: what several formats share
//! - `enriched`: a record as it came, with its impact, for the filter

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
