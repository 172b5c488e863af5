//! The figures of one run, as one text.

use std::fmt::Write;

use crate::contenders::countersign::{HTTP, NO_KEY, WIRE};
use crate::contenders::{s3s, streaming};
use crate::counts::{self, Count};
use crate::measure::{Figure, Row, measure, two_threads};
use crate::operations::{self, DECODE, DERIVE, ENCODE, PRESIGN, SIGN, VERIFY, VERIFY_PRESIGNED};
use crate::requests;

/// How SHA-256 is computed: by the processor's instructions for it, or as on one that has none.
pub const IS_SOFTWARE: bool = cfg!(sha2_backend = "soft");

const BUDGET: &str = "\
Of the requests that `counts.tsv` is about: API Gateway GET, and S3 GET where it is presigned. A prototype has shown what can
be had; instructions decide, where time agrees.";

/// What an operation may cost: instructions above the floor, and the time as a multiple of the floor.
struct Goal {
    what: &'static str,
    operation: &'static str,
    who: &'static str,
    budget: (u64, f64),
    stretch: (u64, f64),
}

const GOALS: [Goal; 5] = [
    Goal { what: "sign wire parts", operation: SIGN, who: WIRE, budget: (4000, 1.85), stretch: (3300, 1.65) },
    Goal { what: "sign an `http::Request`", operation: SIGN, who: HTTP, budget: (6000, 2.5), stretch: (5200, 2.3) },
    Goal { what: "presign", operation: PRESIGN, who: WIRE, budget: (5000, 2.0), stretch: (4300, 2.0) },
    Goal { what: "verify an `http::Request`", operation: VERIFY, who: HTTP, budget: (8000, 2.9), stretch: (6500, 2.5) },
    Goal {
        what: "verify, presigned",
        operation: VERIFY_PRESIGNED,
        who: WIRE,
        budget: (10_000, 3.2),
        stretch: (8000, 3.2),
    },
];

impl Goal {
    fn request(&self) -> String {
        match self.operation {
            SIGN | VERIFY => requests::api_gateway().name,
            _ => requests::s3_get().name,
        }
    }
}

pub struct Measured {
    pub operation: &'static str,
    pub request: String,
    pub figures: Vec<Figure>,
}

impl Measured {
    fn of(mut row: Row) -> Self {
        eprintln!("{}: {}", row.operation, row.request);
        let figures = measure(&mut row.contenders);
        Self { operation: row.operation, request: row.request, figures }
    }

    pub fn get(&self, who: &str) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.who == who)
    }

    fn floor(&self) -> f64 {
        self.figures[0].nanoseconds
    }

    pub fn of_floor(&self, who: &str) -> Option<f64> {
        self.get(who).map(|figure| figure.nanoseconds / self.floor())
    }

    /// What the peers are measured against: as most of them do, with the headers inserted into an `http::Request`.
    fn ours(&self) -> f64 {
        self.get(HTTP).or(self.get(WIRE)).unwrap_or(&self.figures[1]).nanoseconds
    }

    fn is_large(&self) -> bool {
        self.request.contains("MiB")
    }
}

pub struct Results {
    pub rows: Vec<Measured>,
    growth: Vec<Measured>,
    two_threads: f64,
    counts: Option<Vec<Count>>,
}

impl Results {
    pub fn measure() -> Self {
        let case = requests::api_gateway();
        let signer = crate::contenders::countersign::signer(&case);
        let two_threads = two_threads(&signer, |signer| {
            let request = case.wire(&[]);
            std::hint::black_box(signer.sign(request, countersign::Payload::EMPTY, requests::now()).is_ok());
        });
        Self {
            two_threads,
            rows: operations::rows().into_iter().map(Measured::of).collect(),
            growth: operations::growth().into_iter().map(Measured::of).collect(),
            counts: counts::count(false),
        }
    }

    pub fn markdown(&self) -> String {
        let mut out = String::new();
        let _ = self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        if IS_SOFTWARE {
            writeln!(out, "# Measured side by side, with SHA-256 in software\n")?;
            writeln!(out, "As in `RESULTS.md`, with `RUSTFLAGS='--cfg sha2_backend=\"soft\"'`.\n")?;
        } else {
            writeln!(out, "# Measured side by side\n\n![Time as a multiple of the floor](chart.svg)\n")?;
        }
        writeln!(
            out,
            "One run of `cargo run --release -p countersign-benches --bin report`, which wrote this page. On each \
             request\nthe contenders take turns, and each figure is a median; compare figures of \
             one page only. The floor is SHA-256 over the\ncanonical request, HMAC over the string to sign with the \
             key's state kept, and SHA-256 over the body where there is one,\nby the same libraries. Every result was \
             checked against the expected signature before it was timed.\n"
        )?;
        writeln!(out, "- Processor: {}", processor())?;
        writeln!(out, "- Compiler: {}, default release profile", compiler())?;
        writeln!(
            out,
            "- SHA-256: {}",
            if IS_SOFTWARE { "in software" } else { "as `sha2` chooses for the processor" }
        )?;
        writeln!(out, "- Peers: {}\n", versions())?;
        self.write_budget(out)?;
        self.write_rows(out)?;
        self.write_growth(out)?;
        self.write_counts(out)?;
        if IS_SOFTWARE {
            return Ok(());
        }
        writeln!(out, "## Weight of the dependency\n")?;
        writeln!(out, "{}", include_str!("../weight.md").trim_end())?;
        writeln!(out, "\n{}", include_str!("../NOTES.md").trim_end())
    }

