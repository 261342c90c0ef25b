//! The settings of the selection: which records are delivered.

use super::reader::Reader;
use super::units;
use crate::kind::Kind;
use crate::pattern::Patterns;

/// Which records are selected. An empty list of what to take selects all.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Records of unknown kind are selected in any case.
    pub kinds: Kinds,
    /// For all kinds. An event's own namespace and that of its object must both match.
    pub namespaces: Patterns,
    /// Wins over `namespaces`. One of an event's two namespaces is enough, unless its object is cluster-scoped.
    pub exclude_namespaces: Patterns,
    /// For events, such as `Warning`. Upper and lower case do not differ.
    pub types: Patterns,
    /// For events, such as `BackOff`. Upper and lower case differ.
    pub reasons: Patterns,
    /// For events. Wins over `reasons`.
    pub exclude_reasons: Patterns,
    /// For audit records, such as `delete`.
    pub verbs: Patterns,
    /// For audit records: `Metadata`, `Request` or `RequestResponse`.
    pub levels: Patterns,
    /// For audit records: matches the user or the user whom the client impersonated.
    pub users: Patterns,
    /// For audit records: excludes a request only if all of its users match.
    pub exclude_users: Patterns,
    /// For audit records: plural names, such as `pods`, or `pods/exec` with the subresource.
    pub resources: Patterns,
    /// For violations: matches the action, or one of a scoped action.
    pub enforcement_actions: Patterns,
}

/// A set of known kinds; all of them by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kinds([bool; Kind::KNOWN.len()]);

impl Default for Kinds {
    fn default() -> Self {
        Self([true; Kind::KNOWN.len()])
    }
}

impl Kinds {
    /// Whether records of this kind are selected.
    #[must_use]
    pub fn has(&self, kind: Kind) -> bool {
        Kind::KNOWN.iter().zip(self.0).any(|(known, is_in)| is_in && *known == kind)
    }

    /// Parses a comma list of names.
    fn parse(list: &str) -> Result<Self, units::ValueError> {
        let names = Kind::KNOWN.map(Kind::name);
        let mut kinds = [false; Kind::KNOWN.len()];
        for word in list.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            let place = names.iter().position(|name| *name == word);
            match place.and_then(|place| kinds.get_mut(place)) {
                Some(kind) => *kind = true,
                None => return Err(units::ValueError::new(word, "not a kind of record", names.join(", "))),
            }
        }
        if kinds.contains(&true) {
            Ok(Self(kinds))
        } else {
            Err(units::ValueError::new(list, "not a kind of record", names.join(", ")))
        }
    }
}

/// `None` if there was an error.
pub(super) fn read(from: &mut Reader<'_>) -> Option<Selection> {
    let kinds = match from.text("kinds") {
        Some(_) => from.parsed("kinds", Kinds::parse),
        None => Some(Kinds::default()),
    };
    let types = from.patterns_with("types", Patterns::parse_in_any_case);
    let mut list = |key| from.patterns(key);
    Some(Selection {
        namespaces: list("namespaces"),
        exclude_namespaces: list("exclude_namespaces"),
        types,
        reasons: list("reasons"),
        exclude_reasons: list("exclude_reasons"),
        verbs: list("verbs"),
        levels: list("levels"),
        users: list("users"),
        exclude_users: list("exclude_users"),
        resources: list("resources"),
        enforcement_actions: list("enforcement_actions"),
        kinds: kinds?,
    })
}
