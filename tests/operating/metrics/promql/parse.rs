//! A text to an expression, by the precedence that Prometheus documents.

use super::{Expr, Matcher};

/// From the loosest to the tightest.
const LEVELS: [&[&str]; 5] =
    [&["or"], &["and", "unless"], &["==", "!=", ">=", "<=", ">", "<"], &["+", "-"], &["*", "/"]];
const AGGREGATES: [&str; 3] = ["sum", "max", "min"];
const FUNCTIONS: [&str; 2] = ["increase", "absent"];

/// # Errors
/// What is not understood, and from where on.
pub fn parse(text: &str) -> Result<Expr, String> {
    let mut parser = Parser { rest: text.trim() };
    let expr = parser.binary(0)?;
    if parser.rest.is_empty() { Ok(expr) } else { Err(format!("not understood: {}", parser.rest)) }
}

struct Parser<'t> {
    rest: &'t str,
}

impl<'t> Parser<'t> {
    fn take(&mut self, token: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(token) else { return false };
        let is_word = token.chars().all(char::is_alphanumeric);
        if is_word && rest.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
            return false;
        }
        self.rest = rest.trim_start();
        true
    }

    fn must(&mut self, token: &str) -> Result<(), String> {
        if self.take(token) { Ok(()) } else { Err(format!("{token} is missing before: {}", self.rest)) }
    }

    fn while_in(&mut self, wanted: impl Fn(char) -> bool) -> &'t str {
        let end = self.rest.find(|c: char| !wanted(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest.trim_start();
        word
    }

    fn word(&mut self) -> &'t str {
        self.while_in(|c| c.is_alphanumeric() || c == '_')
    }

    fn binary(&mut self, level: usize) -> Result<Expr, String> {
        let Some(operators) = LEVELS.get(level) else { return self.operand() };
        let mut left = self.binary(level + 1)?;
        while let Some(operator) = operators.iter().find(|operator| self.take(operator)) {
            if self.take("bool") {
                return Err("bool is not known here".to_owned());
            }
            let on = if self.take("on") { Some(self.names()?) } else { None };
            let right = self.binary(level + 1)?;
            let operator = (*operator).to_owned();
            left = Expr::Binary { operator, on, left: Box::new(left), right: Box::new(right) };
        }
        Ok(left)
    }

    fn operand(&mut self) -> Result<Expr, String> {
        if self.take("(") {
            let inner = self.binary(0)?;
            self.must(")")?;
            return Ok(inner);
        }
        if self.rest.starts_with(|c: char| c.is_ascii_digit()) {
            let number = self.while_in(|c| c.is_ascii_digit() || c == '.');
            return number.parse().map(Expr::Number).map_err(|_| format!("{number} is no number"));
        }
        let before = self.rest;
        let word = self.word();
        match word {
            "" => Err(format!("not understood: {before}")),
            "time" => {
                self.must("(")?;
                self.must(")")?;
                Ok(Expr::Time)
            }
            _ if AGGREGATES.contains(&word) => {
                let by = if self.take("by") { self.names()? } else { Vec::new() };
                Ok(Expr::Aggregate { operator: word.to_owned(), by, argument: self.argument()? })
            }
            _ if FUNCTIONS.contains(&word) => {
                Ok(Expr::Call { function: word.to_owned(), argument: self.argument()? })
            }
            _ if self.rest.starts_with('(') => Err(format!("the function {word} is not known here")),
            _ => self.selector(word),
        }
    }

    fn argument(&mut self) -> Result<Box<Expr>, String> {
        self.must("(")?;
        let inner = self.binary(0)?;
        self.must(")")?;
        Ok(Box::new(inner))
    }

    fn selector(&mut self, metric: &str) -> Result<Expr, String> {
        let mut matchers = Vec::new();
        if self.take("{") {
            while !self.take("}") {
                let label = self.word().to_owned();
                let operator = ["=~", "!~", "!=", "="].into_iter().find(|operator| self.take(operator));
                let operator = operator.ok_or_else(|| format!("no matcher: {}", self.rest))?.to_owned();
                self.must("\"")?;
                let value = self.while_in(|c| c != '"').to_owned();
                self.must("\"")?;
                self.take(",");
                matchers.push(Matcher { label, operator, value });
            }
        }
        let range = if self.take("[") { Some(self.duration()?) } else { None };
        if range.is_some() {
            self.must("]")?;
        }
        let offset = if self.take("offset") { self.duration()? } else { 0.0 };
        Ok(Expr::Selector { metric: metric.to_owned(), matchers, range, offset })
    }

    fn duration(&mut self) -> Result<f64, String> {
        let word = self.word();
        duration(word).ok_or_else(|| format!("{word} is no time"))
    }

    fn names(&mut self) -> Result<Vec<String>, String> {
        self.must("(")?;
        let mut names = Vec::new();
        while !self.take(")") {
            names.push(self.word().to_owned());
            if !self.take(",") && !self.rest.starts_with(')') {
                return Err(format!("no list of labels: {}", self.rest));
            }
        }
        Ok(names)
    }
}

/// `20s`, `5m`, `1h` in seconds.
pub fn duration(text: &str) -> Option<f64> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: f64 = number.parse().ok()?;
    match unit {
        "s" => Some(number),
        "m" => Some(number * 60.0),
        "h" => Some(number * 3_600.0),
        _ => None,
    }
}
