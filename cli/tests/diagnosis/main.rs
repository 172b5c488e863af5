//! Runs `countersign explain` and `countersign verify`, which send nothing.

mod explain;
mod generated;
mod hostile;
mod secrets;
mod support;
mod verify;
