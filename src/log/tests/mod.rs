//! What both logs do alike, and what each does by itself.

mod conformance;
mod samples;
