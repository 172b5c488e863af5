//! Where credentials come from.

mod cache;
mod container;
mod faults;
mod imds;
mod order;
mod profile_chains;
mod profile_locations;
mod profiles;
mod sts;
mod sts_profiles;
mod world;
