//! Comma lists with `*` wildcards, as in `kube-*, default`.

use wildmatch::WildMatchPattern;

/// Only `*` is special; `?` and brackets are literal, because no name in Kubernetes contains them.
#[derive(Debug, Clone, PartialEq)]
enum Pattern {
    /// Without a star.
    Exactly(Box<str>),
    /// With a single star, at the end.
    Prefix(Box<str>),
    Any(WildMatchPattern<'*', '\0'>),
}

impl Pattern {
    /// The two simple forms are separate because nearly all patterns have them, and every label of every object is
    /// matched.
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

/// A list of patterns. The empty list matches nothing; the caller decides what that means.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Patterns {
    patterns: Vec<Pattern>,
    /// A text that matches one of these does not match the list.
    except: Vec<Pattern>,
}

impl Patterns {
    /// Splits at commas, and ignores blanks around a pattern and empty patterns.
    #[must_use]
    pub fn parse(list: &str) -> Self {
        let patterns = list.split(',').map(str::trim).filter(|part| !part.is_empty()).map(Pattern::new);
        Self { patterns: patterns.collect(), except: Vec::new() }
    }

    /// The same for case-insensitive words; use it with [`Self::matches_in_any_case`].
    #[must_use]
    pub fn parse_in_any_case(list: &str) -> Self {
        Self::parse(&list.to_ascii_lowercase())
    }

    /// This list without the texts that `others` match.
    #[must_use]
    pub fn except(mut self, others: Self) -> Self {
        self.except.extend(others.patterns);
        self
    }

    /// Whether the list has no pattern.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Whether any pattern matches the whole text. It is case-sensitive, as Kubernetes' names are.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let any = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(text));
        any(&self.patterns) && !any(&self.except)
    }
}

impl Patterns {
    /// Whether any pattern matches the whole text, in any case.
    #[must_use]
    pub fn matches_in_any_case(&self, text: &str) -> bool {
        self.matches(&text.to_ascii_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::Patterns;

    #[test]
    fn a_list_of_words_in_any_case_ignores_case() {
        let list = Patterns::parse_in_any_case("Warning, ERR*");
        for text in ["Warning", "warning", "WARNING", "Error", "err"] {
            assert!(list.matches_in_any_case(text), "{text}");
        }
        assert!(!list.matches_in_any_case("Normal") && !list.matches_in_any_case(""));
    }

    #[test]
    fn a_star_matches_any_text_and_the_empty_one() {
        let list = Patterns::parse(" kube-*, default ,*-canary, a*b*c,,");
        for text in ["kube-system", "kube-", "default", "pay-canary", "abc", "a--b--c"] {
            assert!(list.matches(text), "{text}");
        }
        for text in ["kube", "defaults", "canary-x", "abcd", "", "?"] {
            assert!(!list.matches(text), "{text}");
        }
    }

    #[test]
    fn a_question_mark_is_literal() {
        assert!(!Patterns::parse("a?c").matches("abc"));
    }

    #[test]
    fn no_pattern_is_slow() {
        let list = Patterns::parse(&"a*".repeat(40));
        assert!(!list.matches(&format!("{}b", "a".repeat(2_000)).replace('b', "b!").replacen('a', "b", 1)));
    }
}
