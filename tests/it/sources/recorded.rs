//! The recorded resolutions of `tests/recorded`. `tests/conformance/tests/credentials.rs` shows that a changed one fails.
#![cfg(unix)]

#[test]
fn recorded_resolutions() {
    let recorded = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded");
    let mut passed = 0;
    for entry in std::fs::read_dir(recorded).unwrap() {
        let path = entry.unwrap().path();
        let counts = countersign_conformance::credentials::run(&path, |case, failure| panic!("{case}: {failure}"));
        passed += counts.passed;
    }
    assert_eq!(passed, 77 + 50);
}
