//! Comma lists with `*` wildcards, as in `kube-*, default`.

use wildmatch::WildMatchPattern;

/// Only `*` is special: `?` and brackets stand for themselves, as no name in Kubernetes holds them.
#[derive(Debug, Clone, PartialEq)]
enum Pattern {
    /// Without a star.
    Exactly(Box<str>),
    /// With one, at the end.
    Prefix(Box<str>),
    Any(WildMatchPattern<'*', '\0'>),
}

impl Pattern {
    /// Nearly all patterns have one of the two simple forms, and every label of every object is asked about.
    fn new(text: &str) -> Self {
        match text.split_once('*') {
            None => Self::Exactly(text.into()),
            Some((prefix, "")) => Self::Prefix(prefix.into()),
            Some(_) => Self::Any(WildMatchPattern::new(text)),
        }
    }

    fn matches(&self, text: &str) -> bool {
        match self {
            Self::Exactly(word) => **word == *text,
            Self::Prefix(prefix) => text.starts_with(&**prefix),
            Self::Any(pattern) => pattern.matches(text),
        }
    }
}

/// A list of patterns. The empty list matches nothing; what that means is the caller's to say.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Patterns {
    patterns: Vec<Pattern>,
    /// What matches one of these matches nothing.
    except: Vec<Pattern>,
}

impl Patterns {
    /// Splits at commas; blanks around a pattern and empty patterns do not count.
    #[must_use]
    pub fn parse(list: &str) -> Self {
        let patterns = list.split(',').map(str::trim).filter(|part| !part.is_empty()).map(Pattern::new);
        Self { patterns: patterns.collect(), except: Vec::new() }
    }

    /// The same for words whose case says nothing: to be asked with [`Self::matches_in_any_case`].
    #[must_use]
    pub fn parse_in_any_case(list: &str) -> Self {
        Self::parse(&list.to_ascii_lowercase())
    }

    /// The same, but for what these match.
    #[must_use]
    pub fn except(mut self, others: Self) -> Self {
        self.except.extend(others.patterns);
        self
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Whether any pattern matches the whole text. Case counts, as it does in Kubernetes' names.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let any = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(text));
        any(&self.patterns) && !any(&self.except)
    }
}

impl Patterns {
    /// Whether any pattern matches the whole text, in whatever case it is written.
    #[must_use]
    pub fn matches_in_any_case(&self, text: &str) -> bool {
        self.matches(&text.to_ascii_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::Patterns;

    #[test]
    fn where_case_says_nothing_it_does_not_count() {
        let list = Patterns::parse_in_any_case("Warning, ERR*");
        for text in ["Warning", "warning", "WARNING", "Error", "err"] {
            assert!(list.matches_in_any_case(text), "{text}");
        }
        assert!(!list.matches_in_any_case("Normal") && !list.matches_in_any_case(""));
    }

    #[test]
    fn a_star_stands_for_anything_and_nothing() {
        let list = Patterns::parse(" kube-*, default ,*-canary, a*b*c,,");
        for text in ["kube-system", "kube-", "default", "pay-canary", "abc", "a--b--c"] {
            assert!(list.matches(text), "{text}");
        }
        for text in ["kube", "defaults", "canary-x", "abcd", "", "?"] {
            assert!(!list.matches(text), "{text}");
        }
    }

    #[test]
    fn a_question_mark_is_itself() {
        assert!(!Patterns::parse("a?c").matches("abc"));
    }

    #[test]
    fn no_pattern_is_slow() {
        let list = Patterns::parse(&"a*".repeat(40));
        assert!(!list.matches(&format!("{}b", "a".repeat(2_000)).replace('b', "b!").replacen('a', "b", 1)));
    }
}
