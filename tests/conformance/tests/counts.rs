//! The three counts of a file, in a build with all features and in builds that have no code for some kinds of cases.

use std::path::Path;

use countersign_conformance::Counts;

fn count(file: &str) -> Counts {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../test-vectors").join(file);
    Counts::of(&std::fs::read_to_string(path).unwrap(), |line, difference| panic!("{file}:{line}: {difference}"))
}

/// `optional` of the cases need a feature.
fn expected(always: usize, optional: usize, has_feature: bool) -> Counts {
    let (passed, skipped) = if has_feature { (always + optional, 0) } else { (always, optional) };
    Counts { passed, failed: 0, skipped }
}

#[test]
fn a_case_is_skipped_where_its_feature_is_off_and_nowhere_else() {
    let post_policy = cfg!(feature = "post-policy");
    assert_eq!(count("chunked.jsonl"), expected(0, 24, cfg!(feature = "streaming")));
    assert_eq!(count("explain.jsonl"), expected(0, 300, cfg!(feature = "explain")));
    assert_eq!(count("post_policy.jsonl"), expected(0, 14, post_policy));
    assert_eq!(count("tokens.jsonl"), expected(0, 16, cfg!(feature = "tokens")));
    // Chunks decide eight of them.
    assert_eq!(count("verify_reject.jsonl"), expected(133, 8, cfg!(feature = "streaming")));
    // A file of two kinds.
    assert_eq!(count("documentation.jsonl"), expected(7, 1, post_policy));
    assert_eq!(count("s3express.jsonl"), expected(5, 0, false));
}

#[test]
fn a_case_that_cannot_be_read_is_a_failure_in_every_build() {
    let mut lines = Vec::new();
    let text = "{\n\n{\"id\":\"a\",\"suite\":\"verify_reject\"}\n{\"id\":\"b\"}";
    let counts = Counts::of(text, |line, _| lines.push(line));
    assert_eq!((counts, lines), (Counts { passed: 0, failed: 3, skipped: 0 }, vec![1, 3, 4]));
    assert_eq!(counts.to_string(), "0 passed, 3 failed, 0 skipped");
}

#[test]
fn no_kind_of_case_may_have_a_field_that_nobody_reads() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../test-vectors");
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "jsonl") {
            continue;
        }
        files += 1;
        let text = std::fs::read_to_string(&path).unwrap();
        let colour = text.replace("\"suite\":", "\"colour\":1,\"suite\":");
        let mut said = Vec::new();
        let counts = Counts::of(&colour, |_, difference| said.push(difference.to_string()));
        assert_eq!(counts.passed, 0, "{}", path.display());
        assert_eq!((counts.failed, counts.skipped), (said.len(), text.lines().count() - said.len()));
        assert!(said.iter().all(|said| said.contains("unknown field `colour`")), "{}: {said:?}", path.display());

        // Tokens are read by way of a map, which keeps the last.
        if path.ends_with("tokens.jsonl") {
            continue;
        }
        let twice = text.replace("\"suite\":", "\"source\":1,\"source\":2,\"suite\":");
        assert_eq!(Counts::of(&twice, |_, _| {}).passed, 0, "{}", path.display());
    }
    assert!(files >= 15, "{files}");
}
