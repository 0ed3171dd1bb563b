//! What is wrong with what a node told, and what else keeps a block from being indexed.

use billchain_client::ClientError;
use billchain_verifier::Refusal;

/// What an honest node does not tell.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Lie {
    /// An answer is not in its form.
    #[error("its {what} of block {block} cannot be read: {reason}")]
    Form {
        /// What was asked for.
        what: &'static str,
        /// Of which block.
        block: u32,
        /// What is wrong with it.
        reason: String,
    },
    /// It gave another block than was asked for.
    #[error("asked for block {asked}, it gave block {given}")]
    OtherBlock {
        /// Number that was asked for.
        asked: u32,
        /// Number that was given.
        given: u32,
    },
    /// The validators did not decide the block.
    #[error("its block {block} is not decided by the chain's validators: {refusal}")]
    NotDecided {
        /// The block.
        block: u32,
        /// What is wrong.
        refusal: Refusal,
    },
    /// The block does not follow the one before it.
    #[error("its block {block} does not follow block {known}")]
    Parent {
        /// The block.
        block: u32,
        /// Hash of the block before, as it is known.
        known: String,
    },
    /// The transactions are not those of the header: one was changed, hidden or added.
    #[error(
        "the transactions that it gave of block {block} are not the block's: their root is \
         {found}, the decided header has {expected}"
    )]
    Transactions {
        /// The block.
        block: u32,
        /// Root in the header.
        expected: String,
        /// Root of what was given.
        found: String,
    },
    /// The events contradict the transactions, or what they lead to.
    #[error("the events that it gave of block {block} cannot be: {reason}")]
    Events {
        /// The block.
        block: u32,
        /// What contradicts what.
        reason: String,
    },
    /// The events are not those that the state proves, or others tell.
    #[error("the events that it gave of block {block} are not the block's: {reason}")]
    OtherEvents {
        /// The block.
        block: u32,
        /// Who says so.
        reason: String,
    },
    /// A proof of the state proves nothing.
    #[error("its proof of the state after block {block} proves nothing: {reason}")]
    Proof {
        /// The block.
        block: u32,
        /// What is wrong.
        reason: String,
    },
    /// It shows an old head as if it were the newest.
    #[error("it shows block {shown} as its newest, others have block {known}")]
    OldHead {
        /// What it shows.
        shown: u32,
        /// What is known.
        known: u32,
    },
}

/// Why a node's answer was of no use.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It lied.
    #[error("it lies: {0}")]
    Lie(#[from] Lie),
    /// It could not be asked, or refused to answer.
    #[error(transparent)]
    Unable(#[from] ClientError),
    /// It does not have what was asked for.
    #[error("it does not have {0}")]
    Lacks(String),
    /// The block is the chain's, and is of types that this release does not have.
    #[error(
        "block {block} is under rules that this release does not have ({reason}): start the release \
         of its rules, and index on with it"
    )]
    OtherRules {
        /// The block.
        block: u32,
        /// What cannot be read.
        reason: String,
    },
}

/// Words of a node without what moves a cursor, turns the text or hides, and not too many.
pub fn clean(text: &str) -> String {
    const MOST: usize = 400;
    let hides = |c: char| {
        c.is_control()
            || matches!(
                c,
                '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
                    | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            )
    };
    text.chars().take(MOST).map(|c| if hides(c) { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_node_are_plain_and_few() {
        assert_eq!(clean("a\u{1b}[2J\r\nb\u{202e}"), "a [2J  b ");
        assert_eq!(clean(&"x".repeat(9_000)).len(), 400);
    }
}
