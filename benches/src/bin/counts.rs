//! Fails where signing, presigning or verifying has grown by more than 5 % over `counts.tsv`, in instructions or in
//! allocations; `--record` writes that file.

use std::process::ExitCode;

use countersign_benches::counts;

fn main() -> ExitCode {
    if counts::is_counted_run() {
        return ExitCode::SUCCESS;
    }
    let Some(counts) = counts::count(true) else {
        eprintln!("valgrind is needed to count instructions: apt-get install valgrind");
        return ExitCode::FAILURE;
    };
    let path = counts::recorded_path();
    let now = counts::print(&counts);
    print!("{now}");
    if std::env::args().nth(1).as_deref() == Some("--record") {
        std::fs::write(path, now).expect("counts.tsv is written");
        return ExitCode::SUCCESS;
    }
    let recorded = std::fs::read_to_string(path).expect("counts.tsv is read");
    let grown = counts::grown(&counts, &recorded);
    for line in &grown {
        eprintln!("{line}");
    }
    if grown.is_empty() {
        return ExitCode::SUCCESS;
    }
    eprintln!("if it has to be: cargo run --release -p countersign-benches --bin counts -- --record");
    ExitCode::FAILURE
}
