//! Classes of methods, and sets of them.

use core::fmt;
use serde::Deserialize;

/// What sort of a method it is, by what it may do to whom.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// 公众查验: whether an original is genuine, and what a client needs to know of the node.
    Verify,
    /// 成员读: what a member may see.
    Read,
    /// 成员写: submits what a member signed.
    Write,
    /// 运营: the node's own state, and what shows everybody's data.
    Operator,
    /// 危险: changes the node. On loopback listeners alone.
    Unsafe,
}

impl Class {
    /// Each class, in the order of its bit.
    pub const ALL: [Self; 5] =
        [Self::Verify, Self::Read, Self::Write, Self::Operator, Self::Unsafe];

    /// Its name in configurations, metrics and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Read => "read",
            Self::Write => "write",
            Self::Operator => "operator",
            Self::Unsafe => "unsafe",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of classes.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Classes(u8);

impl Classes {
    /// None.
    pub const NONE: Self = Self(0);
    /// All but [`Class::Unsafe`].
    pub const SAFE: Self = Self(0b1111);
    /// All.
    pub const ALL: Self = Self(0b1_1111);

    /// Whether the class is among them.
    pub const fn has(self, class: Class) -> bool {
        self.0 & class.bit() != 0
    }

    /// Those of both.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether it is empty.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl FromIterator<Class> for Classes {
    fn from_iter<I: IntoIterator<Item = Class>>(classes: I) -> Self {
        Self(classes.into_iter().fold(0, |bits, class| bits | class.bit()))
    }
}

impl fmt::Debug for Classes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Class::ALL.into_iter().filter(|class| self.has(*class)).map(Class::name);
        f.debug_set().entries(names).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_what_was_put_in() {
        for class in Class::ALL {
            let set: Classes = [class].into_iter().collect();
            for other in Class::ALL {
                assert_eq!(set.has(other), class == other);
            }
            assert!(Classes::ALL.has(class));
            assert_eq!(Classes::SAFE.has(class), class != Class::Unsafe);
        }
        assert!(Classes::NONE.is_empty() && !Classes::SAFE.is_empty());
        assert_eq!(Classes::ALL.and(Classes::SAFE), Classes::SAFE);
    }
}
