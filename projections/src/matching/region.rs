//! Regions as they are written: segments between dashes, the widest first.

/// Whether a worker that claims `claimed` is within the region `wanted`: the same, or a part of it.
#[must_use]
pub fn contains(wanted: &str, claimed: &str) -> bool {
    match claimed.strip_prefix(wanted) {
        Some(rest) => rest.is_empty() || rest.starts_with('-'),
        None => false,
    }
}

/// The first segment.
#[must_use]
pub fn top_level(region: &str) -> &str {
    region.split('-').next().unwrap_or(region)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_contains_itself_and_its_parts() {
        let table = [
            ("eu", "eu", true),
            ("eu", "eu-west", true),
            ("eu", "eu-west-1", true),
            ("eu-west", "eu-west-1", true),
            ("eu", "eur", false),
            ("eu-west", "eu", false),
            ("eu-west", "eu-western", false),
            ("us", "eu", false),
        ];
        for (wanted, claimed, within) in table {
            assert_eq!(contains(wanted, claimed), within, "{claimed} in {wanted}");
        }
        assert_eq!((top_level("eu-west-1"), top_level("eu")), ("eu", "eu"));
    }
}
