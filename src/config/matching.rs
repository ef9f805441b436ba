//! The weights of a match's score, as the pool hub writes them.

use std::fmt;
use std::str::FromStr;

use purser_events::matching::Weights;
use serde::{Deserialize, Serialize};

use super::value::{Setting, ValueError};

/// Weights as `cap:0.4,price:0.2,latency:0.2,trust:0.15,load:0.05`: each part once, in any order,
/// and one together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MatchWeights(Weights);

impl MatchWeights {
    /// The pool hub's.
    pub const DEFAULT: Self = Self(Weights {
        cap: 400_000,
        price: 200_000,
        latency: 200_000,
        trust: 150_000,
        load: 50_000,
    });

    /// The weights in millionths.
    #[must_use]
    pub const fn weights(self) -> Weights {
        self.0
    }
}

/// A decimal from 0 to 1 of at most six places, in millionths.
fn millionths(text: &str) -> Option<u32> {
    let (whole, places) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 1 || places.len() > 6 || !digits(whole) || !digits(places)
    {
        return None;
    }
    format!("{whole}{places:0<6}").parse().ok()
}

impl FromStr for MatchWeights {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        const NAMES: [&str; 5] = ["cap", "price", "latency", "trust", "load"];
        let mut parts = [None; NAMES.len()];
        for part in text.split(',') {
            let (name, share) = part.split_once(':').ok_or(ValueError::Weights)?;
            let at = NAMES.iter().position(|known| *known == name.trim());
            let place = at.map(|at| &mut parts[at]).ok_or(ValueError::Weights)?;
            let share = millionths(share.trim()).ok_or(ValueError::Weights)?;
            if place.replace(share).is_some() {
                return Err(ValueError::Weights);
            }
        }
        let [
            Some(cap),
            Some(price),
            Some(latency),
            Some(trust),
            Some(load),
        ] = parts
        else {
            return Err(ValueError::Weights);
        };
        let weights = Weights {
            cap,
            price,
            latency,
            trust,
            load,
        };
        if weights.whole() {
            Ok(Self(weights))
        } else {
            Err(ValueError::Weights)
        }
    }
}

impl TryFrom<String> for MatchWeights {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        text.parse()
    }
}

impl From<MatchWeights> for String {
    fn from(weights: MatchWeights) -> Self {
        weights.to_string()
    }
}

impl fmt::Display for MatchWeights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Weights {
            cap,
            price,
            latency,
            trust,
            load,
        } = self.0;
        let parts = [
            ("cap", cap),
            ("price", price),
            ("latency", latency),
            ("trust", trust),
            ("load", load),
        ];
        for (at, (name, share)) in parts.into_iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            let text = format!("{}.{:06}", share / 1_000_000, share % 1_000_000);
            let text = text.trim_end_matches('0').trim_end_matches('.');
            write!(f, "{comma}{name}:{text}")?;
        }
        Ok(())
    }
}

impl Setting for MatchWeights {
    type Effective = Self;

    fn from_text(text: &str) -> Result<Self, ValueError> {
        text.parse()
    }

    fn effective(value: Option<Self>) -> Self {
        value.expect("this key has a default")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_read_in_any_order_and_written_in_one() {
        let usual = "cap:0.4,price:0.2,latency:0.2,trust:0.15,load:0.05";
        assert_eq!(usual.parse(), Ok(MatchWeights::DEFAULT));
        assert_eq!(MatchWeights::DEFAULT.weights(), Weights::default());
        assert_eq!(MatchWeights::DEFAULT.to_string(), usual);
        let price = "load:0, trust:0, latency:0.000001, price:0.999999, cap:0";
        let price: MatchWeights = price.parse().expect("they are one together");
        assert_eq!(price.weights().latency, 1);
        assert_eq!(price.to_string().parse(), Ok(price));
    }

    #[test]
    fn what_is_not_one_together_or_not_there_is_refused() {
        for text in [
            "",
            "cap:1",
            "cap:0.4,price:0.2,latency:0.2,trust:0.15,load:0.06",
            "cap:0.4,price:0.2,latency:0.2,trust:0.15,load:0.05,load:0",
            "cap:0.4,price:0.2,latency:0.2,trust:0.15,weight:0.05",
            "cap:0.4000001,price:0.2,latency:0.2,trust:0.15,load:0.05",
            "cap:-1,price:1,latency:1,trust:0,load:0",
            "cap:+1,price:0,latency:0,trust:0,load:0",
            "cap:4294.967296,price:1,latency:0,trust:0,load:0",
        ] {
            assert_eq!(
                text.parse::<MatchWeights>(),
                Err(ValueError::Weights),
                "{text}"
            );
        }
    }
}
