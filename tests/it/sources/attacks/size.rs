//! The largest input of the worst shapes.

use std::time::{Duration, Instant};

use countersign::sources::{CommandOutput, Profiles};

use crate::sources::faults::assert_no_secret;
use crate::sources::world::{World, response};

/// Far more than linear time needs, even without optimization.
const LONGEST: Duration = Duration::from_secs(10);

fn repeated(piece: &str, length: usize) -> String {
    piece.repeat(length / piece.len())
}

#[track_caller]
fn quick<T>(name: &str, run: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = run();
    assert!(start.elapsed() < LONGEST, "{:?} {name:?}", start.elapsed());
    result
}

#[test]
fn configuration_files_of_any_shape_are_read_in_linear_time() {
    for piece in [
        "[",
        "[\"a\" ",
        "[a]",
        "]",
        "=",
        "a",
        "\n",
        "\r",
        " ",
        "#",
        ";",
        " ;",
        "\"",
        "\\",
        "é",
        "[a]\n",
        "[default]\n",
        "[default]\na=b\n",
        "[profile default]\na=b\n[default]\na=b\n",
        "[profile a b]\n",
        "[profile \"a b\"]\na=b\n",
    ] {
        for start in
            ["", "[default]\n", "[default]\na=", "[default]\na =\n b = ", "[profile \"", "[\"", "[default]\na = \\\""]
        {
            let text = format!("{start}{}", repeated(piece, 40_000));
            quick(&format!("{start}{piece}"), || {
                let _ = Profiles::parse(("config", &text), ("credentials", ""));
                let _ = Profiles::parse(("config", "[profile \"a b\"]\n"), ("credentials", &text));
            });
        }
    }
    let many: String = (0..60_000).map(|n| format!("[profile p{n}]\nsource_profile=p{}\n", n + 1)).collect();
    quick("many", || World::new(&[("AWS_PROFILE", "p0")]).config(&many).resolve().unwrap_err());
    let roles: String =
        (0..20_000).map(|n| format!("[profile p{n}]\nrole_arn=arn:a\nsource_profile=p{}\n", n + 1)).collect();
    quick("roles", || World::new(&[("AWS_PROFILE", "p0")]).config(&roles).resolve().unwrap_err());
    let lines = format!("[default]\na=b\n{}", " c\n".repeat(300_000));
    quick("continued", || Profiles::parse(("config", &lines), ("credentials", "")).unwrap());
}

#[test]
fn messages_of_any_shape_are_shown_in_linear_time() {
    for piece in [
        "eyJ",
        "arn:",
        "arn:aws:",
        "Authorization=",
        "' not a valid key=value pair",
        "://",
        "://a@",
        "@",
        "token",
        "token:",
        "-",
        "--token ",
        "password '",
        "bearer ",
        "a",
        "aA1",
        "+/",
        "%",
        "\\\\/",
        "é",
        "<a>",
        "</a>",
        "<",
        "&amp;",
        "&",
        "{",
        "[",
        "\\\"",
    ] {
        let json = format!("{{\"message\":\"{}\",\"code\":\"x\"}}", repeated(piece, 40_000));
        let xml = format!("<E><Error><Message>{}</Message></Error></E>", repeated(piece, 40_000));
        for body in [json, xml, repeated(piece, 60_000)] {
            let sources = [
                vec![("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/r"), ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "a")],
                vec![("AWS_WEB_IDENTITY_TOKEN_FILE", "/t"), ("AWS_ROLE_ARN", "arn:a"), ("AWS_REGION", "a")],
                vec![],
            ];
            for variables in sources {
                for status in [200, 400] {
                    let body = body.clone();
                    let mut world =
                        World::new(&variables).file("/t", "a").network(move |_| Ok(response(status, &body)));
                    quick(piece, || assert_no_secret(&world.resolve()));
                }
            }
        }
        let stderr = repeated(piece, 4 << 10);
        let config = format!("[default]\ncredential_process = p {}\n", repeated("aaaa ", 2000));
        let output = move || CommandOutput {
            success: false,
            code: None,
            stdout: Vec::new().into(),
            stderr: stderr.as_bytes().to_vec().into(),
        };
        quick(piece, || World::new(&[]).config(&config).commands(move |_| Ok(output())).resolve().unwrap_err());
    }
}
