//! One element of a file: an event, or why it is none.

use std::borrow::Cow;
use std::fmt;

use purser_commands::intake::{Element, FileName, Processed, Says};
use purser_events::intake::{ElementReason, Fee};
use purser_events::{Amount, Label, Wei};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::value::{
    address, event_id, integer, label, natural, request_id, seconds, some_label, some_text, text,
    tx_hash,
};

/// So much of an element that is set aside is kept for a person to look at.
const EXCERPT_BYTES: usize = 200;

macro_rules! fields {
    ($(#[$doc:meta])* $name:ident { $($field:ident $key:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Default)]
        struct $name<'a> {
            $($field: Option<&'a RawValue>,)*
        }

        impl<'de> Deserialize<'de> for $name<'de> {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                struct Fields;

                impl<'de> Visitor<'de> for Fields {
                    type Value = $name<'de>;

                    fn expecting(&self, into: &mut fmt::Formatter<'_>) -> fmt::Result {
                        into.write_str("an object")
                    }

                    fn visit_map<A: MapAccess<'de>>(
                        self,
                        mut map: A,
                    ) -> Result<Self::Value, A::Error> {
                        let mut found = $name::default();
                        // Of a key that stands twice, the last value counts.
                        while let Some(Key(key)) = map.next_key::<Key<'de>>()? {
                            let value = Some(map.next_value::<&'de RawValue>()?);
                            match key.as_ref() {
                                $($key => found.$field = value,)*
                                _ => {}
                            }
                        }
                        Ok(found)
                    }
                }

                from.deserialize_map(Fields)
            }
        }
    };
}

/// A key of an object. One that is no Unicode text is some key that nobody asks for.
struct Key<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let raw = <&'de RawValue>::deserialize(from)?;
        Ok(Self(text(Some(raw)).unwrap_or_default()))
    }
}

fields! {
    /// What every event has.
    Head {
        id "ID",
        event_type "EventType",
        node_type "NodeType",
        region "Region",
        time "DT",
        payload "Payload",
        version "Version",
    }
}

fields! {
    /// What events of all types say.
    Payload {
        eth_address "ethAddress",
        connection "connection",
        request_id "requestID",
        model_id "modelID",
        pipeline "pipeline",
        response_time "responseTime",
        compute_units "computeUnits",
        price "pricePerComputeUnit",
        fees "fees",
        duration "duration",
        real_time_ratio "realTimeRatio",
        recipient "recipient",
        sender "sender",
        face_value "faceValue",
        tx_hash "txHash",
    }
}

/// Reads one element of the file that `name` names.
pub(super) fn read_element(name: &FileName, raw: &RawValue) -> Element {
    event_of(name, raw).unwrap_or_else(|reason| Element::SetAside {
        reason,
        excerpt: excerpt(raw.get()),
    })
}

fn event_of(name: &FileName, raw: &RawValue) -> Result<Element, ElementReason> {
    let head: Head<'_> = serde_json::from_str(raw.get()).map_err(|_| ElementReason::NotObject)?;
    let required = |value| some_text(value).ok_or(ElementReason::BadField);
    let id = event_id(&required(head.id)?);
    let event_type = required(head.event_type)?;
    let node_type = required(head.node_type)?;
    let region = required(head.region)?;
    let time = text(head.time).and_then(|time| seconds(&time));
    let occurred_at = time.ok_or(ElementReason::BadTime)?;
    let payload = head.payload.ok_or(ElementReason::BadPayload)?.get();
    let payload = serde_json::from_str(payload).map_err(|_| ElementReason::BadPayload)?;
    if head.version.is_none_or(|version| version.get() != "1") {
        return Err(ElementReason::BadVersion);
    }
    if region != name.region.as_str() || node_type != name.node_type.as_str() {
        return Err(ElementReason::Misrouted);
    }
    Ok(Element::Event {
        id,
        occurred_at,
        says: says(&event_type, &payload),
    })
}

fn says(event_type: &str, payload: &Payload<'_>) -> Says {
    let worker = address(payload.eth_address);
    match event_type {
        "orchestrator-reset" => Says::Reset,
        "worker-connected" => Says::Connected {
            worker,
            connection: some_label(payload.connection),
        },
        "worker-disconnected" => Says::Disconnected {
            worker,
            connection: some_label(payload.connection),
        },
        "job-received" => Says::Received {
            request: request_id(payload.request_id),
            worker,
        },
        "job-processed" => Says::Processed(Box::new(processed(payload))),
        "ticket-redeemed" => Says::Ticket {
            recipient: address(payload.recipient),
            sender: address(payload.sender),
            face_value: natural(payload.face_value)
                .filter(|value| *value <= Amount::MAX.0)
                .map(Wei),
            tx_hash: tx_hash(payload.tx_hash),
        },
        other => Says::Other(label(other).unwrap_or_else(|| fixed("unknown"))),
    }
}

fn processed(payload: &Payload<'_>) -> Processed {
    let model_id = some_label(payload.model_id);
    let pipeline = some_label(payload.pipeline);
    Processed {
        worker: address(payload.eth_address),
        request: request_id(payload.request_id),
        model_id: model_id.unwrap_or_else(|| fixed("unknown_model")),
        pipeline: pipeline.unwrap_or_else(|| fixed("unknown_pipeline")),
        units: integer(payload.compute_units),
        price_wei: integer(payload.price),
        response_time: integer(payload.response_time),
        duration_ms: integer(payload.duration),
        real_time_ratio: integer(payload.real_time_ratio),
        fee: fee(payload.fees),
    }
}

fn fixed(word: &str) -> Label {
    Label::new(word).expect("our own words are labels")
}

/// A JSON integer of at most 63 bits and a sign; everything else is bad.
fn fee(value: Option<&RawValue>) -> Fee {
    match integer(value) {
        Some(wei) if wei > 0 => Fee::Payable(wei.unsigned_abs()),
        Some(wei) if wei > i64::MIN => Fee::NonPositive(wei),
        _ => Fee::Bad(value.and_then(|value| label(value.get()))),
    }
}

/// The first bytes of an element on one line.
fn excerpt(raw: &str) -> Option<Label> {
    let mut line = String::with_capacity(EXCERPT_BYTES);
    for word in raw.split(|one: char| one.is_whitespace() || one.is_control()) {
        if line.len() >= EXCERPT_BYTES {
            break;
        }
        if !word.is_empty() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&word[..word.floor_char_boundary(EXCERPT_BYTES)]);
        }
    }
    line.truncate(line.floor_char_boundary(EXCERPT_BYTES));
    Label::new(line.trim_end()).ok()
}
