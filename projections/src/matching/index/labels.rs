//! Which workers carry which words.

use std::collections::BTreeMap;
use std::ops::Bound;

use purser_events::Label;

use super::bits::Postings;

/// Words, each with the workers that carry it. A word that nobody carries is forgotten.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Labels {
    words: BTreeMap<Label, Postings>,
}

impl Labels {
    pub(super) fn insert(&mut self, worker: usize, words: &[Label]) {
        for word in words {
            match self.words.get_mut(word) {
                Some(postings) => postings.insert(worker),
                None => {
                    let mut postings = Postings::default();
                    postings.insert(worker);
                    self.words.insert(word.clone(), postings);
                }
            }
        }
    }

    pub(super) fn remove(&mut self, worker: usize, words: &[Label]) {
        for word in words {
            if let Some(postings) = self.words.get_mut(word) {
                postings.remove(worker);
                if postings.is_empty() {
                    self.words.remove(word);
                }
            }
        }
    }

    pub(super) fn get(&self, word: &Label) -> Option<&Postings> {
        self.words.get(word)
    }

    /// The sets of those of these words that anybody carries.
    pub(super) fn sets<'a>(&'a self, wanted: &[Label]) -> impl Iterator<Item = &'a Postings> {
        wanted.iter().filter_map(|word| self.words.get(word))
    }

    /// The sets of the word `wanted`, and of those that begin with it and a dash.
    pub(super) fn sets_within<'a>(&'a self, wanted: &Label) -> impl Iterator<Item = &'a Postings> {
        // What begins with `wanted-` stands together: it ends before `wanted.`, since `.` is next.
        let text = wanted.as_str();
        let ends = Label::new(&format!("{text}-")).and_then(|from| {
            let to = Label::new(&format!("{text}."))?;
            Ok((Bound::Included(from), Bound::Excluded(to)))
        });
        let parts = ends.ok().map(|range| self.words.range(range));
        let parts = parts.into_iter().flatten().map(|(_, set)| set);
        self.words.get(wanted).into_iter().chain(parts)
    }
}
