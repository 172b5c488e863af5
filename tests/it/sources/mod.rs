//! Where credentials come from.

mod login;
mod order;
mod process;
mod profile_chains;
mod profile_locations;
mod profiles;
mod sso;
mod world;
