//! What the tests of a contract assert, read from their sources.
//!
//! Of the functions that a `#[test]` reaches by name, helpers in the mock
//! included, each assertion is taken:
//! - a refusal is `assert_noop!` or `assert_err!` with its second argument, or
//!   `assert_eq!` with an argument that is an `Err`;
//! - a success is `assert_ok!`, an `assert_eq!` with an `Ok`, or the receiver of
//!   `unwrap` or `expect`.
//!
//! Where an assertion names a variable, what the variable was bound to counts:
//! an initialiser, or the table that a loop runs over. Where it names a
//! parameter of its function, the arguments of the function's callers count.
//! Types are not known here, so names decide; a test that mentions an error
//! without asserting it does not count.

mod reader;
mod tokens;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};
use syn::{
    Expr, ExprCall, ExprForLoop, ExprLet, ExprMethodCall, ImplItemFn, ItemConst, ItemFn, Local,
    Macro, Pat, Token,
    parse::Parser,
    punctuated::Punctuated,
    visit::{self, Visit},
};

use reader::Reader;
use tokens::{names, paths};

/// What is tested of one contract.
#[derive(Default, Debug)]
pub struct Tested {
    /// Calls that succeed in a test.
    pub calls: BTreeSet<String>,
    /// Errors with which something is refused in a test.
    pub errors: BTreeSet<String>,
}

/// The tests of one crate and their helpers.
pub struct Crate {
    /// Names of the contract in the runtime and in the mock.
    contract: BTreeSet<String>,
    functions: BTreeMap<String, Function>,
    /// `Error` and what tests call it instead.
    errors: BTreeSet<String>,
}

/// Names of the tests in one file.
pub fn test_names(path: &Path) -> BTreeSet<String> {
    struct Tests(BTreeSet<String>);
    impl<'ast> Visit<'ast> for Tests {
        fn visit_item_fn(&mut self, item: &'ast ItemFn) {
            // `#[test]` and `#[tokio::test]`.
            let is_test = |attr: &syn::Attribute| {
                attr.path().segments.last().is_some_and(|last| last.ident == "test")
            };
            if item.attrs.iter().any(is_test) {
                self.0.insert(item.sig.ident.to_string());
            }
            visit::visit_item_fn(self, item);
        }
    }
    let mut tests = Tests(BTreeSet::new());
    tests.visit_file(&parse(path));
    tests.0
}

