//! Tickets: on which terms they are issued, which of them count, what becomes of those that win.

pub mod chain;
pub mod pay;
pub mod price;
pub mod route;
pub mod terms;
pub mod winner;

mod judge;
