//! The file `keys.toml` in the data directory.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use toml::{Table, Value};

use super::{Keys, KeysError, Role};
use crate::session::Sessions;

const FILE: &str = "keys.toml";
const SESSION_SECRET: &str = "session_secret";

/// What the file may say.
pub(super) const KNOWN: &str = "coordinator, operator, auditor and session_secret";

/// How a key that we made begins, so that a leaked one is recognised.
const PREFIX: &str = "pk_";

/// The keys as they stand in the file: for a client on the same machine. Never shown.
pub struct KeyFile {
    /// Keys of coordinators.
    pub coordinator: Vec<String>,
    /// Keys of operators.
    pub operator: Vec<String>,
    /// Keys of auditors.
    pub auditor: Vec<String>,
    session_secret: [u8; 32],
}

impl std::fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyFile(..)")
    }
}

/// Reads the keys of a data directory, and makes them where there are none. `shared_secret` is a
/// further coordinator key, from the environment. Answers the file too when it was just made, for
/// the person who starts the server to be told.
///
/// # Errors
/// When the keys cannot be made, written, read or used.
pub fn open(
    data: &Path,
    shared_secret: Option<&str>,
) -> Result<(Keys, Option<PathBuf>), KeysError> {
    let path = data.join(FILE);
    let missing = fs::symlink_metadata(&path).is_err_and(|e| e.kind() == io::ErrorKind::NotFound);
    if missing {
        create(data, &path)?;
    }
    let mut keys = read_file(data)?.keys()?;
    warn_of_readers(&path);
    if let Some(secret) = shared_secret {
        keys.add(Role::Coordinator, secret)?;
    }
    Ok((keys, missing.then_some(path)))
}

/// Reads the key file of a data directory.
///
/// # Errors
/// When it is missing, cannot be read, or says something unknown.
pub fn read_file(data: &Path) -> Result<KeyFile, KeysError> {
    let path = data.join(FILE);
    match fs::read_to_string(&path) {
        Ok(text) => KeyFile::parse(path, &text),
        Err(source) => Err(KeysError::Read { path, source }),
    }
}

/// Tells the operator when others on the machine can read the keys: a restored backup, or a copy.
fn warn_of_readers(path: &Path) {
    let mode = fs::metadata(path).map(|found| found.permissions().mode());
    if mode.is_ok_and(|mode| mode & 0o077 != 0) {
        tracing::warn!(path = %path.display(), "others can read or write the keys; set mode 0600");
    }
}

impl KeyFile {
    fn parse(path: PathBuf, text: &str) -> Result<Self, KeysError> {
        // The parser's own words quote the line, and with it a key.
        let table: Table = match text.parse::<Table>() {
            Ok(table) => table,
            Err(error) => {
                let start = error.span().map_or(0, |span| span.start);
                let line = 1 + text.bytes().take(start).filter(|b| *b == b'\n').count();
                return Err(KeysError::Syntax { path, line });
            }
        };
        let roles = Role::ALL.map(Role::as_str);
        let known = |key: &str| key == SESSION_SECRET || roles.contains(&key);
        if let Some(key) = table.keys().find(|key| !known(key)) {
            let key = key.clone();
            return Err(KeysError::UnknownKey { path, key });
        }
        let wrong = |key, expected| KeysError::WrongType {
            path: path.clone(),
            key,
            expected,
        };
        let of = |role: Role| {
            let expected = "an array of texts";
            strings(table.get(role.as_str())).ok_or_else(|| wrong(role.as_str(), expected))
        };
        Ok(Self {
            coordinator: of(Role::Coordinator)?,
            operator: of(Role::Operator)?,
            auditor: of(Role::Auditor)?,
            session_secret: match table.get(SESSION_SECRET) {
                // Without a lasting secret, sessions last until the next start.
                None => random()?,
                Some(value) => secret(value)
                    .ok_or_else(|| wrong(SESSION_SECRET, "the text of 32 bytes in base64url"))?,
            },
        })
    }

