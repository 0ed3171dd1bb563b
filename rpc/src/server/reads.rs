//! Requests to methods that read storage: how long an answer they are tried
//! with, in which lane, and their answers.

use super::{
    answers::Part,
    envelope::{Call, Entry, Refused},
    shared::Methods,
};
use crate::{
    access::Admitted,
    context::Context,
    error::{self, Answer},
    lanes::{LONG, Lane},
    method::{Args, Handler, Method, Written},
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Instant,
};

/// Longest answer for which a method runs first that gives one entry.
const FIRST: usize = 32 << 10;
/// Longest answer of a light turn, in bytes.
const LIGHT: usize = 256 << 10;

/// A request to a method that reads storage.
pub(super) struct Read {
    call: Call,
    /// As it was called.
    pub(super) name: &'static str,
    pub(super) began: Instant,
    method: &'static Method,
    answer: fn(&Context, &Args) -> Written,
}

impl Read {
    /// The request, or the entry back if it is none of this kind.
    pub(super) fn of(entry: Entry, methods: &Methods) -> Result<Self, Entry> {
        let Entry::Call(call) = entry else { return Err(entry) };
        match methods.named(&call.method) {
            Some((name, method)) if let Handler::Read(answer) = method.handler => {
                Ok(Self { call, name, began: Instant::now(), method, answer })
            }
            _ => Err(Entry::Call(call)),
        }
    }

    /// Its id as JSON.
    pub(super) fn id(&self) -> &str {
        &self.call.id
    }

    /// For whom it is done.
    pub(super) fn admitted(&self) -> &Arc<Admitted> {
        &self.call.admitted
    }

    /// The longest answer that its method gives.
    pub(super) fn bound(&self) -> usize {
        self.method.bound.answer as usize
    }

    /// The longest answer for which it runs first: most answers are short.
    pub(super) fn first_try(&self) -> usize {
        match (self.method.bound.lane, self.bound()) {
            (Lane::Heavy, bound) => bound,
            (Lane::Light, bound) if bound > LIGHT => LIGHT,
            (Lane::Light, bound) => FIRST.min(bound),
        }
    }

    /// The longest answer for which it runs when it was longer than `most`.
    pub(super) fn next_try(&self, most: usize) -> usize {
        if most < LIGHT { LIGHT.min(self.bound()) } else { self.bound() }
    }

    /// Where it runs for an answer of at most `most` bytes.
    pub(super) fn lane(&self, most: usize) -> Lane {
        let params = self.call.params.as_ref().map_or(0, bytes::Bytes::len);
        let is_dear = most > LIGHT || params > LONG;
        if is_dear { Lane::Heavy } else { self.method.bound.lane }
    }

    /// Runs it, on a thread that may block.
    pub(super) fn run(&self, context: &Context, most: usize) -> Part {
        let ran = catch_unwind(AssertUnwindSafe(|| self.ask(context, most)));
        let answer = ran.map_err(|_| error::internal("the method panicked")).flatten();
        Part::of(self.call.id.clone(), answer)
    }

    fn ask(&self, context: &Context, most: usize) -> Answer<String> {
        let params = self.call.params.as_deref();
        (self.answer)(context, &self.call.admitted.args(context, self.method, params, most)?)
    }

    /// What it is told when it could not run.
    pub(super) fn refused(&self, error: error::Refusal) -> Refused {
        Refused { id: self.call.id.clone(), error }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::methods;

    fn read(name: &str, params: usize) -> Read {
        let method = methods::all().find(|method| method.name == name).unwrap();
        let Handler::Read(answer) = method.handler else { panic!("{name} does not read") };
        let params = Some(bytes::Bytes::from(vec![b' '; params]));
        let admitted = Admitted::whole();
        let call = Call { id: "1".into(), method: name.into(), params, admitted };
        Read { call, name: method.name, began: Instant::now(), method, answer }
    }

    #[test]
    fn a_light_method_with_a_long_answer_or_long_parameters_counts_as_heavy() {
        for (name, params, tries) in [
            ("bill_get", 40, &[(FIRST, Lane::Light), (LIGHT, Lane::Light)][..]),
            ("bill_history", 40, &[(LIGHT, Lane::Light), (16 << 20, Lane::Heavy)]),
            ("bill_byIssuer", 40, &[(LIGHT, Lane::Light), (2 << 20, Lane::Heavy)]),
            ("transaction_status", 80, &[(LIGHT, Lane::Light), (16 << 20, Lane::Heavy)]),
            ("state_getStorage", 80, &[(LIGHT, Lane::Light), (16 << 20, Lane::Heavy)]),
            ("transaction_prepare", 900, &[(LIGHT, Lane::Light), (4 << 20, Lane::Heavy)]),
            ("transaction_prepare", 1 << 20, &[(LIGHT, Lane::Heavy), (4 << 20, Lane::Heavy)]),
            ("bill_verifyHistory", 40, &[(LIGHT, Lane::Heavy)]),
        ] {
            let read = read(name, params);
            let mut most = read.first_try();
            for (at, (expected, lane)) in tries.iter().enumerate() {
                assert_eq!((most, read.lane(most)), (*expected, *lane), "{name}, try {at}");
                most = read.next_try(most);
            }
            assert_eq!(most, read.bound(), "{name} is not tried again");
        }
    }
}
