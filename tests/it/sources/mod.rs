//! Where credentials come from.

mod order;
mod world;
