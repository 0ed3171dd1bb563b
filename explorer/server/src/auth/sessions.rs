//! Sessions: a random name in a cookie, of which only the hash is kept here. They end without
//! requests and in any case, and are bounded by user and in all. Before somebody signs in, the
//! cookie names nothing that is kept.

use super::User;
use crate::random;
use billchain_crypto::sm3::{hmac_sm3, sm3};
use parking_lot::Mutex;
use std::collections::HashMap;
use subtle::ConstantTimeEq as _;

/// Sessions in all; the one that is silent longest gives way.
const MOST: usize = 20_000;
/// Sessions of one user.
const OF_ONE: usize = 16;

/// A user's session.
#[derive(Clone, Debug)]
struct Session {
    user: User,
    began: u64,
    last: u64,
}

/// How long sessions last, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Lasting {
    /// Without a request.
    pub idle: u64,
    /// In any case.
    pub whole: u64,
}

/// Sessions that last.
pub struct Sessions {
    open: Mutex<HashMap<[u8; 32], Session>>,
    lasting: Lasting,
    /// Makes the tokens against forgery; another one after each start.
    secret: [u8; 32],
}

impl Sessions {
    /// None yet.
    pub fn new(lasting: Lasting) -> Self {
        Self { open: Mutex::default(), lasting, secret: random::bytes() }
    }

    /// A cookie's value for somebody who is not signed in.
    pub fn anonymous() -> String {
        random::token()
    }

    /// Whether a cookie's value can be one of ours.
    pub fn is_cookie(value: &str) -> bool {
        value.len() == 64 && value.bytes().all(|b| b.is_ascii_hexdigit())
    }

    /// The token that goes with whatever changes something.
    pub fn token(&self, cookie: &str) -> String {
        hex::encode(hmac_sm3(&self.secret, cookie.as_bytes()))
    }

    /// Whether a token is that of this cookie.
    pub fn is_token(&self, cookie: &str, given: &str) -> bool {
        self.token(cookie).as_bytes().ct_eq(given.as_bytes()).into()
    }

    /// Somebody signed in: the value of the new cookie.
    pub fn begin(&self, user: User, now: u64) -> String {
        let cookie = random::token();
        let mut open = self.open.lock();
        self.sweep(&mut open, now);
        let mut own: Vec<_> = open
            .iter()
            .filter(|(_, session)| session.user.name == user.name)
            .map(|(key, session)| (session.last, *key))
            .collect();
        own.sort_unstable();
        for (_, key) in own.iter().take((own.len() + 1).saturating_sub(OF_ONE)) {
            open.remove(key);
        }
        if open.len() >= MOST {
            let silent = open.iter().min_by_key(|(_, session)| session.last).map(|(key, _)| *key);
            if let Some(key) = silent {
                open.remove(&key);
            }
        }
        open.insert(sm3(cookie.as_bytes()), Session { user, began: now, last: now });
        cookie
    }

    /// Who has this cookie, which lasts on by the request.
    pub fn user(&self, cookie: &str, now: u64) -> Option<User> {
        let key = sm3(cookie.as_bytes());
        let mut open = self.open.lock();
        let session = open.get_mut(&key)?;
        if self.is_over(session, now) {
            open.remove(&key);
            return None;
        }
        session.last = now;
        Some(session.user.clone())
    }

    /// Ends a session.
    pub fn end(&self, cookie: &str) {
        self.open.lock().remove(&sm3(cookie.as_bytes()));
    }

    /// Ends all sessions of a user but that of this cookie.
    pub fn end_all(&self, name: &str, but: Option<&str>) {
        let but = but.map(|cookie| sm3(cookie.as_bytes()));
        self.open.lock().retain(|key, session| session.user.name != name || Some(*key) == but);
    }

    /// Sessions that last at a moment.
    pub fn count(&self, now: u64) -> usize {
        let mut open = self.open.lock();
        self.sweep(&mut open, now);
        open.len()
    }

    fn sweep(&self, open: &mut HashMap<[u8; 32], Session>, now: u64) {
        open.retain(|_, session| !self.is_over(session, now));
    }

    fn is_over(&self, session: &Session, now: u64) -> bool {
        now.saturating_sub(session.last) >= self.lasting.idle
            || now.saturating_sub(session.began) >= self.lasting.whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Role;

    fn user(name: &str) -> User {
        User { name: name.to_owned(), role: Role::Auditor, did: None }
    }

    fn sessions() -> Sessions {
        Sessions::new(Lasting { idle: 100, whole: 1000 })
    }

    #[test]
    fn a_session_ends_without_requests_and_in_any_case() {
        let sessions = sessions();
        let silent = sessions.begin(user("a"), 0);
        assert!(sessions.user(&silent, 99).is_some());
        assert!(sessions.user(&silent, 199).is_none());
        let busy = sessions.begin(user("a"), 0);
        for now in (0..1000).step_by(50) {
            assert!(sessions.user(&busy, now).is_some(), "{now}");
        }
        assert!(sessions.user(&busy, 1000).is_none());
    }

    #[test]
    fn a_token_is_that_of_one_cookie_and_of_one_start() {
        let sessions = sessions();
        let (one, two) = (sessions.begin(user("a"), 0), Sessions::anonymous());
        assert!(sessions.is_token(&one, &sessions.token(&one)));
        assert!(!sessions.is_token(&two, &sessions.token(&one)));
        assert!(!sessions.is_token(&one, ""));
        assert_ne!(self::sessions().token(&one), sessions.token(&one));
    }

    #[test]
    fn sessions_of_one_user_are_bounded_and_end_together() {
        let sessions = sessions();
        let all: Vec<_> = (0..30).map(|now| sessions.begin(user("a"), now)).collect();
        let other = sessions.begin(user("b"), 30);
        assert_eq!(sessions.count(30), OF_ONE + 1);
        assert!(sessions.user(&all[0], 30).is_none());
        sessions.end_all("a", Some(&all[29]));
        assert_eq!(sessions.count(30), 2);
        assert!(sessions.user(&all[29], 30).is_some());
        sessions.end(&other);
        assert!(sessions.user(&other, 30).is_none());
    }
}
