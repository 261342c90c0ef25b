//! The host's version.
//!
//! Fluent Bit exports neither its version nor a function that returns it. But its NATS output, enabled by default,
//! contains a literal with the version, and the first entry that `dl_iterate_phdr` reports is the executable.
//! Environment variables are not used, because they are inherited and edited, and a wrong version would make the
//! plugin write past the end of the host's memory.

use std::ffi::{c_int, c_void};
use std::slice;
use std::sync::OnceLock;

use super::symbols;

/// The text before the version in the host's read-only data.
const MARK: &[u8] = b"\"lang\":\"c\",\"version\":\"";

/// Whether this host's plugin definition has a field for a `config_map` with entries of 104 bytes. That is so from
/// 5.1.1 on, within 5.1. A version that we have not tested gets the five fields that all versions have.
pub fn takes_config_map() -> bool {
    // The symbol exists exactly in the versions whose entries have 104 bytes, from 5.0.3 on.
    symbols::exists(c"flb_config_map_get_raw") && has_config_map(host())
}

/// Whether this host publishes histograms correctly. The host copies all metrics before it publishes them. Before
/// 4.2.2 (cmetrics 1.0.6, `cmt_cat.c`) the copy of a histogram lost the bucket without a bound, and before 3.1.8 it
/// used the count of observations as the count of buckets, and read past the end. A host of unknown version may be
/// any of them.
pub fn copies_histograms() -> bool {
    copies_histograms_whole(host())
}

type Version = [u32; 3];

fn has_config_map(version: Option<Version>) -> bool {
    version.is_some_and(|[major, minor, patch]| (major, minor) == (5, 1) && patch >= 1)
}

fn copies_histograms_whole(version: Option<Version>) -> bool {
    version.is_some_and(|version| version >= [4, 2, 2])
}

/// The host's version. It is looked up once, because it cannot change while the image is loaded.
fn host() -> Option<Version> {
    static HOST: OnceLock<Option<Version>> = OnceLock::new();
    *HOST.get_or_init(|| scan().and_then(|text| parsed(&text)))
}

fn parsed(text: &str) -> Option<Version> {
    let mut parts = text.split('.').map(|part| part.parse().ok());
    Some([parts.next()??, parts.next()??, parts.next()??])
}

/// The version in the executable's own memory, such as `5.1.1`.
fn scan() -> Option<String> {
    let mut found: Option<String> = None;
    // SAFETY: the callback gets `found` back and uses it only while this call lasts.
    unsafe { libc::dl_iterate_phdr(Some(visit), (&raw mut found).cast()) };
    found
}

/// Looks only at the first object, which is the executable, and stops.
unsafe extern "C" fn visit(info: *mut libc::dl_phdr_info, _: usize, found: *mut c_void) -> c_int {
    // SAFETY: the loader passes a valid record; its headers describe memory that is mapped.
    let (info, headers) = unsafe {
        let info = &*info;
        if info.dlpi_phdr.is_null() {
            return 1;
        }
        (info, slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum)))
    };
    for header in headers {
        let readable_only = header.p_flags & (libc::PF_R | libc::PF_W) == libc::PF_R;
        let (Ok(start), Ok(size)) = (usize::try_from(header.p_vaddr), usize::try_from(header.p_memsz)) else {
            continue;
        };
        let Ok(base) = usize::try_from(info.dlpi_addr) else { continue };
        if header.p_type != libc::PT_LOAD || !readable_only || size == 0 {
            continue;
        }
        // SAFETY: it is a loaded segment of this size, mapped readable and never written.
        let bytes = unsafe { slice::from_raw_parts((base + start) as *const u8, size) };
        if let Some(version) = version_in(bytes) {
            // SAFETY: `found` is what `scan` passed in.
            unsafe { *found.cast::<Option<String>>() = Some(version) };
            break;
        }
    }
    1
}

fn version_in(bytes: &[u8]) -> Option<String> {
    let at = bytes.windows(MARK.len()).position(|window| window == MARK)? + MARK.len();
    let version: Vec<u8> = bytes[at..]
        .iter()
        .copied()
        .take(16)
        .take_while(|byte| byte.is_ascii_digit() || *byte == b'.')
        .collect();
    String::from_utf8(version).ok().filter(|version| !version.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hosts_known_to_have_the_field_get_it() {
        for yes in ["5.1.1", "5.1.2", "5.1.12"] {
            assert!(has_config_map(parsed(yes)), "{yes}");
        }
        for no in ["5.1.0", "5.0.9", "4.2.8", "5.2.0", "6.1.1", "", "5.1", "5"] {
            assert!(!has_config_map(parsed(no)), "{no}");
        }
    }

    #[test]
    fn only_hosts_known_to_copy_histograms_whole_get_them() {
        for yes in ["4.2.2", "4.2.3.1", "4.3.0", "4.10.0", "5.0.0", "5.1.1", "6.0.0"] {
            assert!(copies_histograms_whole(parsed(yes)), "{yes}");
        }
        for no in ["4.2.1", "4.1.9", "3.2.10", "2.2.3", "", "4.2", "5"] {
            assert!(!copies_histograms_whole(parsed(no)), "{no}");
        }
    }

    #[test]
    fn the_version_ends_where_its_digits_do() {
        assert_eq!(version_in(b"xx\"lang\":\"c\",\"version\":\"5.1.1\",\"v").as_deref(), Some("5.1.1"));
        assert_eq!(version_in(b"\"lang\":\"c\",\"version\":\""), None);
        assert_eq!(version_in(b""), None);
    }
}
