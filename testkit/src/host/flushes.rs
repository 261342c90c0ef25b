//! Flushes: started at once, waited for later, as many at a time as a test likes.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use event_gateway::clock;

use super::lines::{self, Code, Missed};
use super::{MiniHost, join};

/// Data above this goes by a file: a command is one line.
pub(super) const INLINE_BYTES: usize = 2048;

impl MiniHost {
    /// Starts a flush and returns its id at once.
    pub fn flush(&mut self, instance: &str, tag: impl AsRef<[u8]>, data: &[u8]) -> u64 {
        if data.len() <= INLINE_BYTES {
            let hex: String = data.iter().map(|byte| format!("{byte:02x}")).collect();
            return self.start_flush("flushhex", instance, tag.as_ref(), &[hex.as_bytes()]);
        }
        let path = self.directory.join(self.next_id.to_string());
        fs::write(&path, data).expect("writing flush data");
        self.flush_file(instance, tag, &path, 0, 0)
    }

    /// Flushes `len` bytes of a file from `offset`; 0 means to its end.
    pub fn flush_file(
        &mut self,
        instance: &str,
        tag: impl AsRef<[u8]>,
        path: &Path,
        offset: u64,
        len: u64,
    ) -> u64 {
        let path = path.as_os_str().as_encoded_bytes();
        let (offset, len) = (offset.to_string(), len.to_string());
        let part = [path, offset.as_bytes(), len.as_bytes()];
        self.start_flush("flush", instance, tag.as_ref(), &part)
    }

    /// Flushes a NULL pointer and no bytes.
    pub fn flush_null(&mut self, instance: &str, tag: impl AsRef<[u8]>) -> u64 {
        self.start_flush("flush", instance, tag.as_ref(), &[b"-", b"0", b"0"])
    }

    fn start_flush(&mut self, command: &str, instance: &str, tag: &[u8], data: &[&[u8]]) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        let id_text = id.to_string();
        let head = [command.as_bytes(), instance.as_bytes(), id_text.as_bytes(), tag];
        self.send(&join(head.iter().chain(data)));
        id
    }

    /// What a flush returned, when it has.
    pub fn wait(&mut self, id: u64) -> Code {
        match self.wait_within(id, lines::patience()) {
            Some(code) => code,
            None => self.fail(&format!("flush {id} did not return")),
        }
    }

    /// The same, or `None` when it is still waiting after `bound`.
    pub fn wait_within(&mut self, id: u64, bound: Duration) -> Option<Code> {
        match self.lines.wait(bound, |state| state.flushes.get(&id).cloned()) {
            Ok(Ok(code)) => Some(code),
            Ok(Err(why)) => self.fail(&why),
            Err(Missed::Late) => None,
            Err(Missed::Closed) => self.fail(&format!("the host died in flush {id}")),
        }
    }

    /// Brings a chunk again until it is OK, as the host does, with a short pause after each RETRY; how many there were.
    pub fn deliver_at_last(&mut self, instance: &str, tag: &str, data: &[u8]) -> usize {
        let end = clock::monotonic() + lines::patience();
        let mut retries = 0;
        while self.deliver(instance, tag, data) != Code::Ok {
            if clock::monotonic() > end {
                self.fail(&format!("not delivered after {retries} retries"));
            }
            retries += 1;
            thread::sleep(Duration::from_millis(20));
        }
        retries
    }

    /// A flush and its result.
    pub fn deliver(&mut self, instance: &str, tag: impl AsRef<[u8]>, data: &[u8]) -> Code {
        let id = self.flush(instance, tag, data);
        self.wait(id)
    }
}
