//! The language of the command line: help and errors in English or Chinese, from the catalogue
//! (`billchain-words`). Codes, names and what commands print as JSON are the same in both.

use anyhow::Error;
use billchain_client::{ClientError, einvoice::EInvoiceError};
use billchain_crypto::keyfile::{ImportError, KeyFileError};
use billchain_words::{HELP, SHELL};
use clap::{Arg, Command, Parser, ValueEnum, builder::StyledStr};
use std::{env, ffi::OsString, sync::OnceLock};

/// A language that the command line speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Language {
    En,
    Zh,
}

/// The language of this run; English until [`parse`] has found another.
static LANGUAGE: OnceLock<Language> = OnceLock::new();

/// Whether this run speaks Chinese.
pub(crate) fn is_chinese() -> bool {
    LANGUAGE.get() == Some(&Language::Zh)
}

/// The English words, or the text that the catalogue has of the kind `key`.
pub(crate) fn either(english: &str, key: &str) -> String {
    let chinese = SHELL.get(key).filter(|_| is_chinese());
    (*chinese.unwrap_or(&english)).to_owned()
}

/// Reads the command line, with its help in the language that it, or else the locale, names.
pub(crate) fn parse<C: Parser>() -> C {
    let arguments: Vec<OsString> = env::args_os().collect();
    let language = named(&arguments).unwrap_or_else(of_locale);
    let _ = LANGUAGE.set(language);
    let command = match language {
        Language::En => C::command(),
        Language::Zh => in_chinese(C::command()),
    };
    let parsed =
        command.try_get_matches_from(arguments).and_then(|found| C::from_arg_matches(&found));
    parsed.unwrap_or_else(|error| error.exit())
}

/// The language that `--lang` names. It has to be known before the command line is read, for that
/// may end with the help.
fn named(arguments: &[OsString]) -> Option<Language> {
    // What stands behind `--` is another program's.
    let own = arguments.iter().take_while(|argument| *argument != "--");
    let texts: Vec<_> = own.filter_map(|argument| argument.to_str()).collect();
    let value = |(at, text): (usize, &&str)| match text.strip_prefix("--lang") {
        Some("") => texts.get(at + 1).copied().map(str::to_owned),
        Some(value) => value.strip_prefix('=').map(str::to_owned),
        None => None,
    };
    let value = texts.iter().enumerate().find_map(value)?;
    Language::from_str(&value, true).ok()
}

fn of_locale() -> Language {
    let locales = ["LC_ALL", "LC_MESSAGES", "LANG"].map(|name| env::var(name).ok());
    match billchain_words::is_chinese(locales.iter().map(Option::as_deref)) {
        true => Language::Zh,
        false => Language::En,
    }
}

/// The command with what the catalogue has of its help.
fn in_chinese(mut command: Command) -> Command {
    if let Some(text) = translated(command.get_long_about().or(command.get_about())) {
        command = command.about(text).long_about(text);
    }
    command = command.mut_args(|argument: Arg| {
        match translated(argument.get_long_help().or(argument.get_help())) {
            Some(text) => argument.help(text).long_help(text),
            None => argument,
        }
    });
    command.subcommand_help_heading("命令").mut_subcommands(in_chinese)
}

fn translated(english: Option<&StyledStr>) -> Option<&'static str> {
    HELP.get(normal(english?).as_str()).copied()
}

/// A help text as it is a key of the catalogue: in one line, without a full stop.
fn normal(text: &StyledStr) -> String {
    let text = text.to_string();
    let words: Vec<_> = text.split_whitespace().collect();
    words.join(" ").trim_end_matches('.').to_owned()
}

/// An error as it is told: in Chinese its kind before the English words, which say the case.
pub(crate) fn of_error(error: &Error) -> String {
    if !is_chinese() {
        return format!("{error:#}");
    }
    let kind = SHELL.get(kind(error)).copied().unwrap_or_default();
    let code = error.chain().find_map(|cause| match cause.downcast_ref::<ClientError>() {
        Some(ClientError::Refused { code, .. }) => billchain_words::code(*code),
        _ => None,
    });
    let code = code.map(|text| format!("：{text}")).unwrap_or_default();
    format!("{kind}{code}。{}：{error:#}", SHELL.get("Reason").copied().unwrap_or_default())
}

