//! Where this server stands, for probes of the regions that workers claim.

use std::collections::BTreeMap;

use purser_events::Label;
use purser_projections::matching::contains;
use serde::{Deserialize, Serialize};

use super::ConfigError;
use super::keys::Config;
use super::value::{Setting, ValueError, list_setting};

/// No two places on earth are farther apart, in kilometres.
const KM_MAX: u32 = 20_040;

/// A region: segments between dashes, none of them empty.
fn region(text: &str) -> Option<Label> {
    let odd = |c: char| c.is_whitespace() || matches!(c, ',' | '=');
    if text.split('-').any(str::is_empty) || text.contains(odd) {
        return None;
    }
    Label::new(text).ok()
}

/// The region that this server stands in; an empty text is none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProbeRegion(Option<Label>);

impl TryFrom<String> for ProbeRegion {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        Self::from_text(&text)
    }
}

impl From<ProbeRegion> for String {
    fn from(ProbeRegion(region): ProbeRegion) -> Self {
        region.map_or_else(Self::new, |region| region.to_string())
    }
}

impl Setting for ProbeRegion {
    type Effective = Self;

    fn from_text(text: &str) -> Result<Self, ValueError> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let region = region(text).ok_or(ValueError::Region)?;
        Ok(Self(Some(region)))
    }

    fn effective(value: Option<Self>) -> Self {
        value.unwrap_or_default()
    }
}

/// How far regions are from here at least, in kilometres; a list of texts in `purser.toml`,
/// separated by commas in a variable.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Distances(BTreeMap<Label, u32>);

impl Distances {
    fn read<'a>(texts: impl Iterator<Item = &'a str>) -> Result<Self, ValueError> {
        let mut table = BTreeMap::new();
        for text in texts {
            let (name, km) = text.split_once('=').ok_or(ValueError::Distance)?;
            let name = region(name).ok_or(ValueError::Distance)?;
            let km = km.parse().map_err(|_| ValueError::Distance)?;
            if !(1..=KM_MAX).contains(&km) {
                return Err(ValueError::Distance);
            }
            if table.insert(name, km).is_some() {
                return Err(ValueError::TwiceFar);
            }
        }
        Ok(Self(table))
    }

    /// How far a region is: as far as the smallest one of the table that it is a part of.
    fn of(&self, region: &str) -> Option<u32> {
        let around = self
            .0
            .iter()
            .filter(|(name, _)| contains(name.as_str(), region));
        let smallest = around.max_by_key(|(name, _)| name.as_str().len());
        smallest.map(|(_, km)| *km)
    }
}

impl From<Distances> for Vec<String> {
    fn from(distances: Distances) -> Self {
        let each = distances.0.into_iter();
        each.map(|(name, km)| format!("{name}={km}")).collect()
    }
}

list_setting!(Distances);

/// Where this server stands, and how far other regions are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vantage {
    /// The region that it stands in.
    pub region: Label,
    /// How far others are.
    pub distances: Distances,
}

/// What can be found from here about a claimed region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bearing {
    /// This server stands in it: who is near is there.
    Here,
    /// It is so many kilometres away at least: who is nearer is elsewhere.
    Away(u32),
}

impl Bearing {
    /// How far the region is, in kilometres; `None` where this server stands in it.
    #[must_use]
    pub const fn distance_km(self) -> Option<u32> {
        match self {
            Self::Here => None,
            Self::Away(km) => Some(km),
        }
    }
}

impl Vantage {
    /// What a configuration says; `None` where it names no region.
    #[must_use]
    pub fn of(config: &Config) -> Option<Self> {
        let region = config.probe_region.0.clone()?;
        let distances = config.probe_distances_km.clone();
        Some(Self { region, distances })
    }

    /// What can be found from here about a claimed region; `None` where that is nothing.
    #[must_use]
    pub fn bearing(&self, claimed: &Label) -> Option<Bearing> {
        if contains(claimed.as_str(), self.region.as_str()) {
            return Some(Bearing::Here);
        }
        self.distances.of(claimed.as_str()).map(Bearing::Away)
    }
}

/// Refuses distances that mean nothing, or that would contradict whoever tells the truth.
pub(super) fn check(config: &Config) -> Result<(), ConfigError> {
    let distances = &config.probe_distances_km.0;
    let Some(own) = &config.probe_region.0 else {
        return match distances.is_empty() {
            true => Ok(()),
            false => Err(ConfigError::DistancesFromNowhere),
        };
    };
    let around = |name: &&Label| contains(name.as_str(), own.as_str());
    match distances.keys().find(around) {
        None => Ok(()),
        Some(around) => Err(ConfigError::DistanceToHere {
            region: around.clone(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(text: &str) -> Label {
        Label::new(text).expect("a label")
    }

    fn vantage(region: &str, distances: &str) -> Vantage {
        Vantage {
            region: label(region),
            distances: Distances::from_text(distances).expect("distances"),
        }
    }

    #[test]
    fn the_smallest_region_around_a_claim_says_how_far_it_is() {
        let vantage = vantage(
            "eu-west",
            "us=5500, us-west=8000,us-west-2=8200, oceania=15000",
        );
        for (claimed, bearing) in [
            ("eu", Some(Bearing::Here)),
            ("eu-west", Some(Bearing::Here)),
            ("eu-west-1", None),
            ("eu-w", None),
            ("us", Some(Bearing::Away(5_500))),
            ("us-east", Some(Bearing::Away(5_500))),
            ("us-west", Some(Bearing::Away(8_000))),
            ("us-west-1", Some(Bearing::Away(8_000))),
            ("us-west-2", Some(Bearing::Away(8_200))),
            ("us-west-2-a", Some(Bearing::Away(8_200))),
            ("us-west-22", Some(Bearing::Away(8_000))),
            ("usa", None),
            ("asia", None),
        ] {
            assert_eq!(vantage.bearing(&label(claimed)), bearing, "{claimed}");
        }
    }

    #[test]
    fn regions_and_distances_are_exact_or_refused() {
        for text in [
            "eu west", "-eu", "eu-", "eu--west", "eu,us", "eu=1", "e\u{7}",
        ] {
            assert_eq!(
                ProbeRegion::from_text(text),
                Err(ValueError::Region),
                "{text}"
            );
        }
        assert_eq!(ProbeRegion::from_text(""), Ok(ProbeRegion::default()));
        for text in [
            "us", "us=", "=1", "us=0", "us=20041", "us=-1", "us=1.5", "us=1,",
        ] {
            assert_eq!(
                Distances::from_text(text),
                Err(ValueError::Distance),
                "{text}"
            );
        }
        assert_eq!(Distances::from_text("us=1,us=2"), Err(ValueError::TwiceFar));
        let read = Distances::from_text("us=20040, eu-west=1").expect("distances");
        let texts: Vec<String> = read.clone().into();
        assert_eq!(texts, ["eu-west=1", "us=20040"]);
        assert_eq!(Distances::try_from(texts), Ok(read));
    }
}
