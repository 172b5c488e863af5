//! Where credentials come from.

mod cache;
mod order;
mod world;
