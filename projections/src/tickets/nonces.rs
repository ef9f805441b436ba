//! Which numbers a sender has used under one set of parameters.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// The numbers that a sender has used under one set of parameters: a bit each for 1 to 600, and a
/// list of the others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nonces {
    bits: [u64; 10],
    others: BTreeSet<u32>,
    count: u32,
}

impl Nonces {
    /// How many tickets one set of parameters takes.
    pub const MAX: u32 = 600;

    /// How many were used.
    #[must_use]
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// Whether a number was used.
    #[must_use]
    pub fn holds(&self, nonce: u32) -> bool {
        match Self::place(nonce) {
            Some((word, bit)) => self.bits[word] & bit != 0,
            None => self.others.contains(&nonce),
        }
    }

    /// Whether no further number is taken.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.count >= Self::MAX
    }

    /// Uses a number.
    ///
    /// # Panics
    /// When it was used, or no further one is taken.
    pub fn take(&mut self, nonce: u32) {
        assert!(!self.is_full(), "one set of parameters takes 600 tickets");
        let new = match Self::place(nonce) {
            Some((word, bit)) => {
                let new = self.bits[word] & bit == 0;
                self.bits[word] |= bit;
                new
            }
            None => self.others.insert(nonce),
        };
        assert!(new, "a ticket counts once");
        self.count += 1;
    }

    fn place(nonce: u32) -> Option<(usize, u64)> {
        let index = nonce.checked_sub(1).filter(|index| *index < Self::MAX)?;
        Some(((index / 64) as usize, 1 << (index % 64)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_hundred_numbers_are_taken_in_any_order_and_each_once() {
        let mut nonces = Nonces::default();
        for nonce in (1..=598).rev().chain([u32::MAX, 0]) {
            assert!(!nonces.holds(nonce) && !nonces.is_full());
            nonces.take(nonce);
            assert!(nonces.holds(nonce));
        }
        assert!(nonces.is_full());
        assert_eq!(nonces.count(), 600);
        assert!(!nonces.holds(599) && !nonces.holds(601));
    }

    #[test]
    #[should_panic(expected = "a ticket counts once")]
    fn a_number_is_not_taken_twice() {
        let mut nonces = Nonces::default();
        nonces.take(7);
        nonces.take(7);
    }
}