/// The key of an error's kind in the catalogue.
fn kind(error: &Error) -> &'static str {
    error.chain().find_map(kind_of).unwrap_or("Failed")
}

fn kind_of(cause: &(dyn std::error::Error + 'static)) -> Option<&'static str> {
    if let Some(error) = cause.downcast_ref::<ClientError>() {
        return Some(client(error));
    }
    let kinds = [
        (cause.is::<KeyFileError>(), "KeyFile"),
        (cause.is::<ImportError>(), "KeyImport"),
        (cause.is::<EInvoiceError>(), "Original"),
        (cause.is::<crate::config::ConfigError>(), "Configuration"),
        (cause.is::<std::io::Error>(), "File"),
    ];
    kinds.iter().find(|(is, _)| *is).map(|(_, key)| *key)
}

fn client(error: &ClientError) -> &'static str {
    match error {
        ClientError::Refused { .. } => "Refused",
        ClientError::Transport { .. } => "Transport",
        ClientError::Url { .. } => "Url",
        ClientError::OtherRules { .. } => "OtherRules",
        ClientError::Undecodable { .. } => "Undecodable",
        ClientError::NotFinal { .. } => "NotFinal",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;
    use std::collections::BTreeSet;

    /// Every help text of a command, its arguments and the commands within it.
    fn texts(command: &Command, found: &mut BTreeSet<String>) {
        let about = command.get_long_about().or(command.get_about());
        let helps = command.get_arguments().map(|one| one.get_long_help().or(one.get_help()));
        found.extend(helps.chain([about]).flatten().map(normal));
        command.get_subcommands().for_each(|inner| texts(inner, found));
    }

    #[test]
    fn every_help_text_has_a_chinese_one_and_none_is_left_over() {
        let mut all = BTreeSet::new();
        texts(&crate::Cli::command(), &mut all);
        let known: BTreeSet<_> = HELP.keys().map(|key| (*key).to_owned()).collect();
        let missing: Vec<_> = all.difference(&known).map(|text| format!("{text} = ")).collect();
        assert!(missing.is_empty(), "without a Chinese text:\n{}", missing.join("\n"));
        let left: Vec<_> = known.difference(&all).collect();
        assert!(left.is_empty(), "texts of no help: {left:#?}");
    }

    #[test]
    fn every_kind_of_error_has_a_chinese_text() {
        let source = include_str!("words.rs");
        let (product, _) = source.split_once("mod tests").expect("this module");
        let quoted = product.split('"').skip(1).step_by(2);
        let kinds: BTreeSet<_> = quoted
            .filter(|text| text.starts_with(char::is_uppercase) && !text.contains(['_', ' ']))
            .filter(|text| *text != "LANG")
            .collect();
        let own = BTreeSet::from(["TransactionFailed", "Refusal"]);
        let known: BTreeSet<_> = SHELL.keys().copied().collect();
        let all: BTreeSet<_> = kinds.union(&own).copied().collect();
        assert_eq!(all, known);
    }

    #[test]
    fn the_language_is_known_before_the_command_line_is_read() {
        let of = |texts: &[&str]| named(&texts.iter().map(OsString::from).collect::<Vec<_>>());
        assert_eq!(of(&["billchain", "bill", "--lang", "zh", "--help"]), Some(Language::Zh));
        assert_eq!(of(&["billchain", "--lang=en", "run"]), Some(Language::En));
        assert_eq!(of(&["billchain", "run"]), None);
        assert_eq!(of(&["billchain", "--lang", "fr"]), None);
        assert_eq!(of(&["billchain", "release", "run", "--", "--lang", "zh"]), None);
    }

    #[test]
    fn the_help_is_in_chinese_and_commands_keep_their_names() {
        let mut command = in_chinese(crate::Cli::command());
        let help = command.render_long_help().to_string();
        assert!(help.contains("财政电子票据联盟链") && help.contains("命令"), "{help}");
        assert!(help.contains("check-state") && help.contains("--lang"), "{help}");
    }
}
