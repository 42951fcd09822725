//! The issuer's rules, each through its store: what is allowed, what is refused, and that a refusal leaves the ledger as it
//! was. `model` lets several clients loose at once and recomputes everything from what they were told.

mod activation;
mod atm;
mod ends;
mod happening;
mod model;
mod pay;
mod sign_up;
mod store;
mod top_up;
mod world;
