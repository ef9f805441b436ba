//! From columns to envelopes.

use serde::de::value::U32Deserializer;
use serde::de::{self, Deserialize, DeserializeSeed, IntoDeserializer, Visitor};

use super::column::Column;
use super::{RAW_KIND, WORKER, actor_from, slot, unzigzag};
use crate::codec::{DecodeError, decode_envelope};
use crate::worker::WorkerBeat;
use crate::{Envelope, Event, EventKind, Micros, Position, WorkerNo};

/// The columns do not hold what the types ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the columns do not hold a value of the expected form")]
struct Misfit;

impl de::Error for Misfit {
    fn custom<T: std::fmt::Display>(_: T) -> Self {
        Self
    }
}

impl From<Misfit> for DecodeError {
    fn from(_: Misfit) -> Self {
        Self::Malformed
    }
}

/// Puts envelopes together again, in the order in which they were taken apart.
#[derive(Clone, Debug)]
pub struct Decoder<'a> {
    columns: Vec<Column<'a>>,
    // Of each column: where the columns below it are.
    children: Vec<Vec<u32>>,
    // Where the parts of every envelope are, and those of a heartbeat, as far as they are known.
    roots: [u32; slot::BODIES],
    beats: [u32; BEAT_PARTS],
    // The first number of the body that is being read.
    first: Option<u64>,
    raw: Option<&'a [u8]>,
}

/// No child yet: the root is nobody's child.
const NONE: u32 = 0;

/// The columns of a heartbeat: two fields, and four that may be missing.
const BEAT_PARTS: usize = 10;

impl<'a> Decoder<'a> {
    /// Reads columns that an encoder wrote.
    ///
    /// # Errors
    /// When the bytes are cut or of an unknown form.
    pub fn new(mut bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut columns = Vec::new();
        while !bytes.is_empty() {
            columns.push(Column::take(&mut bytes).ok_or(DecodeError::Malformed)?);
        }
        Ok(Self {
            columns,
            children: vec![Vec::new()],
            roots: [NONE; slot::BODIES],
            beats: [NONE; BEAT_PARTS],
            first: None,
            raw: None,
        })
    }

    /// The next envelope, which has this position.
    ///
    /// # Errors
    /// When the columns end, or hold no envelope. The decoder is then of no use.
    pub fn next(&mut self, position: Position) -> Result<Envelope, DecodeError> {
        let kind = self.number_at(slot::KIND)?;
        if kind == RAW_KIND {
            let row = self.raw_row()?;
            self.raw = Some(row);
            return decode_envelope(position, row);
        }
        self.raw = None;
        let kind = u8::try_from(kind).ok().and_then(EventKind::from_number);
        self.envelope(position, kind.ok_or(DecodeError::Malformed)?)
            .map_err(DecodeError::from)
    }

    /// The envelopes of these positions, which come next; appends them.
    ///
    /// # Errors
    /// When the columns end, or hold no envelope: behind those that were appended. The decoder is
    /// then of no use.
    pub fn fill(
        &mut self,
        from: Position,
        to: Position,
        into: &mut Vec<Envelope>,
    ) -> Result<(), DecodeError> {
        for position in (from.0..=to.0).map(Position) {
            into.push(self.next(position)?);
        }
        Ok(())
    }

