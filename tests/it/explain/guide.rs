//! The explanations of the guide are those that are printed.

use std::collections::BTreeMap;

use countersign_conformance::cases::Case;

use super::catalogue::certainty;
use crate::support::vector_files::files;

const GUIDE: &str = include_str!("../../../src/explain/GUIDE.md");

#[test]
fn each_explanation_of_the_guide_is_what_is_printed() {
    let mut printed = BTreeMap::new();
    let mut certainties: BTreeMap<&str, usize> = BTreeMap::new();
    for case in files().remove("explain").unwrap() {
        let Case::Explain(case) = case else { panic!("another kind of case") };
        let explanation = case.explanation().unwrap();
        *certainties.entry(certainty(&explanation)).or_default() += 1;
        printed.insert(case.id().to_owned(), explanation.to_string());
    }
    println!("first findings: {certainties:?}");
    let mut shown = 0;
    for block in GUIDE.split("<!-- ").skip(1) {
        let (id, text) = block.split_once(" -->\n```text\n").unwrap();
        let text = text.split_once("\n```\n").unwrap().0;
        assert_eq!(text, printed[id].trim_end(), "{id}");
        shown += 1;
    }
    assert!(shown >= 10, "{shown}");
}
