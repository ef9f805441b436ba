//! From envelopes to columns.

use serde::ser::{self, Serialize};

use super::column::{write_bytes, write_numbers};
use super::{RAW_KIND, WORKER, actor_parts, slot, zigzag};
use crate::Envelope;

/// A type that columns cannot hold: a float, a map, a value without a known length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("columns cannot hold a value of this type")]
pub struct Unsupported;

impl ser::Error for Unsupported {
    fn custom<T: std::fmt::Display>(_: T) -> Self {
        Self
    }
}

/// Columns as bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// The columns, one behind the other.
    pub bytes: Vec<u8>,
    /// Where bytes of one nature end and others begin, in ascending order: a compressor does well
    /// to begin anew there.
    pub cuts: Vec<usize>,
}

/// Takes envelopes apart.
#[derive(Clone, Debug, Default)]
pub struct Encoder {
    nodes: Vec<Node>,
    // The first number of the body that is being written.
    first: Option<u64>,
}

#[derive(Clone, Debug, Default)]
struct Node {
    children: Vec<u32>,
    numbers: Vec<u64>,
    bytes: Vec<u8>,
}

/// No child yet: the root is nobody's child.
const NONE: u32 = 0;

impl Encoder {
    /// Without any envelope.
    #[must_use]
    pub fn new() -> Self {
        Self {
            nodes: vec![Node::default()],
            first: None,
        }
    }

    /// Adds an envelope.
    ///
    /// # Errors
    /// When an event holds a type that columns cannot hold. The encoder is then of no use.
    pub fn push(&mut self, envelope: &Envelope) -> Result<(), Unsupported> {
        let kind = envelope.event.kind() as u8;
        self.number_at(slot::KIND, u64::from(kind));
        self.first = None;
        let body = self.child(0, slot::BODIES + usize::from(kind));
        envelope.event.serialize_body(Writer::at(self, body))?;
        let (variant, number) = actor_parts(envelope.actor);
        self.put_actor(variant, number);
        self.number_at(slot::RECORDED_AT, envelope.recorded_at.0);
        let command = self.child(0, slot::COMMAND);
        envelope.command.serialize(Writer::at(self, command))
    }

    /// Adds a stored envelope whose bytes are to stay as they are.
    pub fn push_raw(&mut self, row: &[u8]) {
        self.number_at(slot::KIND, RAW_KIND);
        let node = self.child(0, slot::RAW);
        self.text(node, row);
    }

    /// The columns of all envelopes.
    #[must_use]
    pub fn finish(self) -> Encoded {
        let mut bytes = Vec::new();
        let mut cuts = Vec::new();
        for node in &self.nodes {
            if node.bytes.is_empty() {
                write_numbers(&node.numbers, &mut bytes, &mut cuts);
            } else {
                write_bytes(&node.bytes, &mut bytes, &mut cuts);
            }
        }
        Encoded { bytes, cuts }
    }

    fn put_actor(&mut self, variant: u64, number: u32) {
        self.number_at(slot::ACTOR, variant);
        let number = if variant == WORKER {
            number.wrapping_sub(self.first.unwrap_or(0) as u32)
        } else {
            number
        };
        let numbers = self.child(0, slot::ACTOR_NUMBER);
        let node = self.child(numbers, variant as usize);
        self.number(node, u64::from(number));
    }

    fn number_at(&mut self, slot: usize, number: u64) {
        let node = self.child(0, slot);
        self.nodes[node as usize].numbers.push(number);
    }

    fn child(&mut self, of: u32, slot: usize) -> u32 {
        let known = self.nodes[of as usize].children.get(slot);
        if let Some(&child) = known
            && child != NONE
        {
            return child;
        }
        let child = self.nodes.len() as u32;
        self.nodes.push(Node::default());
        let children = &mut self.nodes[of as usize].children;
        if children.len() <= slot {
            children.resize(slot + 1, NONE);
        }
        children[slot] = child;
        child
    }

    fn number(&mut self, node: u32, number: u64) {
        self.first.get_or_insert(number);
        self.nodes[node as usize].numbers.push(number);
    }

    fn text(&mut self, node: u32, bytes: &[u8]) {
        self.number(node, bytes.len() as u64);
        let content = self.child(node, 0);
        self.nodes[content as usize].bytes.extend_from_slice(bytes);
    }
}

/// Writes what stands at one place of the types.
struct Writer<'a> {
    to: &'a mut Encoder,
    node: u32,
    // Inside a tuple: which element. Single bytes of a tuple go to the tuple's own column, so
    // that an array of bytes is one column; anything else goes to the element's.
    element: Option<usize>,
}

impl<'a> Writer<'a> {
    const fn at(to: &'a mut Encoder, node: u32) -> Self {
        let element = None;
        Self { to, node, element }
    }

    fn place(&mut self) -> u32 {
        if let Some(element) = self.element.take() {
            self.node = self.to.child(self.node, element);
        }
        self.node
    }

    fn number(mut self, number: u64) -> Result<(), Unsupported> {
        let node = self.place();
        self.to.number(node, number);
        Ok(())
    }

    /// Writes a number, and goes on at what it introduces.
    fn tagged(mut self, number: u64, slot: usize) -> Self {
        let node = self.place();
        self.to.number(node, number);
        let node = self.to.child(node, slot);
        Self::at(self.to, node)
    }

    fn parts(mut self, each: Each) -> Parts<'a> {
        let node = self.place();
        let slot = 0;
        let to = self.to;
        Parts {
            to,
            node,
            slot,
            each,
        }
    }
}

