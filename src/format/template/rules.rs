//! What a leaf may hold: `if` and `for`, filters and tests that are there, and nothing that can grow without an end.
//!
//! Fuel counts instructions, and one instruction can make a gigabyte. The sizes of what our filters make are bounded
//! where they make it. Operators are the engine's own, so they are bounded here, before the first record comes:
//! 1. `*` repeats texts and lists. There is the filter `times`, for numbers.
//! 2. `~` and `+` copy, so an expression has a few of them at most, ...
//! 3. ... and nothing that was made by them gets a name to be doubled by: there is no `set`, no `with` and no macro,
//!    and what `for` runs over is taken from the record, or is a list of constants.

use super::document::Fault;
use super::names::{Known, ROOTS};
use super::tokens::{Kind, Piece, Token};

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
pub(super) fn check(pieces: &[Piece<'_>], known: &Known) -> Result<(), Fault> {
    // The names that loops give, wherever they are given.
    let mut given = Vec::new();
    for piece in pieces.iter().filter(|piece| piece.kind == Kind::Tag) {
        if piece.token(0) == Some(Token::Name("for")) {
            given.extend(piece.tokens.iter().skip(1).map_while(|(_, token)| match token {
                Token::Name("in") => None,
                Token::Name(name) => Some(*name),
                _ => Some(","),
            }));
        }
    }
    for piece in pieces.iter().filter(|piece| piece.kind != Kind::Comment) {
        tag(piece)?;
        operators(piece)?;
        names(piece, known, &given)?;
    }
    Ok(())
}

fn tag(piece: &Piece<'_>) -> Result<(), Fault> {
    if piece.kind != Kind::Tag {
        return Ok(());
    }
    match piece.tokens.first() {
        Some((_, Token::Name(name))) if TAGS.contains(name) => {}
        Some((at, Token::Name(name))) => {
            let why = format!("{name} is no tag of a template; there are if, elif, else and for");
            return Err(Fault::new(*at, why));
        }
        _ => return Err(Fault::new(piece.start, "a tag without a name")),
    }
    let is_for = piece.token(0) == Some(Token::Name("for"));
    if let Some((at, _)) = piece.tokens.iter().find(|(_, token)| *token == Token::Name("recursive")) {
        return Err(Fault::new(*at, "a template does not recurse"));
    }
    let over = piece.tokens.iter().position(|(_, token)| *token == Token::Name("in"));
    match over {
        Some(over) if is_for => source_of_loop(&piece.tokens[over + 1..]),
        _ => Ok(()),
    }
}

/// What a loop runs over: brackets hold constants only, and nothing is joined.
fn source_of_loop(tokens: &[(usize, Token<'_>)]) -> Result<(), Fault> {
    let mut open = 0usize;
    for (index, (at, token)) in tokens.iter().enumerate() {
        let next = tokens.get(index + 1).map(|(_, token)| *token);
        match token {
            // The condition of the loop gives nothing a name.
            Token::Name("if") if open == 0 => return Ok(()),
            Token::Sign("(" | "[" | "{") => open += 1,
            Token::Sign(")" | "]" | "}") => open = open.saturating_sub(1),
            Token::Sign("~" | "+") => {
                return Err(Fault::new(
                    *at,
                    "what a loop runs over is joined; it may only be taken from the record",
                ));
            }
            Token::Name(name) if open > 0 && !CONSTANTS.contains(name) && next != Some(Token::Sign("=")) => {
                let why = format!("{name} in brackets; those of what a loop runs over hold constants only");
                return Err(Fault::new(*at, why));
            }
            _ => {}
        }
    }
    Ok(())
}

fn operators(piece: &Piece<'_>) -> Result<(), Fault> {
    let mut joints = 0;
    for (at, token) in &piece.tokens {
        match token {
            Token::Sign("*") => {
                return Err(Fault::new(*at, "* could repeat a text; for numbers there is the filter times"));
            }
            Token::Sign("~" | "+") => {
                joints += 1;
                if joints > MOST_JOINTS {
                    let why = format!(
                        "more than {MOST_JOINTS} of ~ and + in one expression; write one expression behind the other"
                    );
                    return Err(Fault::new(*at, why));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Each name is one that is there: an error in a branch that no sample takes would be met by a record.
fn names(piece: &Piece<'_>, known: &Known, given: &[&str]) -> Result<(), Fault> {
    for (index, (at, token)) in piece.tokens.iter().enumerate() {
        let Token::Name(name) = token else { continue };
        let before = index.checked_sub(1).and_then(|index| piece.token(index));
        let before_that = index.checked_sub(2).and_then(|index| piece.token(index));
        let next = piece.token(index + 1);
        let is_test = before == Some(Token::Name("is"))
            || (before == Some(Token::Name("not")) && before_that == Some(Token::Name("is")));
        let why = match before {
            _ if piece.kind == Kind::Tag && index == 0 => continue,
            Some(Token::Sign("|")) if known.filters.contains(name) => continue,
            Some(Token::Sign("|")) => format!("there is no filter {name}"),
            _ if is_test && (*name == "not" || known.tests.contains(name)) => continue,
            _ if is_test => format!("there is no test {name}"),
            Some(Token::Sign(".")) if next != Some(Token::Sign("(")) || METHODS.contains(name) => continue,
            Some(Token::Sign(".")) => format!("there is no method {name}; look for a filter"),
            _ if *name == "loop" && next == Some(Token::Sign("(")) => {
                "a template does not recurse".to_owned()
            }
            _ if WORDS.contains(name) || given.contains(name) => continue,
            _ if known.functions.contains(name) && next == Some(Token::Sign("(")) => continue,
            // The name of an argument.
            _ if next == Some(Token::Sign("=")) => continue,
            _ if next == Some(Token::Sign("(")) => format!("there is no function {name}"),
            _ if ROOTS.contains(name) => continue,
            _ => format!("there is no {name}; there are {}", ROOTS.join(", ")),
        };
        return Err(Fault::new(*at, why));
    }
    Ok(())
}
