//! Slots of capabilities: how many jobs may do a thing at once. Apart from money.

use std::collections::BTreeSet;

use purser_events::paid::SlotHolder;
use purser_events::{CapabilityNo, Event, Label, PayerNo};
use serde::{Deserialize, Serialize};

use crate::paged::grown;

/// The slots of every capability.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capacity {
    capabilities: Vec<Capability>,
}

/// The slots of one capability.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capability {
    /// How many may be held at once; absent when the capability was removed.
    pub slots: Option<u32>,
    held: BTreeSet<SlotHolder>,
}

impl Capacity {
    pub(super) fn apply(&mut self, event: &Event) {
        match event {
            Event::CapabilityDeclared(one) => self.at(one.capability).slots = Some(one.slots),
            Event::CapabilityChanged(one) => {
                let capability = self.at(one.capability);
                capability.slots = one.slots;
                assert!(
                    one.slots.is_some() || capability.held.is_empty(),
                    "a capability is removed when nobody holds a slot of it"
                );
            }
            Event::SlotReserved(one) => self.at(one.capability).reserve(&one.holder),
            Event::SlotFreed(one) => {
                let freed = self.at(one.capability).held.remove(&one.holder);
                assert!(freed, "only a slot that is held is freed");
            }
            _ => {}
        }
    }

    fn at(&mut self, capability: CapabilityNo) -> &mut Capability {
        grown(&mut self.capabilities, capability.index())
    }

    /// A job that closes gives its slots back.
    pub(super) fn job_closed(&mut self, payer: PayerNo, id: &Label) {
        if self.capabilities.iter().all(|one| one.held.is_empty()) {
            return;
        }
        let holder = SlotHolder {
            job_id: id.clone(),
            payer: Some(payer),
        };
        for capability in &mut self.capabilities {
            capability.held.remove(&holder);
        }
    }

    /// A capability; absent when it was never declared.
    #[must_use]
    pub fn get(&self, capability: CapabilityNo) -> Option<&Capability> {
        self.capabilities.get(capability.index())
    }

    /// Every capability, by number.
    pub fn all(&self) -> impl Iterator<Item = (CapabilityNo, &Capability)> {
        let numbered = self.capabilities.iter().enumerate();
        numbered.map(|(index, one)| (CapabilityNo::following(index), one))
    }
}

impl Capability {
    fn reserve(&mut self, holder: &SlotHolder) {
        let slots = self.slots.expect("only a declared capability has slots");
        let new = self.held.insert(holder.clone());
        assert!(new, "a job holds one slot of a capability");
        assert!(
            self.held.len() <= slots as usize,
            "no more slots are held than there are"
        );
    }

    /// Whether this one holds a slot.
    #[must_use]
    pub fn is_held_by(&self, holder: &SlotHolder) -> bool {
        self.held.contains(holder)
    }

    /// How many slots are held.
    #[must_use]
    pub fn in_use(&self) -> u32 {
        u32::try_from(self.held.len()).expect("slots are counted in 32 bits")
    }

    /// Who holds slots, in order.
    pub fn holders(&self) -> impl Iterator<Item = &SlotHolder> {
        self.held.iter()
    }
}
