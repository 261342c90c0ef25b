//! What a leaf may hold: `if` and `for`, filters and tests that are there, and nothing that can grow without an end.
//!
//! Fuel counts instructions, and one instruction can make a gigabyte. The sizes of what our filters make are bounded
//! where they make it. Operators are the engine's own, so they are bounded here, before the first record comes:
//! 1. `*` repeats texts and lists. There is the filter `times`, for numbers.
//! 2. `~` and `+` copy, so an expression has a few of them at most, ...
//! 3. ... and nothing that was made by them gets a name to be doubled by: there is no `set`, no `with` and no macro,
//!    and what `for` runs over is taken from the record, or is a list of constants.

use super::document::TemplateError;
use super::names::{KnownNames, ROOTS};
use super::tokens::{LeafToken, Piece, PieceKind};

/// Joined texts of an expression.
const MOST_JOINTS: usize = 16;

const TAGS: [&str; 6] = ["if", "elif", "else", "endif", "for", "endfor"];
/// What the engine takes for no variable.
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
/// Of `loop`.
const METHODS: [&str; 2] = ["changed", "cycle"];

/// # Errors
/// The first thing that must not stand in a leaf; its place is one in the source.
pub(super) fn check(pieces: &[Piece<'_>], known: &KnownNames) -> Result<(), TemplateError> {
    // The names that loops give, wherever they are given.
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

/// What a loop runs over: brackets hold constants only, and nothing is joined.
fn source_of_loop(tokens: &[(usize, LeafToken<'_>)]) -> Result<(), TemplateError> {
    let mut open = 0usize;
    for (index, (at, token)) in tokens.iter().enumerate() {
        let next = tokens.get(index + 1).map(|(_, token)| *token);
        match token {
            // The condition of the loop gives nothing a name.
            LeafToken::Name("if") if open == 0 => return Ok(()),
            LeafToken::Sign("(" | "[" | "{") => open += 1,
            LeafToken::Sign(")" | "]" | "}") => open = open.saturating_sub(1),
            LeafToken::Sign("~" | "+") => {
                return Err(TemplateError::new(
                    *at,
                    "what a loop runs over is joined; it may only be taken from the record",
                ));
            }
            LeafToken::Name(name)
                if open > 0 && !CONSTANTS.contains(name) && next != Some(LeafToken::Sign("=")) =>
            {
                let why = format!("{name} in brackets; those of what a loop runs over hold constants only");
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

/// Each name is one that is there: an error in a branch that no sample takes would be met by a record.
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
            // The name of an argument.
            _ if next == Some(LeafToken::Sign("=")) => continue,
            _ if next == Some(LeafToken::Sign("(")) => format!("there is no function {name}"),
            _ if ROOTS.contains(name) => continue,
            _ => format!("there is no {name}; there are {}", ROOTS.join(", ")),
        };
        return Err(TemplateError::new(*at, why));
    }
    Ok(())
}
