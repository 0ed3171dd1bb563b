//! Text of bills, made safe to be shown.

/// The text, with each character that would not be seen as itself replaced by its code, as
/// `\u{202e}`; a backslash is doubled, so nothing else looks like such a code.
///
/// Seen as themselves are characters that stand alone, from left to right, if the font `has`
/// them. Signs that turn or join others, that nothing shows, or that two fonts show
/// differently, are not.
pub(crate) fn shown(text: &str, has: impl Fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' => shown.push_str("\\\\"),
            _ if is_plain(character) && has(character) => shown.push(character),
            _ => shown.extend(character.escape_unicode()),
        }
    }
    shown
}

/// Whether a character stands alone, from left to right.
const fn is_plain(character: char) -> bool {
    matches!(
        character,
        ' '..='~'                       // ASCII
        | '\u{a1}'..='\u{ac}'           // Latin 1, without the soft hyphen
        | '\u{ae}'..='\u{17f}'          // and Latin Extended-A
        | '\u{391}'..='\u{3c9}'         // Greek
        | '\u{410}'..='\u{44f}'         // Cyrillic
        | '\u{2010}'..='\u{2027}'       // dashes and quotation marks
        | '\u{20a0}'..='\u{20bf}'       // currencies
        | '\u{2103}'..='\u{2121}'       // ℃, №, ℡
        | '\u{2160}'..='\u{217f}'       // Roman numerals
        | '\u{2460}'..='\u{249b}'       // numbers in circles
        | '\u{3001}'..='\u{3029}'       // Chinese punctuation
        | '\u{3041}'..='\u{3096}'       // Hiragana
        | '\u{30a1}'..='\u{30fe}'       // Katakana
        | '\u{3105}'..='\u{312f}'       // Bopomofo
        | '\u{3400}'..='\u{4dbf}'       // Chinese characters
        | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{ff01}'..='\u{ff5e}'       // wide forms
        | '\u{ffe0}'..='\u{ffe5}'
        | '\u{20000}'..='\u{323af}' // rare Chinese characters
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_not_be_seen_is_shown_as_its_code() {
        let all = |_| true;
        for (text, expected) in [
            ("did:bill:hospital-1", "did:bill:hospital-1"),
            ("报销-1（二）", "报销-1（二）"),
            ("a\u{202e}b", "a\\u{202e}b"),
            ("zero\u{200b}width", "zero\\u{200b}width"),
            ("e\u{301}", "e\\u{301}"),
            ("line\nfeed\0", "line\\u{a}feed\\u{0}"),
            ("\u{5d0}\u{627}", "\\u{5d0}\\u{627}"),
            ("\u{3000}\u{2003}\u{e000}\u{feff}", "\\u{3000}\\u{2003}\\u{e000}\\u{feff}"),
            ("𠮷野家", "𠮷野家"),
            // What spells a code itself looks different from one.
            ("\\u{202e}", "\\\\u{202e}"),
        ] {
            assert_eq!(shown(text, all), expected);
        }
    }

    #[test]
    fn what_the_font_lacks_is_shown_as_its_code() {
        assert_eq!(shown("a龘b", |character| character != '龘'), "a\\u{9f98}b");
        assert_eq!(shown("é", |character| character.is_ascii()), "\\u{e9}");
    }
}
