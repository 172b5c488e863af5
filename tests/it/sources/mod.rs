//! Where credentials come from.

mod container;
mod faults;
mod imds;
mod order;
mod sts;
mod world;
