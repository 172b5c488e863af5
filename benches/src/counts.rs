//! Instructions, counted by valgrind's callgrind, and allocations: figures that don't drift with the load of a machine.
//!
//! Valgrind offers no SHA instructions to the program, so hashing is counted as it runs without them, and dwarfs the
//! rest. What is held against the recorded figures is therefore what is left after the floor's own count.

use std::process::{Command, Stdio};

use crate::contenders::{aws_sigv4, countersign, reqsign, rusty_s3, s3s, scratchstack};
use crate::measure::Row;
use crate::{operations, requests};

/// The operations that are counted, and by whom.
const COUNTED: [(&str, &[&str]); 4] = [
    (operations::SIGN, &[FLOOR, countersign::HTTP, countersign::WIRE, aws_sigv4::WHO, reqsign::WHO]),
    (operations::PRESIGN, &[FLOOR, countersign::WIRE, aws_sigv4::WHO, rusty_s3::WHO]),
    (operations::VERIFY, &[FLOOR, countersign::HTTP, countersign::WIRE, scratchstack::WHO]),
    (operations::VERIFY_PRESIGNED, &[FLOOR, countersign::WIRE, s3s::WHO]),
];
const FLOOR: &str = "floor";

fn row(operation: &str) -> Row {
    match operation {
        operations::SIGN => operations::sign(requests::api_gateway()),
        operations::PRESIGN => operations::presign(requests::s3_get()),
        operations::VERIFY => operations::verify(requests::api_gateway()),
        operations::VERIFY_PRESIGNED => operations::verify_presigned(requests::s3_get()),
        other => panic!("{other} is not counted"),
    }
}

pub struct Count {
    pub operation: &'static str,
    pub request: String,
    pub who: &'static str,
    pub instructions: u64,
    /// Without the floor's.
    pub above_floor: u64,
    pub allocations: u64,
    pub bytes: u64,
}

const RUN: &str = "--run";

/// What the counted process does: `--run OPERATION WHO TIMES`. Says whether this is that process.
pub fn is_counted_run() -> bool {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, run, operation, who, times] = &arguments[..] else { return false };
    if run != RUN {
        return false;
    }
    row(operation).contender(who).run(times.parse().expect("a number"));
    true
}

/// Runs this program under callgrind, as often as there is something to count; `None` where there is no valgrind.
pub fn count(ours_only: bool) -> Option<Vec<Count>> {
    Command::new("valgrind").arg("--version").stdout(Stdio::null()).status().ok()?;
    let mut counts = Vec::new();
    for (operation, contenders) in COUNTED {
        let mut row = row(operation);
        let mut floor = 0;
        for &who in contenders {
            if ours_only && who != FLOOR && !who.starts_with("countersign") {
                continue;
            }
            let instructions = (instructions(operation, who, 96) - instructions(operation, who, 32)) / 64;
            if who == FLOOR {
                floor = instructions;
            }
            row.contender(who).run(3);
            let memory = row.contender(who).run(1);
            counts.push(Count {
                operation,
                request: row.request.clone(),
                who,
                instructions,
                above_floor: instructions - floor,
                allocations: memory.allocations,
                bytes: memory.bytes,
            });
        }
    }
    Some(counts)
}

/// Of the measured part alone, by callgrind's own summary.
fn instructions(operation: &str, who: &str, times: u32) -> u64 {
    let program = std::env::current_exe().expect("this program");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=*measure*measured*"])
        .arg(program)
        .args([RUN, operation, who, &times.to_string()])
        .output()
        .expect("valgrind runs");
    let text = String::from_utf8_lossy(&output.stderr);
    let collected = text.lines().find_map(|line| line.split_once("Collected : ")).expect("callgrind's summary");
    assert!(output.status.success(), "{text}");
    collected.1.trim().parse().expect("a number")
}

/// The recorded figures: operation, who, instructions above the floor, allocations and their bytes, by tabs.
pub fn recorded_path() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("counts.tsv")
}

pub fn print(counts: &[Count]) -> String {
    let mut text = String::from("operation\twho\tinstructions above the floor\tallocations\tbytes allocated\n");
    for count in counts.iter().filter(|count| count.who != FLOOR) {
        let Count { operation, who, above_floor, allocations, bytes, .. } = count;
        text += &format!("{operation}\t{who}\t{above_floor}\t{allocations}\t{bytes}\n");
    }
    text
}

/// What has grown by more than 5 % of what is recorded, or is not recorded, or is recorded and gone.
pub fn grown(counts: &[Count], recorded: &str) -> Vec<String> {
    let now = print(counts);
    let mut grown = Vec::new();
    for (now, recorded) in now.lines().zip(recorded.lines()) {
        let [now, recorded] = [now, recorded].map(|line| line.split('\t').collect::<Vec<_>>());
        let name = now[..2].join(", ");
        if now[..2] != recorded[..2] {
            grown.push(format!("{name} is not where it is recorded"));
            continue;
        }
        for (index, what) in [(2, "instructions above the floor"), (3, "allocations"), (4, "bytes allocated")] {
            if let (Ok(n), Ok(r)) = (now[index].parse::<f64>(), recorded[index].parse::<f64>())
                && n > 1.05 * r
            {
                grown.push(format!("{name}: {n} {what}, recorded are {r}"));
            }
        }
    }
    if now.lines().count() != recorded.lines().count() {
        grown.push("not the operations that are recorded".into());
    }
    grown
}
