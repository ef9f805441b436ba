//! The surface over HTTP: wire bytes to commands, published state to answers. No rule of the
//! business lives here.

mod address;
mod app;
mod body;
pub mod code;
mod decimal;
mod edge;
pub mod error;
mod extract;
mod frame;
mod guests;
mod json;
mod limits;
mod objects;
mod offers;
mod peer;
mod query;
mod router;
mod routes;
mod serve;
mod session;
mod settings;
mod socket;
mod stream;
mod time;
mod wire;

pub use router::{Surface, surface};
pub(crate) use routes::balances::whole as balance_table;
pub(crate) use routes::fees::whole as fee_table;
pub(crate) use routes::pool::whole as pool_table;
pub use serve::{Entrance, serve};
pub use settings::{Rates, Settings};
