//! The program as a person or a script meets it: arguments, exit codes, output.

mod completions;
mod configuration;
mod events;
mod intake;
mod ledger;
mod run;
mod sample;
mod serve;
mod usage;
