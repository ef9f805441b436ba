//! Files taken in: whatever the order of delivery, the same is owed to the same workers.

mod anarchy;
mod cases;
mod files;
mod ledger;
mod oracle;
mod pool;
mod random;
mod sample;
mod script;
