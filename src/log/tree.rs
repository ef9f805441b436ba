//! The tree of RFC 6962 over the entries of the log: leaves, nodes, and the compact range that is
//! all one needs to go on appending.

use sha2::{Digest, Sha256};

use super::Root;

/// The hash of a leaf or of an inner node.
pub(crate) type Hash = [u8; 32];

/// What a node over these two hashes has as its own.
pub(crate) fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut bytes = [1; 65];
    bytes[1..33].copy_from_slice(left);
    bytes[33..].copy_from_slice(right);
    Sha256::digest(bytes).into()
}

/// What every entry of a block is hidden behind: see [`salt`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Salt(Hash);

/// The salt of the block that begins at `first`.
///
/// It is derived from the seed of the batch rather than drawn for each block, so that the sealer,
/// which keeps salts unchanged for ever, need not keep 32 random bytes for every tiny block: all
/// blocks of one batch share one seed.
pub(crate) fn salt(seed: &Hash, first: u64) -> Salt {
    let mut hash = Sha256::new_with_prefix(b"purser/block-salt");
    hash.update(seed);
    hash.update(first.to_le_bytes());
    Salt(hash.finalize().into())
}

impl Salt {
    /// The first half of entry `index` (from 0) of the block; the stored envelope follows it.
    pub(crate) fn blind(&self, index: u64) -> Hash {
        let mut bytes = [0; 40];
        bytes[..32].copy_from_slice(&self.0);
        bytes[32..].copy_from_slice(&index.to_le_bytes());
        Sha256::digest(bytes).into()
    }

    /// The leaf of entry `index` (from 0) of the block.
    pub(crate) fn leaf(&self, index: u64, row: &[u8]) -> Hash {
        let mut head = [0; 33];
        head[1..].copy_from_slice(&self.blind(index));
        let mut hash = Sha256::new_with_prefix(head);
        hash.update(row);
        hash.finalize().into()
    }
}

/// The roots of the perfect trees that a log of some size consists of, the largest first.
#[derive(Clone, Debug)]
pub(crate) struct Frontier {
    size: u64,
    // A log of 2^64 entries has at most 64 of them; an array spares an allocation per append.
    peaks: [Hash; 64],
    count: usize,
}

impl Frontier {
    /// Of an empty log.
    pub(crate) const EMPTY: Self = Self {
        size: 0,
        peaks: [[0; 32]; 64],
        count: 0,
    };

    /// How many leaves it stands for.
    pub(crate) const fn size(&self) -> u64 {
        self.size
    }

    /// Its hashes, of the largest tree first.
    pub(crate) fn peaks(&self) -> &[Hash] {
        &self.peaks[..self.count]
    }

    /// How many bytes [`Self::bytes`] are for a log of this size.
    pub(crate) const fn bytes_len(size: u64) -> usize {
        size.count_ones() as usize * 32
    }

    /// The stored form, without the size.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.peaks().as_flattened()
    }

    /// Reads the stored form; `None` when there are not as many hashes as the size asks for.
    pub(crate) fn from_bytes(size: u64, bytes: &[u8]) -> Option<Self> {
        let (hashes, []) = bytes.as_chunks::<32>() else {
            return None;
        };
        if hashes.len() != size.count_ones() as usize {
            return None;
        }
        let mut peaks = [[0; 32]; 64];
        peaks[..hashes.len()].copy_from_slice(hashes);
        let count = hashes.len();
        Some(Self { size, peaks, count })
    }

    /// Adds a leaf.
    pub(crate) fn append(&mut self, leaf: Hash) {
        let mut hash = leaf;
        for _ in 0..self.size.trailing_ones() {
            self.count -= 1;
            hash = node_hash(&self.peaks[self.count], &hash);
        }
        self.peaks[self.count] = hash;
        self.count += 1;
        self.size += 1;
    }

    /// The root over all leaves.
    pub(crate) fn root(&self) -> Root {
        let Some((&last, others)) = self.peaks().split_last() else {
            return Root(Sha256::digest([]).into());
        };
        Root(
            others
                .iter()
                .rfold(last, |right, left| node_hash(left, &right)),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{Frontier, Hash, node_hash, salt};
    use sha2::{Digest, Sha256};

    /// RFC 6962 section 2.1, word for word.
    fn naive(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => Sha256::digest([]).into(),
            [leaf] => *leaf,
            _ => {
                let split = leaves.len().next_power_of_two() / 2;
                let (left, right) = leaves.split_at(split);
                node_hash(&naive(left), &naive(right))
            }
        }
    }

    #[test]
    fn the_root_is_that_of_the_recursive_definition_at_every_size() {
        let mut frontier = Frontier::EMPTY;
        let mut leaves = Vec::new();
        for size in 0..300_u64 {
            assert_eq!(frontier.root().0, naive(&leaves), "at size {size}");
            assert_eq!(frontier.size(), size);
            let again = Frontier::from_bytes(size, frontier.bytes()).expect("its own bytes");
            assert_eq!(again.peaks(), frontier.peaks());
            let leaf = Sha256::digest(size.to_be_bytes()).into();
            leaves.push(leaf);
            frontier = again;
            frontier.append(leaf);
        }
    }

    #[test]
    fn a_frontier_of_another_size_is_refused() {
        let mut frontier = Frontier::EMPTY;
        (0..5).for_each(|number| frontier.append([number; 32]));
        assert_eq!(Frontier::bytes_len(5), frontier.bytes().len());
        assert!(Frontier::from_bytes(7, frontier.bytes()).is_none());
        assert!(Frontier::from_bytes(5, &frontier.bytes()[1..]).is_none());
    }

    #[test]
    fn a_leaf_is_the_hash_of_salted_index_and_row() {
        let block = Sha256::new()
            .chain_update(b"purser/block-salt")
            .chain_update([7; 32])
            .chain_update(9_u64.to_le_bytes())
            .finalize();
        let entry = Sha256::new()
            .chain_update(block)
            .chain_update(3_u64.to_le_bytes())
            .finalize();
        let leaf = Sha256::new()
            .chain_update([0])
            .chain_update(entry)
            .chain_update(b"row")
            .finalize();
        assert_eq!(salt(&[7; 32], 9).leaf(3, b"row")[..], leaf[..]);
    }
}
