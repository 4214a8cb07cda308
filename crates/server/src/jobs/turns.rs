//! Whose validation is next: every account has its turn, however much another one has asked for.

use std::collections::VecDeque;
use std::collections::hash_map::{Entry, HashMap};

/// How much is done, and may wait, at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// What is at work at once.
    pub(super) at_work: usize,
    /// Of which for one account.
    pub(super) at_work_of_one: usize,
    /// What may wait.
    pub(super) waiting: usize,
    /// Of which for one account.
    pub(super) waiting_of_one: usize,
}

/// What is to be done for accounts. That of one account is begun in the order in which it came, and the
/// accounts take turns.
#[derive(Debug)]
pub(super) struct Turns<T> {
    limits: Limits,
    /// The accounts with anything at work or waiting.
    accounts: HashMap<i64, Account<T>>,
    /// The accounts of which something can begin as soon as there is room.
    next: VecDeque<i64>,
    at_work: usize,
    waiting: usize,
}

#[derive(Debug)]
struct Account<T> {
    at_work: usize,
    waiting: VecDeque<T>,
    /// Whether it stands in [`Turns::next`].
    is_next: bool,
}

impl<T> Turns<T> {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, accounts: HashMap::new(), next: VecDeque::new(), at_work: 0, waiting: 0 }
    }

    /// Has something wait for its turn; given back where too much waits already.
    pub(super) fn add(&mut self, account_id: i64, thing: T) -> Result<(), T> {
        if self.waiting >= self.limits.waiting {
            return Err(thing);
        }
        let account = self.accounts.entry(account_id).or_default();
        if account.waiting.len() >= self.limits.waiting_of_one {
            return Err(thing);
        }
        account.waiting.push_back(thing);
        self.waiting += 1;
        self.queue(account_id);
        Ok(())
    }

    /// What is to begin now, and for which account; nothing where no more may be at work.
    pub(super) fn begin(&mut self) -> Option<(i64, T)> {
        if self.at_work >= self.limits.at_work {
            return None;
        }
        let account_id = self.next.pop_front()?;
        let account = self.accounts.get_mut(&account_id)?;
        account.is_next = false;
        let thing = account.waiting.pop_front()?;
        account.at_work += 1;
        self.at_work += 1;
        self.waiting -= 1;
        self.queue(account_id);
        Some((account_id, thing))
    }

    /// Something that was begun for the account has ended.
    pub(super) fn end(&mut self, account_id: i64) {
        let Entry::Occupied(mut account) = self.accounts.entry(account_id) else { return };
        self.at_work = self.at_work.saturating_sub(1);
        let left = account.get_mut();
        left.at_work = left.at_work.saturating_sub(1);
        if left.at_work == 0 && left.waiting.is_empty() {
            account.remove();
        } else {
            self.queue(account_id);
        }
    }

    /// Puts an account behind the others, if anything of it can begin.
    fn queue(&mut self, account_id: i64) {
        let Some(account) = self.accounts.get_mut(&account_id) else { return };
        let can_begin = !account.waiting.is_empty() && account.at_work < self.limits.at_work_of_one;
        if can_begin && !account.is_next {
            account.is_next = true;
            self.next.push_back(account_id);
        }
    }
}

impl<T> Default for Account<T> {
    fn default() -> Self {
        Self { at_work: 0, waiting: VecDeque::new(), is_next: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { at_work: 4, at_work_of_one: 2, waiting: 8, waiting_of_one: 5 };

    fn begun(turns: &mut Turns<&'static str>) -> Vec<&'static str> {
        std::iter::from_fn(|| turns.begin()).map(|(_, thing)| thing).collect()
    }

    #[test]
    fn one_account_leaves_room_for_others() {
        let mut turns = Turns::new(LIMITS);
        for thing in ["a1", "a2", "a3", "a4"] {
            turns.add(1, thing).unwrap();
        }
        assert_eq!(begun(&mut turns), ["a1", "a2"]);
        turns.add(2, "b1").unwrap();
        assert_eq!(begun(&mut turns), ["b1"]);
        turns.end(1);
        assert_eq!(begun(&mut turns), ["a3"]);
        turns.end(1);
        turns.end(1);
        assert_eq!(begun(&mut turns), ["a4"]);
    }

    #[test]
    fn accounts_take_turns_where_there_is_not_room_for_all() {
        let mut turns = Turns::new(Limits { at_work: 1, ..LIMITS });
        for (account, thing) in [(1, "a1"), (1, "a2"), (1, "a3"), (2, "b1"), (2, "b2"), (3, "c1")] {
            turns.add(account, thing).unwrap();
        }
        let mut order = vec![];
        while let Some((account, thing)) = turns.begin() {
            assert!(turns.begin().is_none());
            order.push(thing);
            turns.end(account);
        }
        assert_eq!(order, ["a1", "b1", "c1", "a2", "b2", "a3"]);
        assert!(turns.accounts.is_empty() && turns.next.is_empty());
        assert_eq!((turns.at_work, turns.waiting), (0, 0));
    }

    #[test]
    fn what_waits_is_bounded_altogether_and_for_each_account() {
        let mut turns = Turns::new(LIMITS);
        for thing in ["a1", "a2", "a3", "a4", "a5"] {
            turns.add(1, thing).unwrap();
        }
        assert_eq!(turns.add(1, "a6"), Err("a6"));
        for (account, thing) in [(2, "b1"), (3, "c1"), (4, "d1")] {
            turns.add(account, thing).unwrap();
        }
        assert_eq!(turns.add(5, "e1"), Err("e1"));
        assert_eq!(begun(&mut turns), ["a1", "b1", "c1", "d1"]);
        turns.add(5, "e1").unwrap();
    }
}
