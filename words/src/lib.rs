//! The Chinese text (中文文本) of every error and of every help text: one catalogue, by stable keys.
//!
//! Codes and English names are what programs rely on; these texts are for people. A text says the
//! kind of what went wrong, the English words beside it the case: numbers, names, places.
//!
//! | file | key |
//! |---|---|
//! | `zh/contracts.txt` | `Contract.Error` and `Problem.Variant` of the metadata, `Dispatch.Error` |
//! | `zh/codes.txt` | codes of JSON-RPC and of the transaction pool |
//! | `zh/shell.txt` | kinds of errors of the command line |
//! | `zh/help.txt` | commands and options of the command line |
//!
//! Tests of `rpc` and `node` walk the metadata, the tables of codes and the command line, and hold
//! each file complete: no key is missing, none is left over.

#![forbid(unsafe_code)]

use std::{collections::BTreeMap, sync::LazyLock};

/// A file of the catalogue: texts by key.
pub type Texts = BTreeMap<&'static str, &'static str>;

macro_rules! file {
    ($(#[$doc:meta])* $name:ident = $path:literal;) => {
        $(#[$doc])*
        pub static $name: LazyLock<Texts> = LazyLock::new(|| read(include_str!($path)));
    };
}

file! {
    /// Errors of contracts and the problems that they carry.
    CONTRACTS = "../zh/contracts.txt";
}
file! {
    /// Codes of JSON-RPC and of the transaction pool.
    CODES = "../zh/codes.txt";
}
file! {
    /// Kinds of errors of the command line.
    SHELL = "../zh/shell.txt";
}
file! {
    /// Help of commands (`bill lock`) and options (`bill lock --claim-no`).
    HELP = "../zh/help.txt";
}

/// Lines `key = text`; empty ones and those that begin with `#` are none.
fn read(file: &'static str) -> Texts {
    file.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(" = "))
        .map(|(key, text)| (key, text.trim()))
        .collect()
}

/// What an error of a contract means: `names` are its own and those of the errors within it, each as
/// `Contract.Error` or `Problem.Variant`. `None` if the first is unknown.
pub fn contract<'a>(names: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let mut texts = names.into_iter().map(|name| CONTRACTS.get(name).copied());
    let mut whole = texts.next()??.to_owned();
    for inner in texts.flatten() {
        // An outer text that leads to an inner one ends so.
        whole = format!("{}：{inner}", whole.trim_end_matches("，原因如下"));
    }
    Some(whole)
}

/// What a code of JSON-RPC or of the pool means.
pub fn code(code: i32) -> Option<&'static str> {
    CODES.get(code.to_string().as_str()).copied()
}

/// Whether somebody whose environment names these languages reads Chinese. The first that is set
/// counts: `LC_ALL`, `LC_MESSAGES`, `LANG`, as POSIX has them.
pub fn is_chinese<'a>(locales: impl IntoIterator<Item = Option<&'a str>>) -> bool {
    let set = locales.into_iter().flatten().find(|locale| !locale.is_empty());
    set.is_some_and(|locale| {
        locale == "zh" || locale.starts_with("zh_") || locale.starts_with("zh-")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> [(&'static str, &'static str, &'static Texts); 4] {
        [
            ("contracts", include_str!("../zh/contracts.txt"), &CONTRACTS),
            ("codes", include_str!("../zh/codes.txt"), &CODES),
            ("shell", include_str!("../zh/shell.txt"), &SHELL),
            ("help", include_str!("../zh/help.txt"), &HELP),
        ]
    }

    #[test]
    fn every_line_is_a_key_that_stands_once_and_a_chinese_text() {
        for (name, file, texts) in files() {
            let lines = file.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
            assert_eq!(lines.count(), texts.len(), "{name}: a key stands twice, or a line is none");
            for (key, text) in texts {
                let chinese =
                    text.chars().any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter));
                assert!(chinese, "{name}: {key} = {text}");
                assert!(!text.ends_with(['。', '.']), "{name}: {key} ends like a sentence");
            }
        }
    }

    #[test]
    fn an_error_within_an_error_is_told_with_it() {
        let told = contract(["BillUpdate.Grant", "GrantProblem.Revoked"]);
        assert_eq!(told.as_deref(), Some("锁定所用的用票授权不能使用：授权已撤回，不可恢复"));
        let plain = contract(["BillUpdate.NotLocked"]);
        assert_eq!(plain.as_deref(), Some("票据没有锁定，或锁定已到期"));
        assert_eq!(contract(["Nothing.AtAll"]), None);
    }

    #[test]
    fn codes_are_found_by_number() {
        assert_eq!(code(-32601), Some("没有这一方法"));
        assert_eq!(code(7), None);
    }

    #[test]
    fn the_first_locale_that_is_set_counts() {
        assert!(is_chinese([None, Some(""), Some("zh_CN.UTF-8")]));
        assert!(is_chinese([Some("zh-Hans"), Some("en_GB")]));
        assert!(!is_chinese([Some("C"), None, Some("zh_CN.UTF-8")]));
        assert!(!is_chinese([None, Some("zhuang")]));
        assert!(!is_chinese([]));
    }
}
