//! A bucket of an S3-compatible service.

use std::future::Future;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use axum::body::Bytes;
use futures_util::future::BoxFuture;
use md5::{Digest, Md5};

use super::retry::insistently;
use super::{Created, Listed, Object, ObjectError, Objects, Page, Service};
use crate::hex::hex;

/// A bucket of an S3-compatible service.
#[derive(Clone, Debug)]
pub struct Bucket {
    service: Service,
    name: String,
}

/// Whether a key may hold something already.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Over {
    Anything,
    Nothing,
}

impl Bucket {
    pub(super) fn new(service: Service, name: &str) -> Self {
        let name = name.to_owned();
        Self { service, name }
    }

    const fn client(&self) -> &Client {
        self.service.client()
    }

    /// One request with its body, under the limits of the service.
    async fn limited<T>(
        &self,
        request: impl Future<Output = Result<T, ObjectError>>,
    ) -> Result<T, ObjectError> {
        if !self.service.has_access() {
            return Err(ObjectError::NoAccess);
        }
        let room = self.service.room().acquire().await;
        let outcome = tokio::time::timeout(self.service.timeout(), request).await;
        drop(room);
        outcome.unwrap_or_else(|_| Err(ObjectError::Timeout { place: self.name() }))
    }

    async fn list_once(&self, prefix: &str, next: Option<&str>) -> Result<Page, ObjectError> {
        let request = self.client().list_objects_v2().bucket(&self.name);
        let request = request
            .prefix(prefix)
            .set_continuation_token(next.map(str::to_owned));
        let answer = request.send().await;
        let answer = answer.map_err(|error| self.fault("", &error))?;
        let objects = answer.contents.unwrap_or_default().into_iter();
        let objects = objects.filter_map(|one| {
            let bytes = u64::try_from(one.size.unwrap_or(0)).unwrap_or(0);
            let version = one.e_tag.map_or_else(
                || {
                    let time = one.last_modified.map_or(0, |time| time.as_nanos());
                    format!("{bytes}@{time}")
                },
                |etag| unquoted(&etag),
            );
            Some(Listed {
                key: one.key?,
                version,
                bytes,
            })
        });
        let is_cut = answer.is_truncated.unwrap_or(false);
        Ok(Page {
            objects: objects.collect(),
            next: answer.next_continuation_token.filter(|_| is_cut),
        })
    }

    async fn get_once(&self, key: &str, bytes_max: u64) -> Result<Object, ObjectError> {
        let request = self.client().get_object().bucket(&self.name).key(key);
        let answer = request.send().await;
        let mut answer = answer.map_err(|error| self.fault(key, &error))?;
        let length = answer.content_length.unwrap_or(0);
        let length = u64::try_from(length).unwrap_or(0);
        let too_large = || ObjectError::TooLarge {
            key: key.into(),
            bytes_max,
        };
        if length > bytes_max {
            return Err(too_large());
        }
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
        while let Some(piece) = answer.body.next().await {
            let piece = piece.map_err(|_| self.damaged(key))?;
            if (bytes.len() + piece.len()) as u64 > bytes_max {
                return Err(too_large());
            }
            bytes.extend_from_slice(&piece);
        }
        if answer.content_length.is_some() && bytes.len() as u64 != length {
            return Err(self.damaged(key));
        }
        let etag = unquoted(&answer.e_tag.unwrap_or_default());
        let bytes = Bytes::from(bytes);
        Ok(Object { bytes, etag })
    }

    /// Reads an object. An entity tag that looks like an MD5 and is not the one of these bytes
    /// says either that they are damaged, or that this service makes its tags otherwise: then the
    /// bytes come the same a second time.
    async fn read(&self, key: &str, bytes_max: u64) -> Result<Object, ObjectError> {
        let once = || self.limited(self.get_once(key, bytes_max));
        let first = insistently(key, |_| once()).await?;
        if is_plausible(&first.etag, &first.bytes) {
            return Ok(first);
        }
        insistently(key, |_| async {
            let second = once().await?;
            if second == first || md5_hex(&second.bytes) == second.etag {
                Ok(second)
            } else {
                Err(self.damaged(key))
            }
        })
        .await
    }

