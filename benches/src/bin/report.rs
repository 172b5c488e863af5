//! Measures everything, prints it, and writes `RESULTS.md` and `chart.svg` beside this package's manifest.

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
    std::fs::write(folder.join("RESULTS.md"), text).expect("RESULTS.md is written");
    std::fs::write(folder.join("chart.svg"), chart::svg(&results)).expect("chart.svg is written");
}
