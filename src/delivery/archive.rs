//! The copies of delivered files.
//!
//! A file is copied before its events are handed to the writer: what stands in the books stands in
//! the archive too. The copy has the file's key behind the archive's prefix. A file that was
//! written anew takes its place there; what stood there before is kept under [`REPLACED`].

use std::sync::Arc;

use axum::body::Bytes;
use sha2::{Digest, Sha256};

use crate::hex::hex;
use crate::objects::{Created, ObjectError, Objects};

/// What the keys of copies begin with whose file was written anew.
const REPLACED: &str = "replaced/";

const MEDIA: &str = "application/json";

/// Where delivered files are copied to.
#[derive(Clone, Debug)]
pub struct Archive {
    /// The bucket.
    pub bucket: Arc<dyn Objects>,
    /// What the keys of the copies begin with.
    pub prefix: String,
}

impl Archive {
    /// Copies a file. It is there, as it was delivered, when this returns `Ok`. `is_anew` says
    /// that a file of this key was copied before.
    pub(super) async fn copy(
        &self,
        key: &str,
        bytes: &Bytes,
        is_anew: bool,
    ) -> Result<(), ObjectError> {
        let place = format!("{}{key}", self.prefix);
        if !is_anew {
            match self.bucket.create(&place, bytes.clone(), MEDIA).await? {
                Created::Written | Created::Same => return Ok(()),
                Created::Other => {}
            }
        }
        self.keep(key, &place, bytes).await?;
        self.bucket.put(&place, bytes.clone(), MEDIA).await
    }

    /// Keeps what stands in the place of a copy, unless it is the copy. A crash afterwards leaves
    /// two copies of it, which does no harm.
    async fn keep(&self, key: &str, place: &str, bytes: &Bytes) -> Result<(), ObjectError> {
        let before = match self.bucket.get(place, u64::MAX).await {
            Ok(before) if before.bytes == *bytes => return Ok(()),
            Ok(before) => before.bytes,
            Err(ObjectError::NotFound { .. }) => return Ok(()),
            Err(error) => return Err(error),
        };
        let digest = hex(&Sha256::digest(&before));
        let kept = format!("{REPLACED}{}{key}/{digest}.json", self.prefix);
        self.bucket.create(&kept, before, MEDIA).await.map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::{Folder, list_all};

    #[tokio::test]
    async fn a_file_that_is_written_anew_leaves_its_old_copy() {
        let root = tempfile::tempdir().expect("a directory can be made");
        let bucket: Arc<dyn Objects> = Arc::new(Folder::new(root.path()));
        let archive = Archive {
            bucket: Arc::clone(&bucket),
            prefix: "archive/".into(),
        };
        let copy = async |bytes: &'static [u8], is_anew| {
            let bytes = Bytes::from_static(bytes);
            let copied = archive.copy("a/b.json", &bytes, is_anew).await;
            copied.expect("it is copied");
        };
        copy(b"one", false).await;
        copy(b"one", true).await;
        copy(b"two", true).await;
        copy(b"three", false).await;
        copy(b"three", false).await;
        let listed = list_all(&*bucket, "").await.expect("it is listed");
        let (copies, kept): (Vec<_>, Vec<_>) =
            listed.iter().partition(|one| one.key == "archive/a/b.json");
        assert_eq!((copies.len(), kept.len()), (1, 2));
        assert!(
            kept.iter()
                .all(|one| one.key.starts_with("replaced/archive/a/b.json/"))
        );
        let newest = bucket
            .get("archive/a/b.json", 9)
            .await
            .expect("it is there");
        assert_eq!(newest.bytes, Bytes::from_static(b"three"));
    }
}
