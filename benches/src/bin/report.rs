//! Measures everything, prints it, and writes `RESULTS.md` and `chart.svg` beside this package's manifest. If hashing is
//! built in software (`RUSTFLAGS='--cfg sha2_backend="soft"'`), it writes `RESULTS-software.md` alone.

use std::path::Path;

use countersign_benches::{chart, counts, results};

fn main() {
    if counts::is_counted_run() {
        return;
    }
    let results = results::Results::measure();
    let text = results.markdown();
    println!("{text}");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    if results::IS_SOFTWARE {
        std::fs::write(folder.join("RESULTS-software.md"), text).expect("RESULTS-software.md is written");
        return;
    }
    std::fs::write(folder.join("RESULTS.md"), text).expect("RESULTS.md is written");
    std::fs::write(folder.join("chart.svg"), chart::svg(&results)).expect("chart.svg is written");
}
