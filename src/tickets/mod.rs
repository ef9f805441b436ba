//! Signed tickets as they come over the wire: hashes, signatures, secrets, protobuf. Which tickets
//! count is decided in `commands`.

pub mod hash;
pub mod rand;
pub mod request;
pub mod show;
pub mod signature;
pub mod wire;