    /// The keys of a role.
    #[must_use]
    pub fn of(&self, role: Role) -> &[String] {
        match role {
            Role::Coordinator => &self.coordinator,
            Role::Operator => &self.operator,
            Role::Auditor => &self.auditor,
        }
    }

    fn keys(&self) -> Result<Keys, KeysError> {
        let mut keys = Keys {
            known: Vec::new(),
            sessions: Sessions::new(&self.session_secret),
        };
        for role in Role::ALL {
            self.of(role)
                .iter()
                .try_for_each(|key| keys.add(role, key))?;
        }
        Ok(keys)
    }
}

fn strings(value: Option<&Value>) -> Option<Vec<String>> {
    let Some(value) = value else {
        return Some(Vec::new());
    };
    let texts = value.as_array()?.iter();
    texts.map(|text| text.as_str().map(str::to_owned)).collect()
}

fn secret(value: &Value) -> Option<[u8; 32]> {
    URL_SAFE_NO_PAD
        .decode(value.as_str()?)
        .ok()?
        .try_into()
        .ok()
}

fn random() -> Result<[u8; 32], KeysError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(KeysError::Random)?;
    Ok(bytes)
}

fn create(data: &Path, path: &Path) -> Result<(), KeysError> {
    let mut text = String::from("# Whoever reads this file may act in each role's name.\n");
    for role in Role::ALL {
        let key = URL_SAFE_NO_PAD.encode(random()?);
        text += &format!("{} = [\"{PREFIX}{key}\"]\n", role.as_str());
    }
    let secret = URL_SAFE_NO_PAD.encode(random()?);
    text += &format!("{SESSION_SECRET} = \"{secret}\"\n");
    write(data, path, &text).map_err(|source| KeysError::Write {
        path: path.to_owned(),
        source,
    })
}

