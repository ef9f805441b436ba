//! Hashes and ids in stored form: as large integers, which are read in one step, where an array
//! would be read byte by byte.

/// Sixteen bytes as one integer.
pub(crate) mod sixteen {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8; 16], to: S) -> Result<S::Ok, S::Error> {
        u128::from_le_bytes(*bytes).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<[u8; 16], D::Error> {
        u128::deserialize(from).map(u128::to_le_bytes)
    }
}

/// Thirty-two bytes as two integers.
pub(crate) mod thirty_two {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8; 32], to: S) -> Result<S::Ok, S::Error> {
        let (first, last) = bytes.split_at(16);
        let half = |half: &[u8]| half.try_into().map(u128::from_le_bytes);
        let first = half(first).map_err(serde::ser::Error::custom)?;
        let last = half(last).map_err(serde::ser::Error::custom)?;
        (first, last).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<[u8; 32], D::Error> {
        let (first, last) = <(u128, u128)>::deserialize(from)?;
        let mut bytes = [0; 32];
        bytes[..16].copy_from_slice(&first.to_le_bytes());
        bytes[16..].copy_from_slice(&last.to_le_bytes());
        Ok(bytes)
    }
}
