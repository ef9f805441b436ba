//! Which job a payment is for, where the node does not say so itself.

use purser_events::Label;

/// The longest id of a job that a request may name, in bytes.
pub const ID_BYTES_MAX: usize = 128;

/// What the id of a job begins with that stands for all of a payer's work of a capability.
pub const POOL: &str = "cap:";

/// What the id of a job begins with that is an authenticated session.
const SESSION: &str = "sess:";

/// What a request says of its job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Named<'a> {
    /// The id of an authenticated session.
    pub session: Option<&'a str>,
    /// The stream that a control or top-up request names.
    pub stream: Option<&'a str>,
    /// The request's own id.
    pub id: Option<&'a str>,
    /// The capability that it asks for.
    pub capability: Option<&'a str>,
    /// Whether the payer is known to keep one balance per job: it said so, or signed the id, or
    /// pays under parameters that were quoted for it.
    pub by_job: bool,
}

/// The job that a request is about: the first rule that applies. `is_open` says whether the payer
/// has an open job of an id. `None` where the request names nothing to go by.
#[must_use]
pub fn job_of(named: &Named<'_>, is_open: impl Fn(&Label) -> bool) -> Option<Label> {
    if let Some(session) = named.session {
        return own_id(session).and_then(|_| Label::new(&format!("{SESSION}{session}")).ok());
    }
    let stream = named.stream.and_then(own_id).filter(|id| is_open(id));
    if stream.is_some() {
        return stream;
    }
    let id = named.id.and_then(own_id);
    let id = id.filter(|id| named.by_job || is_open(id));
    id.or_else(|| pool_of(named.capability?))
}

/// An id that a payer may give a job: printable, and none of those that stand for something else.
#[must_use]
pub fn own_id(text: &str) -> Option<Label> {
    let is_ours = text.starts_with(POOL) || text.starts_with(SESSION);
    if is_ours || text.len() > ID_BYTES_MAX {
        return None;
    }
    Label::new(text).ok()
}

/// The job that stands for all of a payer's work of a capability: the reference node's bucket.
#[must_use]
pub fn pool_of(capability: &str) -> Option<Label> {
    if capability.len() > ID_BYTES_MAX || capability.is_empty() {
        return None;
    }
    Label::new(&format!("{POOL}{capability}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(named: &Named<'_>, open: &[&str]) -> String {
        let is_open = |id: &Label| open.contains(&id.as_str());
        job_of(named, is_open).map_or_else(String::new, |job| job.to_string())
    }

    #[test]
    fn the_first_rule_that_applies_names_the_job() {
        let all = Named {
            session: Some("s"),
            stream: Some("t"),
            id: Some("i"),
            capability: Some("c"),
            by_job: true,
        };
        let without_session = Named {
            session: None,
            ..all
        };
        let old = Named {
            stream: None,
            by_job: false,
            ..without_session
        };
        let table: &[(Named<'_>, &[&str], &str)] = &[
            (all, &["t", "i"], "sess:s"),
            (without_session, &["t", "i"], "t"),
            (without_session, &["i"], "i"),
            (without_session, &[], "i"),
            (old, &["i"], "i"),
            (old, &[], "cap:c"),
            (Named { id: None, ..old }, &[], "cap:c"),
            (
                Named {
                    id: Some(""),
                    ..without_session
                },
                &[],
                "cap:c",
            ),
            (
                Named {
                    id: Some("a\nb"),
                    ..without_session
                },
                &[],
                "cap:c",
            ),
            (Named::default(), &[], ""),
        ];
        for (named, open, expected) in table {
            assert_eq!(job(named, open), *expected, "{named:?} {open:?}");
        }
    }

    #[test]
    fn no_id_of_a_payer_is_taken_for_a_pool_or_a_session() {
        let named = Named {
            id: Some("cap:other"),
            capability: Some("c"),
            by_job: true,
            ..Named::default()
        };
        assert_eq!(job(&named, &["cap:other"]), "cap:c");
        assert_eq!(own_id(&"x".repeat(129)), None);
        assert!(own_id(&"x".repeat(128)).is_some());
    }
}
