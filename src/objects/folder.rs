//! A directory that holds objects as files: their keys are the paths below it.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use axum::body::Bytes;
use futures_util::future::BoxFuture;

use super::{Created, Listed, Object, ObjectError, Objects, Page};

/// A directory that holds objects as files.
#[derive(Clone, Debug)]
pub struct Folder {
    root: PathBuf,
}

impl Folder {
    /// The directory; it is made when the first object is stored.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    fn path(&self, key: &str) -> Result<PathBuf, ObjectError> {
        let below = Path::new(key);
        let is_plain = below
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        if key.is_empty() || !is_plain {
            return Err(self.fault(key, &io::Error::other("the key is no path below it")));
        }
        Ok(self.root.join(below))
    }

    fn fault(&self, key: &str, error: &io::Error) -> ObjectError {
        if error.kind() == io::ErrorKind::NotFound {
            return ObjectError::NotFound {
                place: self.name(),
                key: key.into(),
            };
        }
        ObjectError::Failed {
            place: self.name(),
            why: format!("{key}: {error}"),
        }
    }

    fn walk(&self, below: &Path, into: &mut Vec<Listed>) -> io::Result<()> {
        let entries = match fs::read_dir(self.root.join(below)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let below = below.join(entry.file_name());
            let meta = entry.metadata()?;
            if meta.is_dir() {
                self.walk(&below, into)?;
            } else if let Some(key) = below.to_str().filter(|key| !key.ends_with(PART)) {
                let time = (meta.mtime(), meta.mtime_nsec());
                into.push(Listed {
                    key: key.to_owned(),
                    version: format!("{}@{}.{:09}", meta.len(), time.0, time.1),
                    bytes: meta.len(),
                });
            }
        }
        Ok(())
    }

    /// Writes beside the place and renames: a crash leaves the old bytes or the new ones.
    fn store(&self, key: &str, bytes: &[u8]) -> Result<(), ObjectError> {
        let path = self.path(key)?;
        let write = || -> io::Result<()> {
            let parent = path.parent().unwrap_or(&self.root);
            fs::create_dir_all(parent)?;
            let mut part = path.clone().into_os_string();
            part.push(PART);
            let mut file = fs::File::create(&part)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&part, &path)?;
            fs::File::open(parent)?.sync_all()
        };
        write().map_err(|error| self.fault(key, &error))
    }
}

/// What a file that is being written ends in.
const PART: &str = ".part";

impl Objects for Folder {
    fn name(&self) -> String {
        self.root.display().to_string()
    }

    fn list<'a>(
        &'a self,
        prefix: &'a str,
        _next: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Page, ObjectError>> {
        Box::pin(async move {
            let mut objects = Vec::new();
            let walked = self.walk(Path::new(""), &mut objects);
            walked.map_err(|error| self.fault(prefix, &error))?;
            objects.retain(|one| one.key.starts_with(prefix));
            objects.sort_unstable_by(|left, right| left.key.cmp(&right.key));
            let next = None;
            Ok(Page { objects, next })
        })
    }

    fn get<'a>(
        &'a self,
        key: &'a str,
        bytes_max: u64,
    ) -> BoxFuture<'a, Result<Object, ObjectError>> {
        Box::pin(async move {
            let bytes = fs::read(self.path(key)?).map_err(|error| self.fault(key, &error))?;
            if bytes.len() as u64 > bytes_max {
                let key = key.into();
                return Err(ObjectError::TooLarge { key, bytes_max });
            }
            Ok(Object {
                bytes: bytes.into(),
                etag: String::new(),
            })
        })
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        bytes: Bytes,
        _media: &'static str,
    ) -> BoxFuture<'a, Result<(), ObjectError>> {
        Box::pin(async move { self.store(key, &bytes) })
    }

    fn create<'a>(
        &'a self,
        key: &'a str,
        bytes: Bytes,
        _media: &'static str,
    ) -> BoxFuture<'a, Result<Created, ObjectError>> {
        Box::pin(async move {
            match fs::read(self.path(key)?) {
                Ok(found) if found == bytes => Ok(Created::Same),
                Ok(_) => Ok(Created::Other),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    self.store(key, &bytes).map(|()| Created::Written)
                }
                Err(error) => Err(self.fault(key, &error)),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::list_all;

    #[tokio::test]
    async fn objects_of_a_directory_are_its_files() {
        let root = tempfile::tempdir().expect("a directory can be made");
        let folder = Folder::new(root.path().join("new"));
        assert_eq!(list_all(&folder, "").await, Ok(vec![]));
        let bytes = Bytes::from_static(b"one");
        assert_eq!(folder.put("b/2", bytes.clone(), "x").await, Ok(()));
        let created = |key, bytes: &'static [u8]| folder.create(key, bytes.into(), "x");
        assert_eq!(created("a", b"one").await, Ok(Created::Written));
        assert_eq!(created("a", b"one").await, Ok(Created::Same));
        assert_eq!(created("a", b"two").await, Ok(Created::Other));
        let keys = list_all(&folder, "").await.expect("it can be listed");
        let keys: Vec<_> = keys.iter().map(|one| one.key.as_str()).collect();
        assert_eq!(keys, ["a", "b/2"]);
        let read = folder.get("b/2", 3).await.expect("it is there");
        assert_eq!(read.bytes, bytes);
        assert!(matches!(
            folder.get("b/2", 2).await,
            Err(ObjectError::TooLarge { .. })
        ));
        assert!(matches!(
            folder.get("c", 2).await,
            Err(ObjectError::NotFound { .. })
        ));
        for key in ["", "../x", "/etc/x", "a/../../x"] {
            let refused = folder.put(key, bytes.clone(), "x").await;
            assert!(matches!(refused, Err(ObjectError::Failed { .. })), "{key}");
        }
    }
}
