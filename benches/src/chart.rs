//! The chart that `RESULTS.md` shows: bars in multiples of the floor.

use std::fmt::Write;

use crate::contenders::countersign::{HTTP, WIRE};
use crate::operations::{PRESIGN, SIGN, VERIFY};
use crate::results::Results;

const WIDTH: f64 = 760.0;
const LEFT: f64 = 190.0;
const BAR: f64 = 18.0;
const STEP: f64 = 24.0;

pub fn svg(results: &Results) -> String {
    let groups = [(SIGN, "API Gateway GET"), (PRESIGN, "S3 GET"), (VERIFY, "API Gateway GET")];
    let rows: Vec<_> = groups
        .iter()
        .filter_map(|(operation, request)| {
            results.rows.iter().find(|row| row.operation == *operation && row.request == *request)
        })
        .collect();
    let shown = |who: &str| who == "floor" || who == HTTP || who == WIRE || !who.starts_with("countersign");
    let longest = rows
        .iter()
        .flat_map(|row| row.figures.iter().filter_map(|figure| row.of_floor(figure.who)))
        .fold(1.0, f64::max);
    let scale = (WIDTH - LEFT - 70.0) / longest;

    let mut body = String::new();
    let mut y = 44.0;
    for row in rows {
        let _ =
            writeln!(body, r#"<text class="t h" x="12" y="{:.0}">{}: {}</text>"#, y + 12.0, row.operation, row.request);
        y += STEP;
        for figure in row.figures.iter().filter(|figure| shown(figure.who)) {
            let times = row.of_floor(figure.who).unwrap_or_default();
            let class = match figure.who {
                "floor" => "f",
                who if who.starts_with("countersign") => "o",
                _ => "p",
            };
            let (text, width) = (y + 13.0, times * scale);
            let _ = writeln!(
                body,
                r#"<text class="t" x="{:.0}" y="{text:.0}" text-anchor="end">{}</text>"#,
                LEFT - 8.0,
                figure.who
            );
            let _ = writeln!(
                body,
                r#"<rect class="{class}" x="{LEFT:.0}" y="{y:.0}" width="{width:.1}" height="{BAR:.0}" rx="2"/>"#
            );
            let _ =
                writeln!(body, r#"<text class="t" x="{:.1}" y="{text:.0}">{times:.1} ×</text>"#, LEFT + width + 6.0);
            y += STEP;
        }
        y += 10.0;
    }
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:.0} {y:.0}" width="{WIDTH:.0}" height="{y:.0}" role="img">
<title>Time as a multiple of the floor, less is better</title>
<style>
.t {{ font: 13px system-ui, sans-serif; fill: #24292f; }}
.h {{ font-weight: 600; }}
.f {{ fill: #8c959f; }}
.o {{ fill: #1a7f37; }}
.p {{ fill: #bf8700; }}
@media (prefers-color-scheme: dark) {{ .t {{ fill: #e6edf3; }} .o {{ fill: #3fb950; }} .p {{ fill: #d29922; }} }}
</style>
<text class="t h" x="12" y="24">Time as a multiple of the floor (one SHA-256, one HMAC); less is better</text>
{body}</svg>
"#
    )
}
