//! The recipes are in `examples/`.
