//! Runs `countersign proxy --resign` between clients with placeholder keys and an upstream that verifies the real ones.

mod allow;
mod answers;
mod bodies;
mod client;
mod credentials;
mod events;
mod forms;
mod load;
mod presigned;
mod proxy;
mod upstream;
