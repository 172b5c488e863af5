//! Where credentials come from.

mod order;
mod profile_chains;
mod profile_locations;
mod profiles;
mod world;
