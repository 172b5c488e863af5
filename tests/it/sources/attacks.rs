//! What a review found by attacking the sources, and what it must not find again.

#[cfg(unix)]
mod driver;
mod files;
mod leaks;
mod size;