/// Writes the file whole or not at all, for nobody else to read, durably.
fn write(data: &Path, path: &Path, text: &str) -> io::Result<()> {
    let draft = path.with_extension("toml.new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(&draft)?;
    // The mode above counts only for a file that was not there.
    file.set_permissions(Permissions::from_mode(0o600))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    File::open(data)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use purser_events::Actor;
    use tempfile::TempDir;

    fn directory() -> TempDir {
        tempfile::tempdir().expect("a directory")
    }

    fn opened(text: &str) -> Result<Keys, KeysError> {
        let data = directory();
        fs::write(data.path().join(FILE), text).expect("written");
        open(data.path(), None).map(|(keys, made)| {
            assert_eq!(made, None);
            keys
        })
    }

    fn role(keys: &Keys, key: &str) -> Option<Role> {
        keys.authenticate(key).map(|principal| principal.role)
    }

    #[test]
    fn the_first_start_makes_keys_that_the_next_one_finds() {
        let data = directory();
        let (first, made) = open(data.path(), None).expect("made");
        let path = made.expect("told where");
        assert_eq!(path, data.path().join("keys.toml"));
        let mode = fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let (second, made) = open(data.path(), None).expect("read");
        assert_eq!(made, None);
        let file = read_file(data.path()).expect("read");
        for expected in Role::ALL {
            let [key] = file.of(expected) else {
                panic!("one key each");
            };
            assert!(key.starts_with("pk_") && key.len() == 46, "32 bytes each");
            assert_eq!(role(&first, key), Some(expected));
            assert_eq!(first.authenticate(key), second.authenticate(key));
        }
        let token = first.sessions().issue(crate::session::Proved {
            worker: purser_events::WorkerNo(4),
            session: 2,
            until_ms: 0,
        });
        assert!(second.sessions().verify(&token).is_some());
        let names = fs::read_dir(data.path()).expect("listed").count();
        assert_eq!(names, 1, "no draft is left");
    }

    #[test]
    fn two_directories_have_different_keys() {
        let (one, other) = (directory(), directory());
        let (keys, _) = open(one.path(), None).expect("made");
        open(other.path(), None).expect("made");
        let foreign = read_file(other.path()).expect("read");
        assert_eq!(role(&keys, &foreign.operator[0]), None);
    }

    #[test]
    fn a_directory_that_is_not_there_is_an_error() {
        let data = directory();
        let error = open(&data.path().join("no"), None).expect_err("refused");
        assert!(matches!(error, KeysError::Write { .. }));
    }

    #[test]
    fn several_keys_of_a_role_are_valid_at_once() {
        let keys = opened("coordinator = ['a', 'b']\nauditor = ['c']").expect("read");
        assert_eq!(role(&keys, "a"), Some(Role::Coordinator));
        assert_eq!(role(&keys, "b"), Some(Role::Coordinator));
        assert_eq!(role(&keys, "c"), Some(Role::Auditor));
        let tag = |key: &str| keys.authenticate(key).expect("known").tag;
        assert_ne!(tag("a"), tag("b"));
        for other in ["", "A", "ab", "a ", "d"] {
            assert_eq!(role(&keys, other), None, "{other:?}");
        }
    }

    #[test]
    fn the_environment_adds_a_coordinator() {
        let data = directory();
        let (keys, _) = open(data.path(), Some("from-outside")).expect("made");
        assert_eq!(role(&keys, "from-outside"), Some(Role::Coordinator));
        let file = read_file(data.path()).expect("read");
        assert_eq!(file.coordinator.len(), 1, "it is not written down");
        let error = open(data.path(), Some(&file.auditor[0])).expect_err("refused");
        assert!(matches!(error, KeysError::TwoRoles { .. }));
        assert!(open(data.path(), Some("")).is_err());
    }

    #[test]
    fn envelopes_name_who_writes() {
        let keys = opened("coordinator = ['a']\noperator = ['b']\nauditor = ['c']").expect("read");
        let actor = |key: &str| keys.authenticate(key).expect("known").actor();
        assert!(matches!(actor("a"), Some(Actor::Coordinator(_))));
        assert!(matches!(actor("b"), Some(Actor::Operator(_))));
        assert_eq!(actor("c"), None);
    }

    #[test]
    fn what_is_wrong_with_the_file_is_said_without_its_secrets() {
        let cases = [
            ("coordinator = ['s3cret'", "line 1"),
            ("operator = []\nauditor = ['s3cret]", "line 2"),
            ("coordinators = ['s3cret']", "coordinators"),
            ("[coordinator]\nkey = 's3cret'", "coordinator in"),
            ("coordinator = 's3cret'", "coordinator in"),
            ("operator = ['s3cret', 5]", "operator in"),
            ("session_secret = 's3cret'", "session_secret in"),
            ("operator = [\"s3cret\\u0007\"]", "role operator"),
            ("operator = ['s3cret\u{e9}']", "role operator"),
            ("operator = ['']", "role operator"),
            (
                "operator = ['s3cret']\nauditor = ['s3cret']",
                "operator and auditor",
            ),
        ];
        for (text, expected) in cases {
            let error = opened(text).expect_err(text);
            let mut said = format!("{error:?} {error}");
            let mut source = std::error::Error::source(&error);
            while let Some(cause) = source {
                said += &format!(" {cause:?} {cause}");
                source = cause.source();
            }
            assert!(!said.contains("s3cret"), "{said}");
            assert!(error.to_string().contains(expected), "{said}");
        }
    }

    #[test]
    fn keys_are_never_shown() {
        let keys = opened("coordinator = ['s3cret']").expect("read");
        assert!(!format!("{keys:?}").contains("s3cret"));
        let data = directory();
        open(data.path(), None).expect("made");
        let file = read_file(data.path()).expect("read");
        assert_eq!(format!("{file:?}"), "KeyFile(..)");
    }

    #[test]
    fn without_a_lasting_secret_sessions_last_until_the_next_start() {
        let keys = opened("coordinator = ['a']").expect("read");
        let again = opened("coordinator = ['a']").expect("read");
        let token = keys.sessions().issue(crate::session::Proved {
            worker: purser_events::WorkerNo(1),
            session: 1,
            until_ms: 0,
        });
        assert!(keys.sessions().verify(&token).is_some());
        assert!(again.sessions().verify(&token).is_none());
    }
}