    /// The stored form of the envelope that came last, where that was kept as it was.
    #[must_use]
    pub const fn raw(&self) -> Option<&'a [u8]> {
        self.raw
    }

    /// Whether all columns are used up.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.columns.iter().all(Column::is_done)
    }

    fn envelope(&mut self, position: Position, kind: EventKind) -> Result<Envelope, Misfit> {
        self.first = None;
        let body = self.child(0, slot::BODIES + kind as usize)?;
        let event = match kind {
            EventKind::WorkerBeat => Event::WorkerBeat(self.beat(body)?),
            kind => Event::deserialize_body(kind, Reader::at(self, body))?,
        };
        let actor = self.actor()?;
        let recorded_at = Micros(self.number_at(slot::RECORDED_AT)?);
        let command = match self.number_at(slot::COMMAND)? {
            0 => None,
            1 => {
                let inner = self.child(self.roots[slot::COMMAND], 0)?;
                Some(Box::deserialize(Reader::at(self, inner))?)
            }
            _ => return Err(Misfit),
        };
        Ok(Envelope {
            position,
            recorded_at,
            command,
            actor,
            event,
        })
    }

    /// What `deserialize_body` would read of a heartbeat, field by field: they are by far the most
    /// frequent events, and this reads them in a third of the time. A test compares the two.
    fn beat(&mut self, body: u32) -> Result<WorkerBeat, Misfit> {
        let worker = self.part(0, body, 0)?;
        self.first = Some(worker);
        let lag_ms = self.part_or_none(1, body, 1)?.map(unzigzag);
        let queue_len = narrow(self.part(3, body, 2)?)?;
        let avg_latency_ms = self.part_or_none(4, body, 3)?.map(narrow).transpose()?;
        let temp = self.part_or_none(6, body, 4)?.map(unzigzag);
        Ok(WorkerBeat {
            worker: WorkerNo(narrow(worker)?),
            lag_ms,
            queue_len,
            avg_latency_ms,
            temp_decidegrees: temp.map(narrow).transpose()?,
            mem_free_mb: self.part_or_none(8, body, 5)?.map(narrow).transpose()?,
        })
    }

    /// The next number of a heartbeat's column `part`, which is found once.
    #[inline]
    fn part(&mut self, part: usize, of: u32, slot: usize) -> Result<u64, Misfit> {
        if self.beats[part] == NONE {
            self.beats[part] = self.child(of, slot)?;
        }
        let column = &mut self.columns[self.beats[part] as usize];
        column.number().ok_or(Misfit)
    }

    /// The same of a field that may be missing: whether it is there, and then what it holds.
    #[inline]
    fn part_or_none(&mut self, part: usize, of: u32, slot: usize) -> Result<Option<u64>, Misfit> {
        match self.part(part, of, slot)? {
            0 => Ok(None),
            1 => self.part(part + 1, self.beats[part], 0).map(Some),
            _ => Err(Misfit),
        }
    }

    fn actor(&mut self) -> Result<crate::Actor, Misfit> {
        let variant = self.number_at(slot::ACTOR)?;
        let numbers = self.root(slot::ACTOR_NUMBER)?;
        if variant > 0xff {
            return Err(Misfit);
        }
        let node = self.child(numbers, variant as usize)?;
        let begins_with = self.first.unwrap_or(0) as u32;
        let number = u32::try_from(self.number(node)?).map_err(|_| Misfit)?;
        let number = if variant == WORKER {
            number.wrapping_add(begins_with)
        } else {
            number
        };
        actor_from(variant, number).ok_or(Misfit)
    }

    fn raw_row(&mut self) -> Result<&'a [u8], Misfit> {
        let node = self.root(slot::RAW)?;
        self.text(node)
    }

    /// Where a part of every envelope is.
    #[inline]
    fn root(&mut self, slot: usize) -> Result<u32, Misfit> {
        if self.roots[slot] == NONE {
            self.roots[slot] = self.child(0, slot)?;
        }
        Ok(self.roots[slot])
    }

    #[inline]
    fn number_at(&mut self, slot: usize) -> Result<u64, Misfit> {
        let node = self.root(slot)?;
        self.columns[node as usize].number().ok_or(Misfit)
    }

    #[inline]
    fn child(&mut self, of: u32, slot: usize) -> Result<u32, Misfit> {
        match self.children[of as usize].get(slot) {
            Some(&child) if child != NONE => Ok(child),
            _ => self.new_child(of, slot),
        }
    }

    #[inline(never)]
    fn new_child(&mut self, of: u32, slot: usize) -> Result<u32, Misfit> {
        let child = self.children.len();
        if child >= self.columns.len() {
            return Err(Misfit);
        }
        self.children.push(Vec::new());
        let children = &mut self.children[of as usize];
        if children.len() <= slot {
            children.resize(slot + 1, NONE);
        }
        children[slot] = child as u32;
        Ok(child as u32)
    }

    #[inline]
    fn number(&mut self, node: u32) -> Result<u64, Misfit> {
        let number = self.columns[node as usize].number().ok_or(Misfit)?;
        self.first.get_or_insert(number);
        Ok(number)
    }

    fn text(&mut self, node: u32) -> Result<&'a [u8], Misfit> {
        let len = usize::try_from(self.number(node)?).map_err(|_| Misfit)?;
        let content = self.child(node, 0)?;
        self.columns[content as usize].bytes(len).ok_or(Misfit)
    }
}

