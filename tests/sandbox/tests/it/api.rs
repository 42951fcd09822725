//! The issuer over real sockets: TLS, proofs, bodies, listeners, events, restarts. What the rules decide is tested beside
//! the rules; here it only has to arrive.

mod bodies;
mod boundaries;
mod events;
mod faults;
mod kills;
mod lifecycle;
mod logging;
mod proofs;
mod told;