    fn write_budget(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "## The budget\n\n{BUDGET}\n")?;
        writeln!(out, "| | instructions above the floor | budget, stretch | × floor | budget, stretch | |")?;
        writeln!(out, "|---|--:|---|--:|---|---|")?;
        for goal in &GOALS {
            self.write_goal(goal, out)?;
        }
        writeln!(out, "\n| | budget | measured | |\n|---|---|---|---|")?;
        let mut line = |what: &str, budget: String, measured: String, met: Option<bool>| {
            let verdict = match met {
                Some(true) => "met",
                Some(false) => "**missed**",
                None => "",
            };
            writeln!(out, "| {what} | {budget} | {measured} | {verdict} |")
        };
        for (what, operation) in [("sign, 1 MiB body", SIGN), ("verify, 1 MiB body", VERIFY)] {
            let times = self
                .of(operation)
                .filter(|row| row.is_large())
                .filter_map(|row| row.of_floor(WIRE))
                .fold(0.0, f64::max);
            line(what, "≤ 1.02 × floor".into(), format!("{times:.3} × floor"), Some(times <= 1.02))?;
        }
        for (what, operation, who, budget) in [
            ("encode, whole chunks", ENCODE, streaming::WHO, 0.95),
            ("encode, pieces of 16 KiB", ENCODE, streaming::IN_PIECES, 0.95),
            ("encode, on two threads", ENCODE, streaming::TWO_THREADS, 1.7),
            ("decode, whole chunks", DECODE, streaming::WHO, 0.95),
            ("decode, pieces of 16 KiB, copied", DECODE, streaming::IN_PIECES, 0.95),
            ("decode, pieces of 16 KiB, kept", DECODE, streaming::IN_BYTES, 0.97),
        ] {
            let throughput = self.of(operation).filter_map(|row| row.of_floor(who)).fold(0.0, f64::max).recip();
            line(
                &format!("aws-chunked, {what}"),
                format!("≥ {budget} × the throughput of SHA-256 on one thread"),
                format!("{throughput:.3} ×"),
                Some(throughput >= budget),
            )?;
        }
        for (what, operation) in [("10 → 1,000, sign", SIGN), ("10 → 1,000, verify", VERIFY)] {
            for unit in ["headers", "query pairs"] {
                let times = |count: usize| {
                    let name = format!("{count} {unit}");
                    let row = self.growth.iter().find(|row| row.operation == operation && row.request == name);
                    row.and_then(|row| row.get(WIRE)).map_or(f64::NAN, |figure| figure.nanoseconds)
                };
                // n log n grows by 100 · log 1000 / log 10 = 300.
                let growth = times(1000) / times(10);
                line(
                    &format!("{what} {unit}"),
                    "≤ 300 × the time (n log n)".into(),
                    format!("{growth:.0} ×"),
                    Some(growth <= 300.0),
                )?;
            }
        }
        let derivation = self.of(DERIVE).next().map_or(f64::NAN, Measured::floor);
        for (what, operation) in [("sign", SIGN), ("verify", VERIFY)] {
            let extra: Vec<f64> = self
                .of(operation)
                .filter(|row| !row.is_large())
                .filter_map(|row| Some(row.get(NO_KEY)?.nanoseconds - row.get(WIRE)?.nanoseconds))
                .collect();
            let times = extra.iter().copied().fold(0.0, f64::max) / derivation;
            let what = format!("{what}, what a key not at hand adds");
            line(&what, "its five HMACs".into(), format!("{times:.2} × five HMACs"), Some(times <= 1.15))?;
        }
        for (what, operation, peer) in [
            ("sign", SIGN, "aws-sigv4"),
            ("sign", SIGN, "reqsign-aws-v4"),
            ("sign", SIGN, "aws-sign-v4"),
            ("presign", PRESIGN, "rusty-s3"),
            ("verify", VERIFY, "scratchstack"),
            ("verify", VERIFY, s3s::WHO),
            ("verify presigned", VERIFY_PRESIGNED, s3s::WHO),
        ] {
            let rows = || self.of(operation).filter(|row| !row.is_large() && row.get(peer).is_some());
            let faster = |row: &Measured, who| Some(row.get(peer)?.nanoseconds / row.get(who)?.nanoseconds);
            let range = |who: &'static str| {
                let times: Vec<f64> = rows().filter_map(|row| faster(row, who)).collect();
                (times.iter().copied().fold(f64::MAX, f64::min), times.iter().copied().fold(0.0, f64::max))
            };
            let ((low, high), (_, floor)) = (range(WIRE), range("floor"));
            line(
                &format!("{what}, faster than {peer}"),
                "–".into(),
                format!("{low:.1} to {high:.1} × (the floor itself: up to {floor:.1} ×)"),
                None,
            )?;
        }
        line(
            "two threads on one signer",
            "≥ 1.9 × the signatures of one".into(),
            format!("{:.2} ×", self.two_threads),
            Some(self.two_threads >= 1.9),
        )?;
        writeln!(out)
    }

    fn write_goal(&self, goal: &Goal, out: &mut String) -> std::fmt::Result {
        let Goal { what, operation, who, budget, stretch } = *goal;
        let row = self.of(operation).find(|row| row.request == goal.request());
        let times = row.and_then(|row| row.of_floor(who)).unwrap_or(f64::NAN);
        let count = self.counts.iter().flatten().find(|count| (count.operation, count.who) == (operation, who));
        let count = count.map(|count| count.above_floor);
        let is_within = |(most, most_times)| count.is_some_and(|count| count <= most) && times <= most_times;
        let verdict = match (is_within(stretch), is_within(budget)) {
            (true, _) => "met, and the stretch",
            (false, true) => "met",
            (false, false) => "**missed**",
        };
        let counted = count.map_or_else(|| "–".into(), |count| count.to_string());
        writeln!(
            out,
            "| {what} | {counted} | {}, {} | {times:.2} | {:.2}, {:.2} | {verdict} |",
            budget.0, stretch.0, budget.1, stretch.1
        )
    }

    fn of(&self, operation: &'static str) -> impl Iterator<Item = &Measured> {
        self.rows.iter().filter(move |row| row.operation == operation)
    }

    fn write_rows(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "## Each request\n")?;
        writeln!(out, "| operation | request | who | ns | × floor | × countersign | allocations |")?;
        writeln!(out, "|---|---|---|--:|--:|--:|--:|")?;
        for row in &self.rows {
            for (index, figure) in row.figures.iter().enumerate() {
                let (operation, request) = if index == 0 { (row.operation, row.request.as_str()) } else { ("", "") };
                writeln!(
                    out,
                    "| {operation} | {request} | {} | {:.0} | {:.2} | {:.2} | {} |",
                    figure.who,
                    figure.nanoseconds,
                    figure.nanoseconds / row.floor(),
                    figure.nanoseconds / row.ours(),
                    figure.allocations
                )?;
            }
        }
        writeln!(out)
    }

    fn write_growth(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "## Growth\n")?;
        writeln!(out, "| operation | request | floor, ns | countersign, wire, ns | × floor | allocations |")?;
        writeln!(out, "|---|---|--:|--:|--:|--:|")?;
        for row in &self.growth {
            let Some(ours) = row.get(WIRE) else { continue };
            writeln!(
                out,
                "| {} | {} | {:.0} | {:.0} | {:.2} | {} |",
                row.operation,
                row.request,
                row.floor(),
                ours.nanoseconds,
                ours.nanoseconds / row.floor(),
                ours.allocations
            )?;
        }
        writeln!(out)
    }

    fn write_counts(&self, out: &mut String) -> std::fmt::Result {
        let Some(counts) = &self.counts else { return writeln!(out, "Instructions were not counted: no valgrind.\n") };
        writeln!(out, "## Instructions\n")?;
        writeln!(
            out,
            "By callgrind, which shows the program no SHA instructions: hashing, which is all of the floor, costs far \
             more here than it\ndoes on this processor. `cargo run --release -p countersign-benches --bin counts` holds \
             our figures above the floor, and our\nallocations, against `counts.tsv`.\n"
        )?;
        writeln!(
            out,
            "| operation | request | who | instructions | above the floor | allocations | bytes allocated |"
        )?;
        writeln!(out, "|---|---|---|--:|--:|--:|--:|")?;
        for count in counts {
            let Count { operation, request, who, instructions, above_floor, allocations, bytes } = count;
            writeln!(
                out,
                "| {operation} | {request} | {who} | {instructions} | {above_floor} | {allocations} | {bytes} |"
            )?;
        }
        writeln!(out)
    }
}

fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let value = text.lines().find_map(|line| line.split_once(':').filter(|(key, _)| key.trim() == name));
        value.map_or("unknown", |(_, value)| value.trim())
    };
    let sha = if field("flags").split(' ').any(|flag| flag == "sha_ni") { "with" } else { "without" };
    format!(
        "{} (family {}, model {}), {sha} SHA instructions",
        field("model name"),
        field("cpu family"),
        field("model")
    )
}

fn compiler() -> String {
    let output = std::process::Command::new("rustc").arg("--version").output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.split(' ').take(2).collect::<Vec<_>>().join(" ").trim().to_owned()
}

/// As the lock file has them.
fn versions() -> String {
    const LOCK: &str = include_str!("../../Cargo.lock");
    let peers = ["aws-sigv4", "reqsign-aws-v4", "rusty-s3", "aws-sign-v4", "scratchstack-aws-signature", "s3s"];
    let version = |name: &str| {
        let entry = LOCK.split("[[package]]").find(|entry| entry.contains(&format!("name = \"{name}\"\n")))?;
        entry.split("version = \"").nth(1)?.split('"').next()
    };
    peers.map(|name| format!("{name} {}", version(name).unwrap_or("?"))).join(", ")
}
