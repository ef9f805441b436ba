//! The routes, by subject.

pub(crate) mod clock;
pub(crate) mod health;
pub(crate) mod miners;
pub(crate) mod policy;
pub(crate) mod registry;
pub(crate) mod status;
