//! One column: numbers as planes of bytes, or bytes as they are.
//!
//! A column of numbers is kept relative to a base, either each number as its distance from the
//! smallest, or as its difference from the one before; then the lowest bytes of all numbers, then
//! the next ones, and so on.

use super::{unzigzag, zigzag};

const WIDTH: u8 = 0x0f;
const DELTA: u8 = 0x10;
const BYTES: u8 = 0x20;

/// How many numbers a reader unpacks at once.
const UNPACK: usize = 128;

/// Appends a column of numbers, and calls `cut` where a plane ends.
pub(super) fn write_numbers(numbers: &[u64], into: &mut Vec<u8>, cut: &mut Vec<usize>) {
    let Some(&first) = numbers.first() else {
        into.push(0);
        put(0, into);
        return;
    };
    let smallest = numbers.iter().copied().min().unwrap_or(first);
    let plain = Packed::of(smallest, numbers.iter().map(|number| number - smallest));
    let deltas = numbers.windows(2);
    let deltas = deltas.map(|pair| zigzag(pair[1].wrapping_sub(pair[0]).cast_signed()));
    let delta = Packed::of(first, deltas.clone());
    if delta.bits < plain.bits {
        delta.write(DELTA, deltas, into, cut);
    } else {
        let distances = numbers.iter().map(|number| number - smallest);
        plain.write(0, distances, into, cut);
    }
}

/// Appends a column of bytes.
pub(super) fn write_bytes(bytes: &[u8], into: &mut Vec<u8>, cut: &mut Vec<usize>) {
    into.push(BYTES);
    put(bytes.len() as u64, into);
    into.extend_from_slice(bytes);
    cut.push(into.len());
}

/// What is to be known of numbers before they are written.
struct Packed {
    base: u64,
    count: usize,
    width: usize,
    bits: u64,
}

impl Packed {
    fn of(base: u64, numbers: impl Iterator<Item = u64>) -> Self {
        let (mut all, mut bits, mut count) = (0, 0, 0);
        for number in numbers {
            all |= number;
            bits += u64::from(64 - number.leading_zeros());
            count += 1;
        }
        let width = (64 - all.leading_zeros()).div_ceil(8) as usize;
        Self {
            base,
            count,
            width,
            bits,
        }
    }

    fn write(
        &self,
        flags: u8,
        numbers: impl Iterator<Item = u64>,
        into: &mut Vec<u8>,
        cut: &mut Vec<usize>,
    ) {
        into.push(flags | self.width as u8);
        put(self.count as u64, into);
        put(self.base, into);
        let start = into.len();
        into.resize(start + self.width * self.count, 0);
        for (index, number) in numbers.enumerate() {
            for plane in 0..self.width {
                into[start + plane * self.count + index] = (number >> (8 * plane)) as u8;
            }
        }
        cut.extend((1..=self.width).map(|plane| start + plane * self.count));
    }
}

/// Reads a column from its beginning.
#[derive(Clone, Debug, Default)]
pub(super) struct Column<'a> {
    // Unpacked numbers that were not taken yet: `ready[at..]`.
    ready: Vec<u64>,
    at: usize,
    // Numbers that are still packed, as planes of `stride` bytes of which `done` were unpacked.
    planes: &'a [u8],
    stride: usize,
    done: usize,
    width: usize,
    // Where numbers are differences: the last one; else what each is a distance from.
    base: u64,
    delta: bool,
    // Whether the base itself is still to be handed out, as the first number of differences.
    begin: bool,
    bytes: &'a [u8],
}

impl<'a> Column<'a> {
    /// Takes a column off the front; `None` when it is cut or of an unknown form.
    pub(super) fn take(from: &mut &'a [u8]) -> Option<Self> {
        let (&head, rest) = from.split_first()?;
        *from = rest;
        let count = usize::try_from(take(from)?).ok()?;
        let mut column = Self::default();
        if head == BYTES {
            column.bytes = split(from, count)?;
            return Some(column);
        }
        column.width = usize::from(head & WIDTH);
        column.delta = head & DELTA != 0;
        if head & !(WIDTH | DELTA) != 0 || column.width > 8 {
            return None;
        }
        if count == 0 && !column.delta {
            return (head == 0).then_some(column);
        }
        column.base = take(from)?;
        column.begin = column.delta;
        column.stride = count;
        column.planes = split(from, column.width.checked_mul(count)?)?;
        Some(column)
    }

    /// The next number.
    #[inline]
    pub(super) fn number(&mut self) -> Option<u64> {
        if self.at == self.ready.len() {
            self.unpack();
        }
        let number = *self.ready.get(self.at)?;
        self.at += 1;
        Some(number)
    }

    /// The next bytes.
    #[inline]
    pub(super) fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        split(&mut self.bytes, count)
    }

    /// The next byte.
    #[inline]
    pub(super) fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(byte)
    }

    /// Whether everything was taken.
    pub(super) fn is_done(&self) -> bool {
        self.at == self.ready.len()
            && self.done == self.stride
            && !self.begin
            && self.bytes.is_empty()
    }

    #[inline(never)]
    fn unpack(&mut self) {
        self.at = 0;
        self.ready.clear();
        if self.begin {
            self.begin = false;
            self.ready.push(self.base);
            return;
        }
        let count = UNPACK.min(self.stride - self.done);
        let plane = |plane: usize| {
            let start = plane * self.stride + self.done;
            &self.planes[start..start + count]
        };
        let base = if self.delta { 0 } else { self.base };
        match self.width {
            0 => self.ready.resize(count, base),
            1 => {
                let numbers = plane(0).iter().map(|&byte| base.wrapping_add(byte.into()));
                self.ready.extend(numbers);
            }
            width => {
                self.ready
                    .extend(plane(0).iter().map(|&byte| u64::from(byte)));
                for at in 1..width {
                    for (number, &byte) in self.ready.iter_mut().zip(plane(at)) {
                        *number |= u64::from(byte) << (8 * at);
                    }
                }
                let numbers = self.ready.iter_mut();
                numbers.for_each(|number| *number = number.wrapping_add(base));
            }
        }
        self.done += count;
        if self.delta {
            self.sum_up();
        }
    }

    /// From differences to numbers.
    fn sum_up(&mut self) {
        for number in &mut self.ready {
            self.base = self.base.wrapping_add(unzigzag(*number).cast_unsigned());
            *number = self.base;
        }
    }
}

fn split<'a>(from: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, rest) = from.split_at_checked(count)?;
    *from = rest;
    Some(taken)
}

/// Appends a number in seven-bit groups, the lowest first.
fn put(mut number: u64, into: &mut Vec<u8>) {
    while number >= 0x80 {
        into.push(number as u8 | 0x80);
        number >>= 7;
    }
    into.push(number as u8);
}

fn take(from: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = from.split_first()?;
        *from = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}