impl<'a> ser::Serializer for Writer<'a> {
    type Ok = ();
    type Error = Unsupported;
    type SerializeSeq = Parts<'a>;
    type SerializeTuple = Parts<'a>;
    type SerializeTupleStruct = Parts<'a>;
    type SerializeTupleVariant = Parts<'a>;
    type SerializeMap = ser::Impossible<(), Unsupported>;
    type SerializeStruct = Parts<'a>;
    type SerializeStructVariant = Parts<'a>;

    fn serialize_bool(self, value: bool) -> Result<(), Unsupported> {
        self.number(u64::from(value))
    }

    fn serialize_i8(self, value: i8) -> Result<(), Unsupported> {
        self.number(zigzag(i64::from(value)))
    }

    fn serialize_i16(self, value: i16) -> Result<(), Unsupported> {
        self.number(zigzag(i64::from(value)))
    }

    fn serialize_i32(self, value: i32) -> Result<(), Unsupported> {
        self.number(zigzag(i64::from(value)))
    }

    fn serialize_i64(self, value: i64) -> Result<(), Unsupported> {
        self.number(zigzag(value))
    }

    fn serialize_u8(self, value: u8) -> Result<(), Unsupported> {
        if self.element.is_some() {
            self.to.nodes[self.node as usize].bytes.push(value);
            return Ok(());
        }
        self.number(u64::from(value))
    }

    fn serialize_u16(self, value: u16) -> Result<(), Unsupported> {
        self.number(u64::from(value))
    }

    fn serialize_u32(self, value: u32) -> Result<(), Unsupported> {
        self.number(u64::from(value))
    }

    fn serialize_u64(self, value: u64) -> Result<(), Unsupported> {
        self.number(value)
    }

    fn serialize_u128(self, value: u128) -> Result<(), Unsupported> {
        self.tagged(value as u64, 0).number((value >> 64) as u64)
    }

    fn serialize_f32(self, _: f32) -> Result<(), Unsupported> {
        Err(Unsupported)
    }

    fn serialize_f64(self, _: f64) -> Result<(), Unsupported> {
        Err(Unsupported)
    }

    fn serialize_char(self, value: char) -> Result<(), Unsupported> {
        self.number(u64::from(u32::from(value)))
    }

    fn serialize_str(self, value: &str) -> Result<(), Unsupported> {
        self.serialize_bytes(value.as_bytes())
    }

    fn serialize_bytes(mut self, value: &[u8]) -> Result<(), Unsupported> {
        let node = self.place();
        self.to.text(node, value);
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Unsupported> {
        self.number(0)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Unsupported> {
        value.serialize(self.tagged(1, 0))
    }

    fn serialize_unit(self) -> Result<(), Unsupported> {
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Unsupported> {
        Ok(())
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        variant: u32,
        _: &'static str,
    ) -> Result<(), Unsupported> {
        self.number(u64::from(variant))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Unsupported> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        variant: u32,
        _: &'static str,
        value: &T,
    ) -> Result<(), Unsupported> {
        value.serialize(self.tagged(u64::from(variant), variant as usize))
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Parts<'a>, Unsupported> {
        let len = len.ok_or(Unsupported)?;
        Ok(self.tagged(len as u64, 0).parts(Each::Alike))
    }

    fn serialize_tuple(self, _: usize) -> Result<Parts<'a>, Unsupported> {
        Ok(self.parts(Each::Element))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Parts<'a>, Unsupported> {
        Ok(self.parts(Each::Field))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        variant: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Parts<'a>, Unsupported> {
        Ok(self
            .tagged(u64::from(variant), variant as usize)
            .parts(Each::Field))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Unsupported> {
        Err(Unsupported)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Parts<'a>, Unsupported> {
        Ok(self.parts(Each::Field))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        variant: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Parts<'a>, Unsupported> {
        Ok(self
            .tagged(u64::from(variant), variant as usize)
            .parts(Each::Field))
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

/// Where the parts of a compound go.
#[derive(Clone, Copy, Debug)]
enum Each {
    /// Each to a place of its own.
    Field,
    /// Each to a place of its own, but single bytes to the compound's own column.
    Element,
    /// All to the same place: the elements of a sequence are alike.
    Alike,
}

/// Writes the parts of a compound, one after the other.
struct Parts<'a> {
    to: &'a mut Encoder,
    node: u32,
    slot: usize,
    each: Each,
}

impl Parts<'_> {
    fn part<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unsupported> {
        let slot = self.slot;
        self.slot += 1;
        let writer = match self.each {
            Each::Alike => Writer::at(self.to, self.node),
            Each::Field => {
                let node = self.to.child(self.node, slot);
                Writer::at(self.to, node)
            }
            Each::Element => Writer {
                to: self.to,
                node: self.node,
                element: Some(slot),
            },
        };
        value.serialize(writer)
    }
}

macro_rules! compound {
    ($($compound:ident $part:ident),* $(,)?) => {$(
        impl ser::$compound for Parts<'_> {
            type Ok = ();
            type Error = Unsupported;

            fn $part<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unsupported> {
                self.part(value)
            }

            fn end(self) -> Result<(), Unsupported> {
                Ok(())
            }
        }
    )*};
}

compound! {
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field,
}

macro_rules! named_compound {
    ($($compound:ident),* $(,)?) => {$(
        impl ser::$compound for Parts<'_> {
            type Ok = ();
            type Error = Unsupported;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                _: &'static str,
                value: &T,
            ) -> Result<(), Unsupported> {
                self.part(value)
            }

            fn end(self) -> Result<(), Unsupported> {
                Ok(())
            }
        }
    )*};
}

named_compound!(SerializeStruct, SerializeStructVariant);
