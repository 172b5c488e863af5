//! Where credentials come from.

mod attacks;
mod cache;
mod container;
mod faults;
mod imds;
mod login;
mod order;
mod process;
mod profile_chains;
mod profile_locations;
mod profiles;
mod sso;
mod sts;
mod sts_profiles;
mod world;
