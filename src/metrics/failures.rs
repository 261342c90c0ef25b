//! Why requests did not settle their batch: a fixed set of classes, each with its own count.
//!
//! The set is fixed because a label with the status alone would create as many time series as a gateway sends
//! statuses. Each class points to a different person to ask or a different file to look at.

use super::labelled::slices;
use super::measure::{Measure, Reading};
use super::number::Number;

/// Why a request failed; the value of the label `class`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureClass {
    /// No connection: no address, refused, a proxy that did not connect, or not in time.
    Connect,
    /// The TLS handshake failed: certificates, authorities, or a remote endpoint that does not speak TLS.
    Tls,
    /// Connected, but no response within `timeout`.
    Timeout,
    /// Connected, but the connection was closed before a response.
    Cut,
    /// The response is not HTTP/1.1.
    Protocol,
    /// A redirect, which is not followed: `endpoint` is not the gateway's own URL.
    Http3xx,
    /// 401 and 403: the credentials.
    HttpAuth,
    /// The gateway asks to send less.
    Http429,
    /// Any other 4xx that does not settle the batch.
    Http4xx,
    /// The gateway, or a proxy in front of it, failed.
    Http5xx,
    /// Anything else, and requests that this plugin's own stop interrupted.
    Other,
}

impl FailureClass {
    /// In the order of their numbers.
    pub const ALL: [Self; 11] = [
        Self::Connect,
        Self::Tls,
        Self::Timeout,
        Self::Cut,
        Self::Protocol,
        Self::Http3xx,
        Self::HttpAuth,
        Self::Http429,
        Self::Http4xx,
        Self::Http5xx,
        Self::Other,
    ];

    /// The label's value.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Cut => "cut",
            Self::Protocol => "protocol",
            Self::Http3xx => "http_3xx",
            Self::HttpAuth => "http_401_403",
            Self::Http429 => "http_429",
            Self::Http4xx => "http_4xx",
            Self::Http5xx => "http_5xx",
            Self::Other => "other",
        }
    }

    /// The class of a response that is no success.
    #[must_use]
    pub fn of_status(status: u16) -> Self {
        match status {
            300..=399 => Self::Http3xx,
            401 | 403 => Self::HttpAuth,
            429 => Self::Http429,
            400..=499 => Self::Http4xx,
            500..=599 => Self::Http5xx,
            _ => Self::Other,
        }
    }
}

const NAMES: [[&str; 1]; FailureClass::ALL.len()] = {
    let mut names = [[""]; FailureClass::ALL.len()];
    let mut index = 0;
    while index < names.len() {
        names[index] = [FailureClass::ALL[index].name()];
        index += 1;
    }
    names
};

/// A count for each class.
#[derive(Debug, Default)]
pub struct Failures([Number; FailureClass::ALL.len()]);

impl Failures {
    /// Counts one failure.
    pub fn add(&self, class: FailureClass) {
        self.0[class as usize].add(1);
    }

    /// The sum of all classes.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.iter().map(Number::get).sum()
    }

    /// How many of this class.
    #[must_use]
    pub fn of(&self, class: FailureClass) -> u64 {
        self.0[class as usize].get()
    }
}

impl Measure for Failures {
    const LABELS: &'static [&'static str] = &["class"];
    const LABEL_VALUES: &'static [&'static [&'static str]] = &slices(&NAMES);

    fn read(&self) -> Reading {
        Reading::ByLabel(FailureClass::ALL.map(|class| self.of(class)).to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_has_its_own_number_and_name() {
        let failures = Failures::default();
        for (index, class) in FailureClass::ALL.into_iter().enumerate() {
            assert_eq!(class as usize, index, "{class:?} has another place in ALL");
            failures.add(class);
            assert_eq!(failures.of(class), 1);
        }
        assert_eq!(failures.get(), 11);
        let mut names = FailureClass::ALL.map(FailureClass::name).to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 11);
    }

    #[test]
    fn a_status_has_one_class() {
        for (status, name) in [
            (301, "http_3xx"),
            (401, "http_401_403"),
            (403, "http_401_403"),
            (404, "http_4xx"),
            (408, "http_4xx"),
            (429, "http_429"),
            (500, "http_5xx"),
            (599, "http_5xx"),
            (199, "other"),
            (999, "other"),
        ] {
            assert_eq!(FailureClass::of_status(status).name(), name, "{status}");
        }
    }
}
