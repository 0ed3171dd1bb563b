//! Breaks text into lines.

/// Punctuation that does not begin a line.
const CLOSING: &str = "，。、；：！？）》」』】”’·,.;:!?)";

/// Punctuation that does not end a line.
const OPENING: &str = "（《「『【“‘(";

/// Lines of at most `most` in width, by what each character takes. A line ends at a space or
/// beside a Chinese character, and within a word that is longer than the line.
pub(crate) fn wrapped(text: &str, most: f32, width: impl Fn(char) -> f32) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    let mut lines = Vec::new();
    let (mut start, mut taken, mut fit) = (0, 0.0, None);
    let mut at = 0;
    while at < characters.len() {
        let character = characters[at];
        if at > start && may_break(characters[at - 1], character) {
            fit = Some(at);
        }
        taken += width(character);
        if taken > most && at > start && character != ' ' {
            let end = fit.unwrap_or(at);
            lines.push(line(&characters[start..end]));
            (start, taken, fit, at) = (end, 0.0, None, end);
            continue;
        }
        at += 1;
    }
    if start < characters.len() || lines.is_empty() {
        lines.push(line(&characters[start..]));
    }
    lines
}

fn line(characters: &[char]) -> String {
    characters.iter().collect::<String>().trim_end().to_owned()
}

fn may_break(before: char, after: char) -> bool {
    let wide = |character: char| character >= '\u{2e80}';
    if CLOSING.contains(after) || OPENING.contains(before) || after == ' ' {
        return false;
    }
    before == ' ' || wide(before) || wide(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str, most: f32) -> Vec<String> {
        wrapped(text, most, |character| if character.is_ascii() { 1.0 } else { 2.0 })
    }

    #[test]
    fn lines_end_where_readers_expect_it() {
        for (text, expected) in [
            ("", vec![""]),
            ("short", vec!["short"]),
            ("two words", vec!["two", "words"]),
            ("0123456789abc", vec!["01234567", "89abc"]),
            ("一二三四五六", vec!["一二三四", "五六"]),
            ("一二三四，五", vec!["一二三", "四，五"]),
            ("一二三（四五）", vec!["一二三", "（四五）"]),
            ("of block 二十", vec!["of block", "二十"]),
            ("exactly8 x", vec!["exactly8", "x"]),
        ] {
            assert_eq!(lines(text, 8.0), expected, "{text:?}");
        }
    }

    #[test]
    fn nothing_is_lost_and_a_wide_character_does_not_hang_it() {
        let text = "宽".repeat(500);
        assert_eq!(lines(&text, 1.0).concat(), text);
        assert_eq!(lines(&text, 1.0).len(), 500);
    }
}
