//! Where credentials come from.

mod attacks;
mod cache;
mod container;
mod driver;
mod faults;
mod imds;
mod login;
mod order;
mod process;
mod profile_chains;
mod profile_locations;
mod profiles;
mod recipes;
mod recorded;
mod sso;
mod sts;
mod sts_profiles;
mod world;
