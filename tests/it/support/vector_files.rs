//! The files of `test-vectors/`.

use std::collections::BTreeMap;
use std::path::Path;

use countersign_conformance::cases::Case;
use countersign_conformance::cases::sigv4a::{SigV4a, SignedRequest};

/// Name and text of each file.
pub fn texts() -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("test-vectors");
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "jsonl") {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            files.insert(name, std::fs::read_to_string(&path).unwrap());
        }
    }
    files
}

/// Name of the file, and its cases.
pub fn files() -> BTreeMap<String, Vec<Case>> {
    let read = |line: &str| Case::read(line).unwrap_or_else(|error| panic!("{error}"));
    texts().into_iter().map(|(name, text)| (name, text.lines().map(read).collect())).collect()
}

/// The requests signed with SigV4A in the files that are chosen by name.
pub fn signed_requests(from: impl Fn(&str) -> bool) -> Vec<SignedRequest> {
    let cases = files().into_iter().filter(|(file, _)| from(file)).flat_map(|(_, cases)| cases);
    let request = |case| match case {
        Case::SigV4a(case) => match *case {
            SigV4a::Request(request) => Some(*request),
            _ => None,
        },
        _ => None,
    };
    cases.filter_map(request).collect()
}
