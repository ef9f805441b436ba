//! The program as a person or a script meets it: arguments, exit codes, output.

mod completions;
mod configuration;
mod ledger;
mod run;
mod usage;
