//! What stands in bodies, and how it becomes commands. Fields are checked here for form and range;
//! whether a command may happen is decided elsewhere.

pub(crate) mod answer;
pub(crate) mod batch;
pub(crate) mod field;
pub(crate) mod grant;
pub(crate) mod grant_answer;
pub(crate) mod grant_row;
pub(crate) mod instruction;
pub(crate) mod job;
pub(crate) mod job_answer;
pub(crate) mod job_view;
pub(crate) mod matching;
pub(crate) mod money;
pub(crate) mod payout;
pub(crate) mod policy;
pub(crate) mod pool;
pub(crate) mod register;
pub(crate) mod socket;
pub(crate) mod ticket;
pub(crate) mod wish;
pub(crate) mod worker;
