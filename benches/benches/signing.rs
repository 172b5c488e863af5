//! The same comparisons under criterion, for whoever works on one of them.

use countersign_benches::operations;
use criterion::Criterion;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    for row in operations::rows().into_iter().chain(operations::growth()) {
        let mut group = criterion.benchmark_group(format!("{}/{}", row.operation, row.request));
        for mut contender in row.contenders {
            group.bench_function(contender.who, |bencher| bencher.iter_custom(|times| contender.run(times).time));
        }
        group.finish();
    }
    criterion.final_summary();
}
