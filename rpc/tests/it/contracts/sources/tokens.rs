//! Tokens in one line, and the names and paths in them.

use super::*;

/// Names that a pattern binds.
pub(super) fn pattern(pat: &Pat) -> Vec<String> {
    struct Names(Vec<String>);
    impl<'ast> Visit<'ast> for Names {
        fn visit_pat_ident(&mut self, pat: &'ast syn::PatIdent) {
            self.0.push(pat.ident.to_string());
            visit::visit_pat_ident(self, pat);
        }
    }
    let mut names = Names(Vec::new());
    names.visit_pat(pat);
    names.0
}

/// The tokens in one line, without generic arguments.
pub(super) fn flatten(stream: TokenStream) -> Vec<Piece> {
    let mut flat = Vec::new();
    push(stream, &mut flat);
    flat
}

pub(super) fn push(stream: TokenStream, flat: &mut Vec<Piece>) {
    let mut tokens = stream.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Group(group) => {
                flat.push(Piece::Other);
                push(group.stream(), flat);
                flat.push(Piece::Other);
            }
            TokenTree::Ident(ident) => flat.push(Piece::Name(ident.to_string())),
            TokenTree::Punct(punct) if is_colon(&punct) && tokens.next_if(next_colon).is_some() => {
                if flat.last() == Some(&Piece::Of) {
                    flat.pop();
                }
                flat.push(Piece::Of);
                skip_generics(&mut tokens);
            }
            _ => flat.push(Piece::Other),
        }
    }
}

pub(super) fn is_colon(punct: &proc_macro2::Punct) -> bool {
    punct.as_char() == ':' && punct.spacing() == proc_macro2::Spacing::Joint
}

pub(super) fn next_colon(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == ':')
}

/// After `::`: skips `<…>`, whose `>` may be followed by another `::`.
pub(super) fn skip_generics(tokens: &mut std::iter::Peekable<proc_macro2::token_stream::IntoIter>) {
    let is = |token: &TokenTree, c| matches!(token, TokenTree::Punct(p) if p.as_char() == c);
    if tokens.next_if(|token| is(token, '<')).is_none() {
        return;
    }
    let mut open = 1;
    while open > 0 {
        match tokens.next() {
            Some(token) if is(&token, '<') => open += 1,
            Some(token) if is(&token, '>') => open -= 1,
            Some(_) => {}
            None => return,
        }
    }
}

/// Names that are no part of a longer path but its first.
pub(super) fn names(tokens: &[Piece]) -> impl Iterator<Item = &String> {
    tokens.iter().filter_map(|token| match token {
        Piece::Name(name) => Some(name),
        _ => None,
    })
}

/// Paths of at least two names.
pub(super) fn paths(tokens: &[Piece]) -> impl Iterator<Item = Vec<String>> {
    let mut found = Vec::new();
    let mut path = Vec::new();
    let mut joined = false;
    for token in tokens.iter().chain([&Piece::Other]) {
        match token {
            Piece::Name(name) => {
                if !joined && !path.is_empty() {
                    found.push(std::mem::take(&mut path));
                }
                path.push(name.clone());
                joined = false;
            }
            Piece::Of => joined = true,
            Piece::Other => {
                if !path.is_empty() {
                    found.push(std::mem::take(&mut path));
                }
                joined = false;
            }
        }
    }
    found.into_iter().filter(|path| path.len() > 1)
}
