//! Words of others, as they may be shown to people.

/// On one line, without what moves a terminal's cursor, and not longer than so many characters.
pub(crate) fn clean(text: &str, most: usize) -> String {
    let mut shown: String = text
        .chars()
        .map(|one| if one.is_control() || is_formatting(one) { ' ' } else { one })
        .take(most)
        .collect();
    if text.chars().nth(most).is_some() {
        shown.push('…');
    }
    shown
}

/// Whether it changes how the text around it is shown.
fn is_formatting(one: char) -> bool {
    matches!(one, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_say_moves_no_cursor_and_does_not_end_the_line() {
        let said = clean("node-1\x1b[2J\r\nCRITICAL all is lost\u{202e}\u{0}", 400);
        assert_eq!(said, "node-1 [2J  CRITICAL all is lost  ");
        let long = clean(&"x".repeat(1 << 20), 400);
        assert_eq!(long.chars().count(), 401);
        assert_eq!(clean("four", 4), "four");
    }
}
