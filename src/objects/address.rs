//! `s3://bucket/prefix`.

use std::str::FromStr;

/// A bucket, and what the keys in it begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The bucket.
    pub bucket: String,
    /// What keys begin with; empty for all of the bucket.
    pub prefix: String,
}

/// A text that is no address of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("takes s3://BUCKET or s3://BUCKET/PREFIX")]
pub struct AddressError;

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let rest = text.strip_prefix("s3://").ok_or(AddressError)?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if !is_bucket(bucket) {
            return Err(AddressError);
        }
        Ok(Self {
            bucket: bucket.into(),
            prefix: prefix.into(),
        })
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.prefix)
    }
}

/// Whether a text can be the name of a bucket.
#[must_use]
pub(super) fn is_bucket(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    (3..=63).contains(&text.len()) && text.bytes().all(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_bucket_and_what_its_keys_begin_with() {
        let read = |text: &str| text.parse::<Address>().map(|it| (it.bucket, it.prefix));
        let is = |bucket: &str, prefix: &str| Ok((bucket.to_owned(), prefix.to_owned()));
        assert_eq!(read("s3://pool-events"), is("pool-events", ""));
        assert_eq!(read("s3://pool-events/"), is("pool-events", ""));
        assert_eq!(read("s3://pool/eu/ai/"), is("pool", "eu/ai/"));
        for bad in [
            "",
            "pool",
            "s3://",
            "s3:///x",
            "s3://a b/",
            "http://pool/x",
            "s3://ab",
        ] {
            assert_eq!(read(bad), Err(AddressError), "{bad}");
        }
    }
}
