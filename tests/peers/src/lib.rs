//! Empty: the comparisons are in `tests/`.