/// A number that must fit a narrower type.
fn narrow<From, To: TryFrom<From>>(number: From) -> Result<To, Misfit> {
    To::try_from(number).map_err(|_| Misfit)
}

/// Reads what stands at one place of the types.
struct Reader<'a, 'b> {
    from: &'b mut Decoder<'a>,
    node: u32,
    // Inside a tuple: which element. See the writer.
    element: Option<usize>,
}

impl<'a, 'b> Reader<'a, 'b> {
    const fn at(from: &'b mut Decoder<'a>, node: u32) -> Self {
        let element = None;
        Self {
            from,
            node,
            element,
        }
    }

    #[inline]
    fn place(&mut self) -> Result<u32, Misfit> {
        if let Some(element) = self.element.take() {
            self.node = self.from.child(self.node, element)?;
        }
        Ok(self.node)
    }

    #[inline]
    fn number(mut self) -> Result<u64, Misfit> {
        let node = self.place()?;
        self.from.number(node)
    }

    fn signed(self) -> Result<i64, Misfit> {
        Ok(unzigzag(self.number()?))
    }

    fn bytes(mut self) -> Result<&'a [u8], Misfit> {
        let node = self.place()?;
        self.from.text(node)
    }

    fn parts<'de, V: Visitor<'de>>(self, each: Each, visitor: V) -> Result<V::Value, Misfit> {
        let Self { from, node, .. } = self;
        let slot = 0;
        visitor.visit_seq(Parts {
            from,
            node,
            slot,
            each,
        })
    }
}

macro_rules! numbers {
    ($($method:ident $visit:ident $read:ident),* $(,)?) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
            visitor.$visit(self.$read()?)
        }
    )*};
}

macro_rules! refused {
    ($($method:ident),* $(,)?) => {$(
        fn $method<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Misfit> {
            Err(Misfit)
        }
    )*};
}

impl<'de> de::Deserializer<'de> for Reader<'_, '_> {
    type Error = Misfit;

    // The visitors of the narrow types check the range of what they are given.
    numbers! {
        deserialize_i8 visit_i64 signed,
        deserialize_i16 visit_i64 signed,
        deserialize_i32 visit_i64 signed,
        deserialize_i64 visit_i64 signed,
        deserialize_u16 visit_u64 number,
        deserialize_u32 visit_u64 number,
        deserialize_u64 visit_u64 number,
    }

    refused! {
        deserialize_any, deserialize_f32, deserialize_f64, deserialize_map,
        deserialize_identifier, deserialize_ignored_any,
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.number()? {
            0 => visitor.visit_bool(false),
            1 => visitor.visit_bool(true),
            _ => Err(Misfit),
        }
    }

