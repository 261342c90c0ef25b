//! Checks what a leaf holds: `if` and `for`, known filters and tests, and no expression whose value could grow without
//! bound.
//!
//! The engine's fuel counts instructions, but one instruction can make a gigabyte. Our filters bound their own output.
//! Operators are the engine's, so they are restricted here, before the first record:
//! 1. `*` is forbidden, because it repeats texts and lists. The filter `times` multiplies numbers.
//! 2. `~` and `+` copy their operands, so an expression may have only a few of them.
//! 3. A joined value must not get a name, because joining it with itself repeatedly would double it. So `set`, `with` and
//!    macros are forbidden, and `for` runs only over values of the record and lists of constants.

use super::document::TemplateError;
use super::names::{KnownNames, ROOTS};
use super::tokens::{LeafToken, Piece, PieceKind};

/// The most `~` and `+` of an expression.
const MOST_JOINTS: usize = 16;

const TAGS: [&str; 6] = ["if", "elif", "else", "endif", "for", "endfor"];
/// Names that are not variables to the engine.
const WORDS: [&str; 15] = [
    "and",
    "else",
    "false",
    "False",
    "if",
    "in",
    "is",
    "loop",
    "none",
    "None",
    "not",
    "or",
    "recursive",
    "true",
    "True",
];
const CONSTANTS: [&str; 6] = ["false", "False", "none", "None", "true", "True"];
/// The methods of `loop`.
const METHODS: [&str; 2] = ["changed", "cycle"];

/// Checks the pieces of a leaf.
///
/// # Errors
/// The first part that a leaf must not hold; the offset is one in the leaf.
pub(super) fn check(pieces: &[Piece<'_>], known: &KnownNames) -> Result<(), TemplateError> {
    // The names of all loop variables.
    let mut given = Vec::new();
    for piece in pieces.iter().filter(|piece| piece.kind == PieceKind::Tag) {
        if piece.token(0) == Some(LeafToken::Name("for")) {
            given.extend(piece.tokens.iter().skip(1).map_while(|(_, token)| match token {
                LeafToken::Name("in") => None,
                LeafToken::Name(name) => Some(*name),
                _ => Some(","),
            }));
        }
    }
    for piece in pieces.iter().filter(|piece| piece.kind != PieceKind::Comment) {
        tag(piece)?;
        operators(piece)?;
        names(piece, known, &given)?;
    }
    Ok(())
}

fn tag(piece: &Piece<'_>) -> Result<(), TemplateError> {
    if piece.kind != PieceKind::Tag {
        return Ok(());
    }
    match piece.tokens.first() {
        Some((_, LeafToken::Name(name))) if TAGS.contains(name) => {}
        Some((at, LeafToken::Name(name))) => {
            let why = format!("{name} is no tag of a template; there are if, elif, else and for");
            return Err(TemplateError::new(*at, why));
        }
        _ => return Err(TemplateError::new(piece.start, "a tag without a name")),
    }
    let is_for = piece.token(0) == Some(LeafToken::Name("for"));
    if let Some((at, _)) = piece.tokens.iter().find(|(_, token)| *token == LeafToken::Name("recursive")) {
        return Err(TemplateError::new(*at, "a template does not recurse"));
    }
    let over = piece.tokens.iter().position(|(_, token)| *token == LeafToken::Name("in"));
    match over {
        Some(over) if is_for => source_of_loop(&piece.tokens[over + 1..]),
        _ => Ok(()),
    }
}

/// Checks what a loop runs over: brackets may hold constants only, and nothing may be joined.
fn source_of_loop(tokens: &[(usize, LeafToken<'_>)]) -> Result<(), TemplateError> {
    let mut open = 0usize;
    for (index, (at, token)) in tokens.iter().enumerate() {
        let next = tokens.get(index + 1).map(|(_, token)| *token);
        match token {
            // The condition of the loop names no value.
            LeafToken::Name("if") if open == 0 => return Ok(()),
            LeafToken::Sign("(" | "[" | "{") => open += 1,
            LeafToken::Sign(")" | "]" | "}") => open = open.saturating_sub(1),
            LeafToken::Sign("~" | "+") => {
                return Err(TemplateError::new(
                    *at,
                    "~ or + in what a loop runs over; a loop runs over values of the record only",
                ));
            }
            LeafToken::Name(name)
                if open > 0 && !CONSTANTS.contains(name) && next != Some(LeafToken::Sign("=")) =>
            {
                let why = format!(
                    "{name} is in brackets; in what a loop runs over, brackets may hold constants only"
                );
                return Err(TemplateError::new(*at, why));
            }
            _ => {}
        }
    }
    Ok(())
}

fn operators(piece: &Piece<'_>) -> Result<(), TemplateError> {
    let mut joints = 0;
    for (at, token) in &piece.tokens {
        match token {
            LeafToken::Sign("*") => {
                return Err(TemplateError::new(
                    *at,
                    "* could repeat a text; for numbers there is the filter times",
                ));
            }
            LeafToken::Sign("~" | "+") => {
                joints += 1;
                if joints > MOST_JOINTS {
                    let why = format!(
                        "more than {MOST_JOINTS} of ~ and + in one expression; write one expression behind the other"
                    );
                    return Err(TemplateError::new(*at, why));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Checks that each name is known: no sample may take the branch with a wrong name, but a record may.
fn names(piece: &Piece<'_>, known: &KnownNames, given: &[&str]) -> Result<(), TemplateError> {
    for (index, (at, token)) in piece.tokens.iter().enumerate() {
        let LeafToken::Name(name) = token else { continue };
        let before = index.checked_sub(1).and_then(|index| piece.token(index));
        let before_that = index.checked_sub(2).and_then(|index| piece.token(index));
        let next = piece.token(index + 1);
        let is_test = before == Some(LeafToken::Name("is"))
            || (before == Some(LeafToken::Name("not")) && before_that == Some(LeafToken::Name("is")));
        let why = match before {
            _ if piece.kind == PieceKind::Tag && index == 0 => continue,
            Some(LeafToken::Sign("|")) if known.filters.contains(name) => continue,
            Some(LeafToken::Sign("|")) => format!("there is no filter {name}"),
            _ if is_test && (*name == "not" || known.tests.contains(name)) => continue,
            _ if is_test => format!("there is no test {name}"),
            Some(LeafToken::Sign(".")) if next != Some(LeafToken::Sign("(")) || METHODS.contains(name) => {
                continue;
            }
            Some(LeafToken::Sign(".")) => format!("there is no method {name}; look for a filter"),
            _ if *name == "loop" && next == Some(LeafToken::Sign("(")) => {
                "a template does not recurse".to_owned()
            }
            _ if WORDS.contains(name) || given.contains(name) => continue,
            _ if known.functions.contains(name) && next == Some(LeafToken::Sign("(")) => continue,
            // A named argument.
            _ if next == Some(LeafToken::Sign("=")) => continue,
            _ if next == Some(LeafToken::Sign("(")) => format!("there is no function {name}"),
            _ if ROOTS.contains(name) => continue,
            _ => format!("there is no {name}; there are {}", ROOTS.join(", ")),
        };
        return Err(TemplateError::new(*at, why));
    }
    Ok(())
}
