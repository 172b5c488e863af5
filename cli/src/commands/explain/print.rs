//! The explanation, as text or JSON.

use countersign::explain::{Cause, Deviation, Diagnosis, Explanation};
use serde_json::{Value, json};

use super::names_a_cause;
use crate::args::ExplainArgs;
use crate::failure::Failure;
use crate::output::{Output, Style, printable};

/// How to find out more about a mismatch.
const HINT: &str = "With --profile, --user or --with-credentials, and the request as it was sent (--sent), the mistake of its \
                    signer is named if it is a known one.\n";

/// Prints the result, and returns `true` if a cause was named.
pub fn result(args: &ExplainArgs, explanation: &Explanation, diagnosis: Option<&Diagnosis>) -> Result<bool, Failure> {
    let named = names_a_cause(explanation, diagnosis);
    let output = Output::new();
    if args.json {
        let mut value = serde_json::to_value(explanation).map_err(Failure::usage)?;
        if let Value::Object(fields) = &mut value {
            fields.insert("cause_named".into(), named.into());
            fields.insert("signer".into(), diagnosis.map_or(Value::Null, as_json));
        }
        output.print(&format!("{value:#}\n"))?;
        return Ok(named);
    }
    let mut text = coloured(output, &explanation.to_string());
    if explanation.findings().len() == 0 {
        text.push_str("The answer is not a refusal; there is nothing to explain.\n");
    }
    if let Some(diagnosis) = diagnosis {
        text.push_str(&coloured(output, &of_signer(diagnosis)));
    }
    let is_mismatch = explanation.findings().any(|finding| *finding.cause() == Cause::Mismatch);
    if is_mismatch && diagnosis.is_none() && args.sent.url.is_none() {
        text.push_str(HINT);
    }
    output.print(&text)?;
    Ok(named)
}

/// The lines of a text, styled by how they begin: causes are bold, and a diff is red and green.
fn coloured(output: Output, text: &str) -> String {
    let mut lines = String::new();
    for line in printable(text).lines() {
        let style = match line.as_bytes() {
            [b'-', ..] => Some(Style::Red),
            [b'+', ..] => Some(Style::Green),
            [digit, ..] if digit.is_ascii_digit() && line.contains(". ") => Some(Style::Bold),
            _ => None,
        };
        match style {
            Some(style) => lines.push_str(&output.style_out(style, line)),
            None => lines.push_str(line),
        }
        lines.push('\n');
    }
    lines
}

/// What the credentials show about the signer.
pub fn of_signer(diagnosis: &Diagnosis) -> String {
    let mut text = format!("checked with the credentials: {diagnosis}");
    match diagnosis {
        Diagnosis::Right => text.push_str("; the request was changed in transit, or refused for another reason"),
        Diagnosis::Deviates { deviations, equivalent } => {
            for deviation in deviations {
                text.push_str(&format!("\n   fix:      {}", deviation.fix()));
            }
            if !equivalent.is_empty() {
                let others: Vec<String> = equivalent.iter().map(ToString::to_string).collect();
                text.push_str(&format!("\n   or:       {}", others.join("; or ")));
            }
        }
        Diagnosis::Unknown { tried, .. } => text.push_str(&format!(
            " ({tried} texts and keys were tried); likely the secret is another one, or the request was changed after \
             it was signed"
        )),
        _ => {}
    }
    text
}

/// The same as data.
pub fn as_json(diagnosis: &Diagnosis) -> Value {
    let list = |deviations: &[Deviation]| -> Vec<Value> {
        let one = |deviation: &Deviation| json!({ "name": deviation.name(), "message": deviation.to_string(), "fix": deviation.fix() });
        deviations.iter().map(one).collect()
    };
    let result = match diagnosis {
        Diagnosis::Right => "right",
        Diagnosis::Deviates { .. } => "deviates",
        Diagnosis::Unknown { .. } => "unknown",
        Diagnosis::Refused(_) => "refused",
        _ => "other",
    };
    let (deviations, equivalent) = match diagnosis {
        Diagnosis::Deviates { deviations, equivalent } => (list(deviations), list(equivalent)),
        _ => Default::default(),
    };
    json!({ "result": result, "message": diagnosis.to_string(), "deviations": deviations, "equivalent": equivalent })
}
