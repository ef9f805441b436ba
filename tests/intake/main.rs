//! Files taken in: whatever the order of delivery, the same is owed to the same workers.

mod ledger;
mod pool;
mod random;
mod sample;
