//! Delivered files in a directory tree: the path below the tree's root is the key.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// A file, and the key that it was delivered under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) key: String,
    pub(super) path: PathBuf,
}

/// Why the files of a tree are not known.
#[derive(Debug, thiserror::Error)]
pub enum WalkError {
    /// A directory cannot be listed.
    #[error("cannot list {path}")]
    Unlisted {
        /// The directory.
        path: PathBuf,
        /// The system's word.
        #[source]
        source: io::Error,
    },
    /// A name is not UTF-8, as keys are.
    #[error("the name of {path} is not UTF-8, as keys are")]
    Name {
        /// The file.
        path: PathBuf,
    },
    /// The list of deliveries cannot be read.
    #[error("cannot read the list of deliveries {path}")]
    Order {
        /// The list.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: io::Error,
    },
    /// The list of deliveries names a path outside the tree.
    #[error("the list of deliveries leaves the tree: {key}")]
    Outside {
        /// The key.
        key: String,
    },
}

/// Every file below `root`, by key. Keys are the paths behind `prefix`.
pub(super) fn tree(root: &Path, prefix: &str) -> Result<Vec<Found>, WalkError> {
    let mut found = Vec::new();
    if root.is_file() {
        let name = text(root.file_name().unwrap_or_default(), root)?;
        let key = format!("{prefix}{name}");
        found.push(Found {
            key,
            path: root.to_owned(),
        });
    } else {
        list(root, prefix, &mut found)?;
    }
    found.sort_unstable_by(|a, b| a.key.cmp(&b.key));
    Ok(found)
}

fn list(directory: &Path, prefix: &str, found: &mut Vec<Found>) -> Result<(), WalkError> {
    let unlisted = |source| WalkError::Unlisted {
        path: directory.to_owned(),
        source,
    };
    for entry in fs::read_dir(directory).map_err(unlisted)? {
        let entry = entry.map_err(unlisted)?;
        let path = entry.path();
        let name = text(&entry.file_name(), &path)?;
        // Links to directories are not followed: they may lead in a circle.
        if entry.file_type().map_err(unlisted)?.is_dir() {
            list(&path, &format!("{prefix}{name}/"), found)?;
        } else if path.is_file() {
            let key = format!("{prefix}{name}");
            found.push(Found { key, path });
        }
    }
    Ok(())
}

fn text(name: &std::ffi::OsStr, path: &Path) -> Result<String, WalkError> {
    name.to_str()
        .map(str::to_owned)
        .ok_or_else(|| WalkError::Name {
            path: path.to_owned(),
        })
}

/// One line of a list of deliveries. What else it says, such as a time, is of no interest.
#[derive(Deserialize)]
struct Delivery {
    tree: String,
    key: String,
}

/// The files of a list of deliveries, in its order: each lies at `root/tree/key`.
pub(super) fn ordered(root: &Path, order: &Path) -> Result<Vec<Found>, WalkError> {
    let wrong = |source| WalkError::Order {
        path: order.to_owned(),
        source,
    };
    let bytes = fs::read(order).map_err(wrong)?;
    let deliveries: Vec<Delivery> =
        serde_json::from_slice(&bytes).map_err(|error| wrong(error.into()))?;
    deliveries
        .into_iter()
        .map(|delivery| located(root, delivery))
        .collect()
}

fn located(root: &Path, delivery: Delivery) -> Result<Found, WalkError> {
    let Delivery { tree, key } = delivery;
    let below = Path::new(&tree).join(&key);
    let inside = below
        .components()
        .all(|part| matches!(part, std::path::Component::Normal(_)));
    if !inside {
        return Err(WalkError::Outside { key });
    }
    Ok(Found {
        key,
        path: root.join(below),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory() -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("a directory can be made");
        for name in ["b/c.json", "b/a/d.json", "e.json"] {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().expect("it has one")).expect("made");
            fs::write(path, name).expect("written");
        }
        dir
    }

    fn keys(found: &[Found]) -> Vec<&str> {
        found.iter().map(|one| one.key.as_str()).collect()
    }

    #[test]
    fn the_path_below_the_root_is_the_key() {
        let dir = directory();
        let found = tree(dir.path(), "").expect("the tree can be read");
        assert_eq!(keys(&found), ["b/a/d.json", "b/c.json", "e.json"]);
        for one in &found {
            assert_eq!(fs::read_to_string(&one.path).expect("it is there"), one.key);
        }
    }

    #[test]
    fn a_single_file_is_a_tree_of_one() {
        let dir = directory();
        let found = tree(&dir.path().join("b/c.json"), "b/").expect("the file can be read");
        assert_eq!(keys(&found), ["b/c.json"]);
    }

    #[test]
    fn a_list_of_deliveries_gives_the_order_and_may_repeat() {
        let dir = directory();
        let order = dir.path().join("order.json");
        let list = r#"[{"tree":"b","key":"c.json","at":"x"},{"tree":"b","key":"a/d.json"},
                       {"tree":"b","key":"c.json"}]"#;
        fs::write(&order, list).expect("written");
        let found = ordered(dir.path(), &order).expect("the list can be read");
        assert_eq!(keys(&found), ["c.json", "a/d.json", "c.json"]);
        assert!(found.iter().all(|one| one.path.is_file()));
    }

    #[test]
    fn a_list_of_deliveries_does_not_leave_its_tree() {
        let dir = directory();
        let order = dir.path().join("order.json");
        for key in ["../e.json", "/etc/passwd"] {
            let list = format!(r#"[{{"tree":"b","key":"{key}"}}]"#);
            fs::write(&order, list).expect("written");
            assert!(matches!(
                ordered(dir.path(), &order),
                Err(WalkError::Outside { .. })
            ));
        }
        fs::write(&order, "{}").expect("written");
        assert!(matches!(
            ordered(dir.path(), &order),
            Err(WalkError::Order { .. })
        ));
    }

    #[test]
    fn what_is_not_there_cannot_be_listed() {
        let missing = tree(Path::new("/no/such/tree"), "");
        assert!(matches!(missing, Err(WalkError::Unlisted { .. })));
    }
}
