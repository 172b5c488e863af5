//! The order of the sources.

use countersign::sources::{Outcome, Resolver, SourceKind};

use super::world::World;

const KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "AKIDENV"), ("AWS_SECRET_ACCESS_KEY", "secret")];

#[test]
fn the_environment_comes_first_and_needs_no_network() {
    let mut world = World::new(&KEYS);
    let resolved = world.resolve().unwrap();
    assert_eq!(resolved.credentials.access_key_id(), "AKIDENV");
    assert_eq!(resolved.source, SourceKind::Environment);
    assert_eq!(world.log, ["read /home/u/.aws/config", "read /home/u/.aws/credentials"]);
}
