//! Stores of objects: a bucket of any S3-compatible service, or a directory.
//!
//! Nothing here is trusted to have happened because a service said so: what is put is compared
//! with what the service says it holds, and read back where it says nothing of use.

mod address;
mod bucket;
mod error;
mod folder;
mod retry;
mod service;

use std::fmt::Debug;

use axum::body::Bytes;
use futures_util::future::BoxFuture;

pub use address::{Address, AddressError};
pub use bucket::Bucket;
pub use error::ObjectError;
pub use folder::Folder;
pub use service::{Access, Service, ServiceSettings};

/// One object of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its key.
    pub key: String,
    /// What is another once the object was written anew: its entity tag without quotes, or size
    /// and time where the service lists none.
    pub version: String,
    /// How many bytes it has.
    pub bytes: u64,
}

/// A part of a listing, in the order of keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The objects.
    pub objects: Vec<Listed>,
    /// What to ask for the next part with; absent on the last one.
    pub next: Option<String>,
}

/// An object that was read whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its bytes.
    pub bytes: Bytes,
    /// Its entity tag, without quotes.
    pub etag: String,
}

/// What became of an object that was to be new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Created {
    /// It is stored now.
    Written,
    /// Just these bytes were stored under this key before.
    Same,
    /// Other bytes are stored under this key; they were left alone.
    Other,
}

/// A store of objects.
pub trait Objects: Send + Sync + Debug {
    /// What people call it, such as `s3://pool-events`.
    fn name(&self) -> String;

    /// Lists the objects whose keys begin with `prefix`, from where the page before ended.
    fn list<'a>(
        &'a self,
        prefix: &'a str,
        next: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Page, ObjectError>>;

    /// Reads an object of at most `bytes_max` bytes, whole.
    fn get<'a>(
        &'a self,
        key: &'a str,
        bytes_max: u64,
    ) -> BoxFuture<'a, Result<Object, ObjectError>>;

    /// Stores bytes under a key, over whatever is there. They are there when this returns `Ok`.
    fn put<'a>(
        &'a self,
        key: &'a str,
        bytes: Bytes,
        media: &'static str,
    ) -> BoxFuture<'a, Result<(), ObjectError>>;

    /// Stores bytes under a key that holds nothing yet.
    fn create<'a>(
        &'a self,
        key: &'a str,
        bytes: Bytes,
        media: &'static str,
    ) -> BoxFuture<'a, Result<Created, ObjectError>>;
}

/// Every object whose key begins with `prefix`, in the order of keys.
///
/// # Errors
/// When a page cannot be listed.
pub async fn list_all(store: &dyn Objects, prefix: &str) -> Result<Vec<Listed>, ObjectError> {
    let mut all = Vec::new();
    let mut next = None;
    loop {
        let page = store.list(prefix, next.as_deref()).await?;
        all.extend(page.objects);
        next = page.next;
        if next.is_none() {
            return Ok(all);
        }
    }
}
