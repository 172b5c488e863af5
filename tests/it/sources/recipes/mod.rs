//! The recipe for ureq, in `examples/credentials.rs`.

mod checks;
#[allow(dead_code)]
#[path = "../../../../examples/credentials.rs"]
mod ureq_recipe;

use crate::examples::example;

#[test]
fn ureq() {
    checks::all(ureq_recipe::send);
}

#[test]
fn ureq_with_a_proxy() {
    checks::instances_are_asked_without_proxy(&mut example("credentials"));
    checks::sts_is_asked_by_proxy(&mut example("credentials"));
}
