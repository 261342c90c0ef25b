//! Turns text from outside into one line without invisible characters.
//!
//! A control character can forge lines or move a terminal's cursor, a direction mark can show a line in a different order,
//! and a character without width can make two different texts look equal.

use std::borrow::Cow;

/// The text with a space in place of each invisible character.
#[must_use]
pub fn plain(text: &str) -> Cow<'_, str> {
    // Nearly all texts are printable ASCII.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) || !text.contains(is_unseen) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| if is_unseen(c) { ' ' } else { c }).collect())
}

/// Whether a character is invisible: Unicode's categories Cc, Cf, Zl and Zp, noncharacters, variation selectors, and
/// blank letters and marks.
#[must_use]
pub fn is_unseen(c: char) -> bool {
    let is_of_format = matches!(c,
        '\u{ad}'
        | '\u{34f}'
        | '\u{600}'..='\u{605}'
        | '\u{61c}'
        | '\u{6dd}'
        | '\u{70f}'
        | '\u{890}'..='\u{891}'
        | '\u{8e2}'
        | '\u{115f}'..='\u{1160}'
        | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{2800}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{110bd}'
        | '\u{110cd}'
        | '\u{13430}'..='\u{1343f}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}');
    c.is_control() || is_of_format || u32::from(c) & 0xfffe == 0xfffe || matches!(c, '\u{fdd0}'..='\u{fdef}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invisible_characters_become_spaces() {
        for unseen in [
            "\0",
            "\n",
            "\r",
            "\t",
            "\u{1b}",
            "\u{7f}",
            "\u{80}",
            "\u{85}",
            "\u{9b}",
            "\u{9f}",
            "\u{ad}",
            "\u{61c}",
            "\u{180e}",
            "\u{200b}",
            "\u{200c}",
            "\u{200d}",
            "\u{200e}",
            "\u{200f}",
            "\u{2028}",
            "\u{2029}",
            "\u{202a}",
            "\u{202b}",
            "\u{202c}",
            "\u{202d}",
            "\u{202e}",
            "\u{2060}",
            "\u{2061}",
            "\u{2064}",
            "\u{2066}",
            "\u{2067}",
            "\u{2068}",
            "\u{2069}",
            "\u{206f}",
            "\u{3164}",
            "\u{fe0f}",
            "\u{feff}",
            "\u{fff9}",
            "\u{ffff}",
            "\u{e0041}",
            "\u{10ffff}",
        ] {
            assert_eq!(plain(&format!("a{unseen}b")), "a b", "{unseen:?}");
        }
    }

    #[test]
    fn visible_characters_stay() {
        for seen in
            ["plain text", "é…🦀 日本語 العربية עברית ไทย", "a\u{a0}b\u{301}", "{\"a\":\"b\"}", "\u{fffd}"]
        {
            assert!(matches!(plain(seen), Cow::Borrowed(same) if same == seen), "{seen}");
        }
    }
}