    #[inline]
    fn deserialize_u8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        if self.element.is_some() {
            let column = &mut self.from.columns[self.node as usize];
            return visitor.visit_u8(column.byte().ok_or(Misfit)?);
        }
        visitor.visit_u64(self.number()?)
    }

    fn deserialize_u128<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Misfit> {
        let node = self.place()?;
        let low = self.from.number(node)?;
        let high = self.from.child(node, 0)?;
        let high = self.from.number(high)?;
        visitor.visit_u128(u128::from(high) << 64 | u128::from(low))
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        let number = u32::try_from(self.number()?).map_err(|_| Misfit)?;
        visitor.visit_char(char::from_u32(number).ok_or(Misfit)?)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_str(std::str::from_utf8(self.bytes()?).map_err(|_| Misfit)?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_bytes(self.bytes()?)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_bytes(visitor)
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Misfit> {
        let node = self.place()?;
        match self.from.number(node)? {
            0 => visitor.visit_none(),
            1 => {
                let inner = self.from.child(node, 0)?;
                visitor.visit_some(Reader::at(self.from, inner))
            }
            _ => Err(Misfit),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Misfit> {
        let node = self.place()?;
        let len = usize::try_from(self.from.number(node)?).map_err(|_| Misfit)?;
        let elements = self.from.child(node, 0)?;
        Reader::at(self.from, elements).parts(Each::Alike(len), visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        mut self,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.place()?;
        self.parts(Each::Element(len), visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        mut self,
        _: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.place()?;
        self.parts(Each::Field(len), visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        mut self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.place()?;
        self.parts(Each::Field(fields.len()), visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        mut self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.place()?;
        visitor.visit_enum(self)
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

impl<'de, 'a, 'b> de::EnumAccess<'de> for Reader<'a, 'b> {
    type Error = Misfit;
    type Variant = VariantReader<'a, 'b>;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, VariantReader<'a, 'b>), Misfit> {
        let variant = u32::try_from(self.from.number(self.node)?).map_err(|_| Misfit)?;
        let index: U32Deserializer<Misfit> = variant.into_deserializer();
        // An unknown variant ends here, before its number could claim memory for a place.
        let value = seed.deserialize(index)?;
        let Self { from, node, .. } = self;
        Ok((
            value,
            VariantReader {
                from,
                node,
                variant,
            },
        ))
    }
}

/// Reads what a variant holds. Variants that hold nothing have no place below them.
struct VariantReader<'a, 'b> {
    from: &'b mut Decoder<'a>,
    node: u32,
    variant: u32,
}

impl<'a, 'b> VariantReader<'a, 'b> {
    fn inner(self) -> Result<Reader<'a, 'b>, Misfit> {
        let node = self.from.child(self.node, self.variant as usize)?;
        Ok(Reader::at(self.from, node))
    }
}

impl<'de> de::VariantAccess<'de> for VariantReader<'_, '_> {
    type Error = Misfit;

    fn unit_variant(self) -> Result<(), Misfit> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Misfit> {
        seed.deserialize(self.inner()?)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Misfit> {
        self.inner()?.parts(Each::Field(len), visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.inner()?.parts(Each::Field(fields.len()), visitor)
    }
}

/// Where the parts of a compound are, and how many there are. See the writer.
#[derive(Clone, Copy, Debug)]
enum Each {
    Field(usize),
    Element(usize),
    Alike(usize),
}

struct Parts<'a, 'b> {
    from: &'b mut Decoder<'a>,
    node: u32,
    slot: usize,
    each: Each,
}

impl<'de> de::SeqAccess<'de> for Parts<'_, '_> {
    type Error = Misfit;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Misfit> {
        let slot = self.slot;
        self.slot += 1;
        let reader = match self.each {
            Each::Field(len) | Each::Element(len) | Each::Alike(len) if slot >= len => {
                return Ok(None);
            }
            Each::Alike(_) => Reader::at(self.from, self.node),
            Each::Field(_) => {
                let node = self.from.child(self.node, slot)?;
                Reader::at(self.from, node)
            }
            Each::Element(_) => Reader {
                from: self.from,
                node: self.node,
                element: Some(slot),
            },
        };
        seed.deserialize(reader).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        match self.each {
            Each::Field(len) | Each::Element(len) | Each::Alike(len) => {
                Some(len.saturating_sub(self.slot))
            }
        }
    }
}
