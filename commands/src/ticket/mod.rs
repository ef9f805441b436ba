//! Tickets: on which terms they are issued, and which of them count.

pub mod terms;
