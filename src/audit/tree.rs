//! The Merkle tree of RFC 6962: how entries and nodes are hashed, and a root from the tiles' right
//! edge. Which tile holds which hash is `tile.rs`.

use sha2::{Digest, Sha256};

/// A SHA-256.
pub type Hash = [u8; 32];

/// The root of a tree at some size: what a checkpoint signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// How many entries the tree has.
    pub size: u64,
    /// Its root.
    pub root: Hash,
}

/// The hash of an entry (RFC 6962, section 2.1).
pub fn leaf_hash(entry: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(entry).finalize().into()
}

/// The hash of a node with these two below it.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// The root of a tree without entries.
pub fn empty_root() -> Hash {
    Sha256::digest([]).into()
}

/// The root over hashes of subtrees of one size, followed on the right by a smaller subtree with
/// root `right`, if there is one; `None` if there is nothing at all.
///
/// RFC 6962 splits a tree at the largest power of two that leaves something on the right. Read
/// from the right this means: take the largest complete subtree that ends there, join it to what
/// has been taken before, go on to its left.
pub fn join(mut hashes: &[Hash], right: Option<Hash>) -> Option<Hash> {
    let mut joined = right;
    while !hashes.is_empty() {
        let complete = 1 << hashes.len().trailing_zeros();
        let (rest, subtree) = hashes.split_at(hashes.len() - complete);
        let root = subtree_root(subtree);
        joined = Some(joined.map_or(root, |right| node_hash(&root, &right)));
        hashes = rest;
    }
    joined
}

/// The root over a power of two of hashes.
///
/// # Panics
/// If it is none.
pub fn subtree_root(hashes: &[Hash]) -> Hash {
    assert!(hashes.len().is_power_of_two(), "a complete subtree has a power of two of hashes");
    if let [only] = hashes {
        return *only;
    }
    let mut row: Vec<Hash> = hashes.to_vec();
    while row.len() > 1 {
        row = row.chunks(2).map(|pair| node_hash(&pair[0], &pair[1])).collect();
    }
    row[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6962's definition, word for word.
    fn by_definition(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => empty_root(),
            [only] => *only,
            _ => {
                let split = leaves.len().next_power_of_two() / 2;
                let (left, right) = leaves.split_at(split);
                node_hash(&by_definition(left), &by_definition(right))
            }
        }
    }

    #[test]
    fn a_root_is_what_rfc_6962_defines() {
        let leaves: Vec<Hash> = (0..300u32).map(|n| leaf_hash(&n.to_be_bytes())).collect();
        for size in 0..=leaves.len() {
            let joined = join(&leaves[..size], None).unwrap_or_else(empty_root);
            assert_eq!(joined, by_definition(&leaves[..size]), "of {size} entries");
        }
    }

    #[test]
    fn known_hashes_come_out() {
        // From the test vectors of certificate transparency's own implementation.
        let cases = [
            (empty_root(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            (leaf_hash(b""), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
        ];
        for (hash, expected) in cases {
            assert_eq!(hex::encode(hash), expected);
        }
    }
}
