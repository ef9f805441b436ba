//! Reading JSON into typed wire forms, with an error that names what is wrong.

use serde::de::Deserialize;

use super::code::Code;
use super::error::Problem;

/// Reads one JSON object. Unknown fields are refused by the wire types themselves.
pub(crate) fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Problem> {
    // The wire types would take an array for an object, field by field.
    if body.trim_ascii_start().first() == Some(&b'[') {
        return Err(Problem::field(
            Code::InvalidField,
            "body",
            "must be a JSON object",
        ));
    }
    serde_json::from_slice(body).map_err(|error| explain::<T>(body, &error))
}

/// Says what is wrong. Reads the text a second time, with a note of the path: errors are rare.
#[cold]
fn explain<'a, T: Deserialize<'a>>(body: &'a [u8], error: &serde_json::Error) -> Problem {
    use serde_json::error::Category;
    match error.classify() {
        Category::Data => explain_data::<T>(body, error),
        _ if std::str::from_utf8(body).is_err() => Problem::new(Code::NotUtf8),
        _ if error.to_string().starts_with("recursion limit") => Problem::new(Code::TooDeep),
        _ => Problem::with(Code::MalformedJson, error.to_string()),
    }
}

fn explain_data<'a, T: Deserialize<'a>>(body: &'a [u8], error: &serde_json::Error) -> Problem {
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or(&text);
    let (code, at_field) = if text.starts_with("unknown field") {
        (Code::UnknownField, true)
    } else if text.starts_with("missing field") {
        (Code::MissingField, true)
    } else if text.starts_with("duplicate field") {
        (Code::DuplicateField, true)
    } else {
        (Code::InvalidField, false)
    };
    let path = path_of::<T>(body);
    let field = match quoted(text) {
        Some(name) if at_field => beside(&path, name),
        _ => path,
    };
    Problem::field(code, field, bounded(text))
}

/// The path to where reading stops.
fn path_of<'a, T: Deserialize<'a>>(body: &'a [u8]) -> String {
    let mut reader = serde_json::Deserializer::from_slice(body);
    match serde_path_to_error::deserialize::<_, T>(&mut reader) {
        Ok(_) => String::from("body"),
        Err(error) => {
            let path = error.path().to_string();
            if path == "." {
                String::from("body")
            } else {
                path
            }
        }
    }
}

/// The path of the field `name` whose parent or own path is `path`.
fn beside(path: &str, name: &str) -> String {
    if path == "body" || path == name {
        return name.to_owned();
    }
    match path.strip_suffix(name) {
        Some(parent) if parent.ends_with('.') => path.to_owned(),
        _ => format!("{path}.{name}"),
    }
}

/// The first word in backticks.
fn quoted(text: &str) -> Option<&str> {
    text.split('`').nth(1)
}

/// An error text may repeat what the caller sent: keep it short.
pub(crate) fn bounded(text: &str) -> String {
    const MAX: usize = 200;
    let cut = (0..=MAX.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at));
    let end = cut.unwrap_or(0);
    let mut short = text[..end].to_owned();
    if end < text.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[expect(dead_code, reason = "only its type matters")]
        count: u32,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[expect(dead_code, reason = "only its type matters")]
        inner: Option<Inner>,
    }

    fn code_and_field(body: &[u8]) -> (&'static str, String) {
        let problem = read::<Outer>(body).expect_err("the body is wrong");
        let field = problem.errors.first().map(|one| one.field.to_string());
        (problem.code.as_str(), field.unwrap_or_default())
    }

    #[test]
    fn each_defect_of_shape_has_its_code_and_names_the_field() {
        let deep = "[".repeat(100_000);
        let table: &[(&[u8], &str, &str)] = &[
            (b"", "malformed_json", ""),
            (b"{", "malformed_json", ""),
            (b"{} {}", "malformed_json", ""),
            (b"{\"inner\":\"\xff\"}", "not_utf8", ""),
            (b"[]", "invalid_field", "body"),
            (b"{\"other\":1}", "unknown_field", "other"),
            (b"{\"inner\":{\"other\":1}}", "unknown_field", "inner.other"),
            (b"{\"inner\":{}}", "missing_field", "inner.count"),
            (
                b"{\"inner\":null,\"inner\":null}",
                "duplicate_field",
                "inner",
            ),
            (
                b"{\"inner\":{\"count\":\"1\"}}",
                "invalid_field",
                "inner.count",
            ),
            (
                b"{\"inner\":{\"count\":-1}}",
                "invalid_field",
                "inner.count",
            ),
            (b"{\"inner\":{\"count\":1e400}}", "malformed_json", ""),
            (deep.as_bytes(), "invalid_field", "body"),
        ];
        for (body, code, field) in table {
            let found = code_and_field(body);
            let shown = String::from_utf8_lossy(&body[..body.len().min(60)]);
            assert_eq!((found.0, found.1.as_str()), (*code, *field), "{shown}");
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let deep = format!("{{\"inner\":{}", "[".repeat(100_000));
        let problem =
            read::<std::collections::BTreeMap<String, serde_json::Value>>(deep.as_bytes())
                .expect_err("the body is too deep");
        assert_eq!(problem.code, Code::TooDeep);
    }
}