    async fn put_once(
        &self,
        key: &str,
        (bytes, media): (Bytes, &'static str),
        over: Over,
    ) -> Result<Option<String>, ObjectError> {
        let request = self.client().put_object().bucket(&self.name).key(key);
        let request = request
            .content_type(media)
            .body(ByteStream::from(bytes))
            .set_if_none_match((over == Over::Nothing).then(|| "*".to_owned()));
        match request.send().await {
            Ok(answer) => Ok(Some(unquoted(&answer.e_tag.unwrap_or_default()))),
            Err(error) if over == Over::Nothing && status_of(&error) == Some(412) => Ok(None),
            Err(error) => Err(self.fault(key, &error)),
        }
    }

    /// Puts, and makes sure that the service holds what was sent.
    async fn write(
        &self,
        key: &str,
        (bytes, media): (Bytes, &'static str),
        over: Over,
    ) -> Result<Created, ObjectError> {
        let digest = md5_hex(&bytes);
        insistently(key, |_| async {
            let put = self.put_once(key, (bytes.clone(), media), over);
            let etag = self.limited(put).await?;
            if etag.as_ref() == Some(&digest) {
                return Ok(Created::Written);
            }
            let stored = self.limited(self.get_once(key, bytes.len() as u64)).await;
            let is_same = match stored {
                Ok(stored) => stored.bytes == bytes,
                Err(ObjectError::TooLarge { .. }) => false,
                Err(error) => return Err(error),
            };
            match (etag.is_some(), is_same) {
                (true, true) => Ok(Created::Written),
                (true, false) => Err(self.damaged(key)),
                // Of a put whose answer was lost, the second one finds what the first one left.
                (false, true) => Ok(Created::Same),
                (false, false) => Ok(Created::Other),
            }
        })
        .await
    }

    fn damaged(&self, key: &str) -> ObjectError {
        ObjectError::Damaged {
            place: self.name(),
            key: key.into(),
        }
    }

    fn fault<E>(&self, key: &str, error: &SdkError<E>) -> ObjectError
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let place = self.name();
        let code = error.code().unwrap_or_default().to_owned();
        match (error, status_of(error)) {
            (SdkError::TimeoutError(_), _) => ObjectError::Timeout { place },
            (SdkError::DispatchFailure(failure), _) if failure.is_timeout() => {
                ObjectError::Timeout { place }
            }
            (SdkError::DispatchFailure(_), _) => ObjectError::Unreachable {
                place,
                why: last_cause(error),
            },
            (_, Some(404)) if code == "NoSuchBucket" || key.is_empty() => {
                ObjectError::NoBucket { place }
            }
            (_, Some(404)) => ObjectError::NotFound {
                place,
                key: key.into(),
            },
            (_, Some(401 | 403)) => ObjectError::Denied { place, code },
            (_, Some(429 | 503)) => ObjectError::Throttled { place, code },
            (_, Some(status)) => ObjectError::Failed {
                place,
                why: format!("{status} {code}"),
            },
            (_, None) => ObjectError::Failed {
                place,
                why: DisplayErrorContext(error).to_string(),
            },
        }
    }
}

impl Objects for Bucket {
    fn name(&self) -> String {
        format!("s3://{}", self.name)
    }

    fn list<'a>(
        &'a self,
        prefix: &'a str,
        next: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Page, ObjectError>> {
        let attempt = move |_| self.limited(self.list_once(prefix, next));
        Box::pin(insistently(prefix, attempt))
    }

    fn get<'a>(
        &'a self,
        key: &'a str,
        bytes_max: u64,
    ) -> BoxFuture<'a, Result<Object, ObjectError>> {
        Box::pin(self.read(key, bytes_max))
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        bytes: Bytes,
        media: &'static str,
    ) -> BoxFuture<'a, Result<(), ObjectError>> {
        let write = self.write(key, (bytes, media), Over::Anything);
        Box::pin(async move { write.await.map(|_| ()) })
    }

    fn create<'a>(
        &'a self,
        key: &'a str,
        bytes: Bytes,
        media: &'static str,
    ) -> BoxFuture<'a, Result<Created, ObjectError>> {
        Box::pin(self.write(key, (bytes, media), Over::Nothing))
    }
}

fn status_of<E>(error: &SdkError<E>) -> Option<u16> {
    error.raw_response().map(|raw| raw.status().as_u16())
}

fn last_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

fn unquoted(etag: &str) -> String {
    etag.trim_matches('"').to_owned()
}

/// Whether an entity tag may be the one of these bytes: it is their MD5, or no MD5 at all.
fn is_plausible(etag: &str, bytes: &[u8]) -> bool {
    let looks_like_md5 = etag.len() == 32 && etag.bytes().all(|byte| byte.is_ascii_hexdigit());
    !looks_like_md5 || md5_hex(bytes) == etag
}

fn md5_hex(bytes: &[u8]) -> String {
    hex(&Md5::digest(bytes))
}
