//! Arbitrary events of any kind: read by the types' own rules from a source of random values, so
//! that a new kind or field is covered without a word here.

use serde::de::value::{Error, U32Deserializer};
use serde::de::{self, DeserializeSeed, Error as _, IntoDeserializer, Visitor};

use crate::{Actor, CommandStamp, Envelope, Event, EventKind, Micros, Position};

/// An event of this kind.
pub(super) fn any_event(kind: EventKind, seed: u64) -> Event {
    // Values outside a type's range are drawn again.
    any(seed, |from| Event::deserialize_body(kind, from))
}

/// An envelope of any kind.
pub(super) fn any_envelope(position: u64, seed: u64) -> Envelope {
    let kind = EventKind::ALL[seed as usize % EventKind::ALL.len()];
    let stamp = (seed & 0x100 != 0).then(|| Box::new(drawn::<CommandStamp>(seed)));
    Envelope {
        position: Position(position),
        recorded_at: Micros(drawn(seed)),
        command: stamp,
        actor: drawn::<Actor>(seed),
        event: any_event(kind, seed),
    }
}

fn drawn<T: de::DeserializeOwned>(seed: u64) -> T {
    any(seed, |from| T::deserialize(from))
}

fn any<T>(seed: u64, read: impl Fn(&mut Source) -> Result<T, Error>) -> T {
    let mut source = Source(seed);
    loop {
        if let Ok(value) = read(&mut source) {
            return value;
        }
    }
}

/// Random values: `splitmix64`.
struct Source(u64);

impl Source {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// A number of any length in bits up to `bits`.
    fn number(&mut self, bits: u64) -> u64 {
        let length = self.below(bits + 1) as u32;
        self.next()
            & 1_u64
                .checked_shl(length)
                .map_or(u64::MAX, |bound| bound - 1)
    }

    fn signed(&mut self, bits: u64) -> i64 {
        let number = self.number(bits - 1).cast_signed();
        if self.below(2) == 0 { number } else { !number }
    }

    fn text(&mut self) -> String {
        let letters = ['a', '7', '-', ':', 'é', '日'];
        let len = 1 + self.below(12);
        (0..len)
            .map(|_| letters[self.below(letters.len() as u64) as usize])
            .collect()
    }
}

macro_rules! drawn {
    ($($method:ident $visit:ident $draw:expr),* $(,)?) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            let draw: fn(&mut Source) -> _ = $draw;
            visitor.$visit(draw(self))
        }
    )*};
}

impl<'de> de::Deserializer<'de> for &mut Source {
    type Error = Error;

    drawn! {
        deserialize_bool visit_bool |from| from.below(2) == 1,
        deserialize_i8 visit_i64 |from| from.signed(8),
        deserialize_i16 visit_i64 |from| from.signed(16),
        deserialize_i32 visit_i64 |from| from.signed(32),
        deserialize_i64 visit_i64 |from| from.signed(64),
        deserialize_u8 visit_u64 |from| from.number(8),
        deserialize_u16 visit_u64 |from| from.number(16),
        deserialize_u32 visit_u64 |from| from.number(32),
        deserialize_u64 visit_u64 |from| from.number(64),
        deserialize_u128 visit_u128 |from| {
            u128::from(from.number(64)) << 64 | u128::from(from.number(64))
        },
        deserialize_str visit_string Source::text,
        deserialize_string visit_string Source::text,
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("the type does not say what it wants"))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.below(3) == 0 {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let left = self.below(4) as usize;
        visitor.visit_seq(Parts { from: self, left })
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        left: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_seq(Parts { from: self, left })
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        left: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_seq(Parts { from: self, left })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let left = fields.len();
        visitor.visit_seq(Parts { from: self, left })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let variant = self.below(variants.len() as u64) as u32;
        visitor.visit_enum(Variant {
            from: self,
            variant,
        })
    }

    serde::forward_to_deserialize_any! {
        f32 f64 char bytes byte_buf unit unit_struct map identifier ignored_any
    }
}

struct Parts<'a> {
    from: &'a mut Source,
    left: usize,
}

impl<'de> de::SeqAccess<'de> for Parts<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        let Some(left) = self.left.checked_sub(1) else {
            return Ok(None);
        };
        self.left = left;
        seed.deserialize(&mut *self.from).map(Some)
    }
}

struct Variant<'a> {
    from: &'a mut Source,
    variant: u32,
}

impl<'de, 'a> de::EnumAccess<'de> for Variant<'a> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Error> {
        let index: U32Deserializer<Error> = self.variant.into_deserializer();
        Ok((seed.deserialize(index)?, self))
    }
}

impl<'de> de::VariantAccess<'de> for Variant<'_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(self.from)
    }

    fn tuple_variant<V: Visitor<'de>>(self, left: usize, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_seq(Parts {
            from: self.from,
            left,
        })
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let left = fields.len();
        visitor.visit_seq(Parts {
            from: self.from,
            left,
        })
    }
}
