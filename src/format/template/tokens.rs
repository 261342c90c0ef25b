//! Splits a leaf into expressions and tags, and these into tokens, as the rules and the plain paths need them.
//!
//! The engine parses the leaf too and reports wrong syntax, but does not share its syntax tree.

/// A part of a leaf from `{{` to `}}`, `{%` to `%}`, or `{#` to `#}`.
#[derive(Debug)]
pub(super) struct Piece<'s> {
    pub(super) kind: PieceKind,
    /// Where it begins and ends in the leaf, with its delimiters.
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) tokens: Vec<(usize, LeafToken<'s>)>,
}

/// The kind of a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PieceKind {
    Expression,
    Tag,
    Comment,
}

/// A token of an expression or a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LeafToken<'s> {
    Name(&'s str),
    /// A string without its quotation marks; escapes stay.
    Text(&'s str),
    Number(&'s str),
    Sign(&'s str),
}

/// All pieces of a leaf. A piece that is not closed ends with the leaf.
pub(super) fn pieces(source: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while let Some((start, kind)) = next_start(source, at) {
        let mut piece = Piece { kind, start, end: source.len(), tokens: Vec::new() };
        let inside = start + 2;
        if kind == PieceKind::Comment {
            piece.end = source[inside..].find("#}").map_or(source.len(), |length| inside + length + 2);
        } else {
            piece.read(source, inside);
        }
        at = piece.end;
        pieces.push(piece);
    }
    pieces
}

fn next_start(source: &str, from: usize) -> Option<(usize, PieceKind)> {
    let kinds = [("{{", PieceKind::Expression), ("{%", PieceKind::Tag), ("{#", PieceKind::Comment)];
    let found = kinds.into_iter().filter_map(|(sign, kind)| Some((from + source[from..].find(sign)?, kind)));
    found.min_by_key(|(at, _)| *at)
}

impl<'s> Piece<'s> {
    fn read(&mut self, source: &'s str, inside: usize) {
        let close = if self.kind == PieceKind::Tag { "%}" } else { "}}" };
        let mut at = inside;
        let mut open = 0usize;
        // `-` and `+` say whether blanks around the piece stay.
        if source[at..].starts_with(['-', '+']) {
            at += 1;
        }
        while let Some(next) = source[at..].chars().next() {
            let rest = &source[at..];
            let is_end = |rest: &str| open == 0 && rest.starts_with(close);
            if is_end(rest) || (rest.starts_with(['-', '+']) && is_end(&rest[1..])) {
                self.end = at + rest.find(close).unwrap_or_default() + close.len();
                return;
            }
            let (length, token) = token(rest, next);
            match token {
                Some(LeafToken::Sign("(" | "[" | "{")) => open += 1,
                Some(LeafToken::Sign(")" | "]" | "}")) => open = open.saturating_sub(1),
                _ => {}
            }
            self.tokens.extend(token.map(|token| (at, token)));
            at += length;
        }
    }

    /// The text between the delimiters.
    pub(super) fn inside(&self, source: &'s str) -> &'s str {
        let inside = source.get(self.start + 2..self.end.saturating_sub(2)).unwrap_or_default();
        let inside = inside.strip_prefix(['-', '+']).unwrap_or(inside);
        inside.strip_suffix(['-', '+']).unwrap_or(inside)
    }

    pub(super) fn token(&self, index: usize) -> Option<LeafToken<'s>> {
        self.tokens.get(index).map(|(_, token)| *token)
    }
}

/// The token at the beginning of the text, and its length; `None` for a blank.
fn token(rest: &str, next: char) -> (usize, Option<LeafToken<'_>>) {
    let while_some = |is_in: fn(char) -> bool| rest.find(|c| !is_in(c)).unwrap_or(rest.len());
    match next {
        _ if next.is_whitespace() => (next.len_utf8(), None),
        '\'' | '"' => {
            let mut is_escaped = false;
            let end = rest.char_indices().skip(1).find(|(_, sign)| {
                let ends = !is_escaped && *sign == next;
                is_escaped = !is_escaped && *sign == '\\';
                ends
            });
            let end = end.map_or(rest.len(), |(end, _)| end);
            ((end + 1).min(rest.len()), Some(LeafToken::Text(&rest[1..end])))
        }
        'a'..='z' | 'A'..='Z' | '_' => {
            let end = while_some(|c| c.is_ascii_alphanumeric() || c == '_');
            (end, Some(LeafToken::Name(&rest[..end])))
        }
        '0'..='9' => {
            let end = while_some(|c| c.is_ascii_alphanumeric() || c == '_');
            (end, Some(LeafToken::Number(&rest[..end])))
        }
        _ => {
            let two = ["**", "//", "==", "!=", "<=", ">="].into_iter().any(|sign| rest.starts_with(sign));
            let end = if two { 2 } else { next.len_utf8() };
            (end, Some(LeafToken::Sign(&rest[..end])))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_end_where_they_end() {
        let source = "a {{ {'}}': {'b': 1}} }} {# {{ #} {%- if x['%}'] == \"\\\"\" -%}b{{ c";
        let pieces = pieces(source);
        let texts: Vec<_> = pieces.iter().map(|piece| &source[piece.start..piece.end]).collect();
        assert_eq!(texts, ["{{ {'}}': {'b': 1}} }}", "{# {{ #}", "{%- if x['%}'] == \"\\\"\" -%}", "{{ c"]);
        let tokens: Vec<_> = pieces[2].tokens.iter().map(|(_, token)| *token).collect();
        assert_eq!(
            tokens,
            [
                LeafToken::Name("if"),
                LeafToken::Name("x"),
                LeafToken::Sign("["),
                LeafToken::Text("%}"),
                LeafToken::Sign("]"),
                LeafToken::Sign("=="),
                LeafToken::Text("\\\""),
            ]
        );
        assert_eq!(pieces[3].tokens, [(source.len() - 1, LeafToken::Name("c"))]);
    }
}
