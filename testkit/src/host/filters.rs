//! Native filters: loaded, configured and called, one chunk at a time.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use event_gateway::clock;

use super::flushes::INLINE_BYTES;
use super::lines::{self, LogLine};
use super::{MiniHost, join, millis, word};

/// What the host found in a filter's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadedFilter {
    pub name: String,
    /// Size of the registration struct; a release reads 80 bytes, since 3.2.0 88.
    pub struct_bytes: usize,
    /// The file is the very image of the output that is loaded: both see the same statics.
    pub shares_image: bool,
}

/// Where Fluent Bit calls a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// On the engine's own stack, with a tag that ends by a NUL.
    Pipeline,
    /// On an input's thread, on a coroutine of [`MiniHost::stack_bytes`]; reading `tag[tag_len]` crashes.
    Processor,
}

/// What a call of cb_filter made of a chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// FLB_FILTER_NOTOUCH, and any code that the host does not know (a violation).
    NoTouch,
    /// FLB_FILTER_MODIFIED; empty when all records were dropped.
    Modified(Vec<u8>),
    /// The call left its coroutine (a violation).
    Yielded,
}

#[derive(Clone, Debug)]
pub struct Filtered {
    pub outcome: Outcome,
    /// Time inside cb_filter.
    pub took: Duration,
    /// How deep the call went; `None` in the pipeline, where the stack is a thread's.
    pub stack_bytes: Option<usize>,
}

impl MiniHost {
    /// dlopen of `flb-filter_NAME.so`; the host reads its `filter_NAME_plugin`.
    pub fn load_filter(&mut self, path: &Path) -> LoadedFilter {
        let reply = self.ask("filterloaded", &[b"loadfilter", path.as_os_str().as_encoded_bytes()]);
        let fields: BTreeMap<&str, &str> =
            reply.split(' ').filter_map(|field| field.split_once('=')).collect();
        LoadedFilter {
            name: fields["name"].to_owned(),
            struct_bytes: fields["bytes"].parse().expect("a size"),
            shares_image: fields["shared"] == "1",
        }
    }

    /// A property, as in the configuration file. An empty one reads as "", unlike an output's.
    pub fn set_filter(&mut self, filter: &str, key: &str, value: impl AsRef<[u8]>) -> &mut Self {
        let value = lines::escape(value.as_ref(), false);
        self.send(&[b"setfilter ", word(filter).as_slice(), b" ", &word(key), b" ", &value].concat());
        self.expect("ok", b"setfilter");
        self
    }

    /// Makes the filter a processor of a threaded input: it starts before the pipeline's filters (since
    /// 4.0.3 on the input's thread), ends after the outputs, and a reload does not validate it.
    pub fn as_processor(&mut self, filter: &str) {
        self.ask("ok", &[b"processor", filter.as_bytes()]);
    }

    /// cb_pre_run alone, on the main thread, as a reload's validation and a dry run do; 0 accepts.
    pub fn pre_run_filter(&mut self, filter: &str) -> i32 {
        self.code("prerun", "prerun", filter)
    }

    /// cb_pre_run and cb_init; 0 is success.
    pub fn init_filter(&mut self, filter: &str) -> i32 {
        self.code("initfilter", "filterinit", filter)
    }

    /// cb_filter and what it made of the chunk.
    pub fn filter(&mut self, filter: &str, tag: impl AsRef<[u8]>, data: &[u8], place: Place) -> Filtered {
        let result = self.directory.join(format!("{}.filtered", self.next_id));
        self.start_filter(filter, tag, data, place);
        let reply = self.expect("filtered", b"filter");
        let words: Vec<&str> = reply.split(' ').collect();
        let outcome = match words[1] {
            "modified" => Outcome::Modified(fs::read(&result).unwrap_or_default()),
            "yielded" => Outcome::Yielded,
            _ => Outcome::NoTouch,
        };
        let _ = fs::remove_file(&result);
        Filtered { outcome, took: millis(words[2]), stack_bytes: words[3].parse().ok() }
    }

    /// Calls the filter with a chunk until it has logged a line that contains `text`: it speaks only when it is called.
    pub fn filter_until_log(&mut self, filter: &str, data: &[u8], text: &str) -> LogLine {
        let end = clock::monotonic() + lines::patience();
        loop {
            self.filter(filter, "t", data, Place::Processor);
            if let Some(line) = self.logs().into_iter().find(|line| line.text.contains(text)) {
                return line;
            }
            if clock::monotonic() > end {
                self.fail(&format!("nobody logged {text:?}"));
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// The same without waiting, for a call that the host does not survive.
    pub fn start_filter(&mut self, filter: &str, tag: impl AsRef<[u8]>, data: &[u8], place: Place) {
        let place = match place {
            Place::Pipeline => "pipeline",
            Place::Processor => "processor",
        };
        let id = self.next_id;
        self.next_id += 1;
        let result = self.directory.join(format!("{id}.filtered"));
        let (filter, result) = (filter.as_bytes(), result.as_os_str().as_encoded_bytes());
        if data.len() <= INLINE_BYTES {
            let hex: String = data.iter().map(|byte| format!("{byte:02x}")).collect();
            let words = [b"filterhex", filter, place.as_bytes(), result, tag.as_ref(), hex.as_bytes()];
            return self.send(&join(words.iter()));
        }
        // One file for all calls: the host has read the last one whole when it replied.
        let path = self.directory.join("filter-data");
        fs::write(&path, data).expect("writing filter data");
        let path = path.as_os_str().as_encoded_bytes();
        let words = [b"filter", filter, place.as_bytes(), result, tag.as_ref(), path, b"0", b"0"];
        self.send(&join(words.iter()));
    }

    fn code(&mut self, command: &str, expected: &str, filter: &str) -> i32 {
        let reply = self.ask(expected, &[command.as_bytes(), filter.as_bytes()]);
        reply.rsplit(' ').next().and_then(|code| code.parse().ok()).expect("a code")
    }
}