fn parse(path: &Path) -> syn::File {
    let text = fs::read_to_string(path).expect("a source file is readable");
    syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A function or constant.
#[derive(Default)]
struct Function {
    is_test: bool,
    parameters: BTreeSet<String>,
    /// Everything inside, by which its callees are found.
    body: Vec<Piece>,
    /// Local names and what each was bound to.
    bound: BTreeMap<String, Vec<Vec<Piece>>>,
    /// Parameters of local closures, with the closure's own local name.
    closure_parameters: BTreeMap<String, String>,
    refused: Vec<Vec<Piece>>,
    succeeded: Vec<Vec<Piece>>,
    /// Local or global functions that are called, with all the arguments.
    calls: Vec<(String, Vec<Piece>)>,
}

/// A token as far as names are concerned.
#[derive(Clone, PartialEq, Debug)]
enum Piece {
    Name(String),
    /// Between two parts of a path; generic arguments are left out.
    Of,
    Other,
}

impl Crate {
    /// Reads `tests.rs` or `tests/` and `mock.rs` in `src`.
    pub fn read(src: &Path, contract: &str) -> Self {
        let errors = BTreeSet::from(["Error".to_owned()]);
        let contract = BTreeSet::from([contract.to_owned()]);
        let mut this = Self { contract, functions: BTreeMap::new(), errors };
        let folder = src.parent().and_then(Path::file_name).and_then(|name| name.to_str());
        let pallet = format!("pallet_{}", folder.unwrap_or_default().replace('-', "_"));
        for path in test_files(src) {
            let mut reader = Reader { read: &mut this, pallet: &pallet };
            reader.visit_file(&parse(&path));
        }
        this
    }

    fn tests(&self) -> BTreeSet<String> {
        let tests = self.functions.iter().filter(|(_, function)| function.is_test);
        tests.map(|(name, _)| name.clone()).collect()
    }

    /// What is tested, by the contract's crate; `None` is this one.
    pub fn tested(&self) -> BTreeMap<Option<String>, Tested> {
        let reached = self.reached();
        let refusing = self.refusing(&reached);
        let mut tested: BTreeMap<_, Tested> = BTreeMap::new();
        for function in reached.iter().map(|name| &self.functions[name]) {
            let given = function.calls.iter().filter(|(callee, _)| {
                refusing.contains(callee) || function.refusing_closures().contains(callee)
            });
            for tokens in function.refused.iter().chain(given.map(|(_, arguments)| arguments)) {
                for (owner, error) in function.errors(tokens, &self.errors) {
                    tested.entry(owner).or_default().errors.insert(error);
                }
            }
            for tokens in &function.succeeded {
                let calls = self.calls_in(function, tokens, &mut BTreeSet::new());
                tested.entry(None).or_default().calls.extend(calls);
            }
        }
        tested
    }

    /// The tests and whatever they name, directly or not.
    fn reached(&self) -> BTreeSet<String> {
        let mut reached = BTreeSet::new();
        let mut next: Vec<_> = self.tests().into_iter().collect();
        while let Some(name) = next.pop() {
            let body = &self.functions[&name].body;
            if reached.insert(name) {
                next.extend(names(body).filter(|n| self.functions.contains_key(*n)).cloned());
            }
        }
        reached
    }

    /// Functions that assert a refusal with what they are given.
    fn refusing(&self, reached: &BTreeSet<String>) -> BTreeSet<String> {
        let mut refusing = BTreeSet::new();
        loop {
            let before = refusing.len();
            for name in reached {
                let function = &self.functions[name];
                let given = function.calls.iter().filter(|(callee, _)| refusing.contains(callee));
                let asserted: Vec<_> =
                    function.refused.iter().chain(given.map(|(_, tokens)| tokens)).collect();
                let of_parameter = |tokens: &&Vec<Piece>| {
                    function.roots(tokens).iter().any(|root| function.parameters.contains(root))
                };
                if asserted.iter().any(of_parameter) {
                    refusing.insert(name.clone());
                }
            }
            if refusing.len() == before {
                return refusing;
            }
        }
    }

    /// Calls of the contract in `tokens` and in what these name.
    fn calls_in(
        &self,
        function: &Function,
        tokens: &[Piece],
        seen: &mut BTreeSet<String>,
    ) -> BTreeSet<String> {
        let mut found: BTreeSet<String> = paths(tokens)
            .filter(|path| {
                let owner = path.len().checked_sub(2).map(|at| path[at].as_str());
                owner.is_some_and(|name| {
                    name == "Call" || name == "Pallet" || self.contract.contains(name)
                })
            })
            .filter_map(|path| path.last().cloned())
            .collect();
        for name in names(tokens) {
            if !seen.insert(name.clone()) {
                continue;
            }
            for bound in function.bound.get(name).into_iter().flatten() {
                found.extend(self.calls_in(function, bound, seen));
            }
            if let Some(helper) = self.functions.get(name).filter(|helper| !helper.is_test) {
                found.extend(self.calls_in(helper, &helper.body, seen));
            }
        }
        found
    }
}

impl Function {
    /// Local names that `tokens` come from, themselves included.
    fn roots(&self, tokens: &[Piece]) -> BTreeSet<String> {
        let mut roots = BTreeSet::new();
        let mut next: Vec<&[Piece]> = vec![tokens];
        while let Some(tokens) = next.pop() {
            for name in names(tokens) {
                if roots.insert(name.clone()) {
                    next.extend(self.bound.get(name).into_iter().flatten().map(Vec::as_slice));
                }
            }
        }
        roots
    }

    /// Local closures that assert a refusal with what they are given.
    fn refusing_closures(&self) -> BTreeSet<&String> {
        let roots = self.refused.iter().map(|tokens| self.roots(tokens));
        roots.flatten().filter_map(|root| self.closure_parameters.get(&root)).collect()
    }

    /// Errors in `tokens` and in what the local names in them were bound to,
    /// each with the other contract it belongs to.
    fn errors(
        &self,
        tokens: &[Piece],
        aliases: &BTreeSet<String>,
    ) -> BTreeSet<(Option<String>, String)> {
        let mut all = vec![tokens.to_vec()];
        for root in self.roots(tokens) {
            all.extend(self.bound.get(&root).into_iter().flatten().cloned());
        }
        let mut found = BTreeSet::new();
        // `Error::from(problem)`: errors have the names of the problems.
        let converted = all
            .iter()
            .flat_map(|t| paths(t))
            .any(|path| path.ends_with(&["Error".to_owned(), "from".to_owned()]));
        for path in all.iter().flat_map(|tokens| paths(tokens)) {
            let [.., owner, error] = &path[..] else { continue };
            if aliases.contains(owner) {
                let other = path.first().and_then(|first| first.strip_prefix("pallet_"));
                found.insert((other.map(|name| name.replace('_', "-")), error.clone()));
            } else if converted && owner.ends_with("Problem") {
                found.insert((None, error.clone()));
            }
        }
        found
    }
}

/// `tests.rs`, everything in `tests/`, and `mock.rs`.
fn test_files(src: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> =
        ["tests.rs", "mock.rs"].iter().map(|name| src.join(name)).filter(|p| p.is_file()).collect();
    let mut folders = vec![src.join("tests")];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = folder.read_dir() else { continue };
        for entry in entries {
            let path = entry.expect("a folder is readable").path();
            match path.extension() {
                None => folders.push(path),
                Some(ext) if ext == "rs" => files.push(path),
                Some(_) => {}
            }
        }
    }
    files.sort();
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls and errors that `source` tests, of a contract `Thing`.
    fn tested(source: &str) -> (Vec<String>, Vec<String>) {
        let directory = tempfile::tempdir().unwrap();
        let src = directory.path().join("thing").join("src");
        fs::create_dir_all(&src).unwrap();
        fs::write(src.join("tests.rs"), source).unwrap();
        let mut tested = Crate::read(&src, "Thing").tested();
        let own = tested.remove(&None).unwrap_or_default();
        let foreign = tested.into_iter().flat_map(|(owner, one)| {
            let owner = owner.unwrap_or_default();
            one.errors.into_iter().map(move |error| format!("{owner}: {error}"))
        });
        (own.calls.into_iter().collect(), own.errors.into_iter().chain(foreign).collect())
    }

    #[test]
    fn only_what_a_test_asserts_is_tested() {
        for (description, source, calls, errors) in [
            (
                "asserted",
                "#[test] fn a() { assert_ok!(Thing::run(1)); assert_noop!(x(), Error::<Test>::A); }",
                &["run"] as &[&str],
                &["A"] as &[&str],
            ),
            (
                "mentioned, not asserted",
                "#[test] fn a() { let _ = Error::<Test>::A; let _ = Thing::run(1); \
                 assert_ne!(x(), Err(Error::<Test>::B.into())); }",
                &[],
                &[],
            ),
            (
                "not in a test",
                "fn a() { assert_ok!(Thing::run(1)); assert_noop!(x(), Error::<Test>::A); }",
                &[],
                &[],
            ),
            (
                "in a table",
                "#[test] fn a() { let rows = [(1, Error::A), (2, Error::B { at: 3 })]; \
                 for (n, expected) in rows { assert_eq!(x(n), Err(expected.into()), \"{n}\"); } \
                 let unused = Error::<Test>::C; }",
                &[],
                &["A", "B"],
            ),
            (
                "through helpers",
                "fn run(n: u8) -> R { Thing::run(n) } \
                 fn refused(n: u8, error: Error<Test>) { assert_noop!(run(n), error); } \
                 #[test] fn a() { assert_ok!(run(1)); refused(2, Error::<Test>::A); }",
                &["run"],
                &["A"],
            ),
            (
                "through a closure",
                "#[test] fn a() { let refuse = |n, e: E| assert_noop!(run(n), e); \
                 refuse(1, Error::<Test>::A); other(Error::<Test>::B); }",
                &[],
                &["A"],
            ),
            (
                "a call as a value, a success by unwrap, another name of the errors",
                "type Fault = Error<Test>; #[test] fn a() { \
                 let call = Call::<Test>::run { n: 1 }; call.dispatch(o()).unwrap(); \
                 assert_err!(x(), Fault::A); }",
                &["run"],
                &["A"],
            ),
            (
                "another contract's error",
                "#[test] fn a() { assert_noop!(x(), pallet_some_other::Error::<Test>::A); }",
                &[],
                &["some-other: A"],
            ),
            (
                "errors that problems turn into",
                "#[test] fn a() { for problem in [SomeProblem::A] { \
                 assert_eq!(x(), Err(Error::<Test>::from(problem).into())); } }",
                &[],
                &["A", "from"],
            ),
        ] {
            let (found_calls, found_errors) = tested(source);
            assert_eq!(found_calls, calls, "{description}");
            assert_eq!(found_errors, errors, "{description}");
        }
    }
}
