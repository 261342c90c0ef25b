//! The border to Fluent Bit, seen by the mini host: of the output, and of the filter.

mod filter;
mod output;
