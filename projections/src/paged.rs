//! A dense table that is mostly empty: indexed like an array, stored in pages.

use serde::{Deserialize, Serialize};

/// Rows of one page.
const PAGE: usize = 64;

/// A table indexed by a dense number. Rows that were never touched hold the default, and pages of
/// such rows take no room.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paged<T> {
    pages: Vec<Vec<T>>,
}

impl<T: Clone + Default> Paged<T> {
    /// The row at `index`, if its page was touched.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&T> {
        self.pages.get(index / PAGE)?.get(index % PAGE)
    }

    /// The row at `index`, to be changed.
    pub fn at(&mut self, index: usize) -> &mut T {
        let page = index / PAGE;
        if self.pages.get(page).is_none_or(Vec::is_empty) {
            self.open(page);
        }
        &mut self.pages[page][index % PAGE]
    }

    #[cold]
    fn open(&mut self, page: usize) {
        if self.pages.len() <= page {
            self.pages.resize_with(page + 1, Vec::new);
        }
        self.pages[page] = vec![T::default(); PAGE];
    }

    /// Every row of a touched page, with its index.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &T)> {
        let pages = self.pages.iter().enumerate();
        pages.flat_map(|(page, rows)| {
            let rows = rows.iter().enumerate();
            rows.map(move |(row, value)| (page * PAGE + row, value))
        })
    }
}

/// The entry at `index` of a dense table, which grows to hold it.
pub(crate) fn grown<T: Default>(table: &mut Vec<T>, index: usize) -> &mut T {
    if table.len() <= index {
        table.resize_with(index + 1, T::default);
    }
    &mut table[index]
}
