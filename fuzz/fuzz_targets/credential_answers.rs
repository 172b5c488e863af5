#![no_main]

use countersign::Timestamp;
use countersign::sources::{Answer, Ask, AskError, AskErrorKind, CommandOutput, Environment, Progress, Resolver};
use libfuzzer_sys::fuzz_target;

const CONFIG: &str = r#"[profile sso]
sso_session = corp
sso_account_id = 123456789012
sso_role_name = Admin
[profile legacy]
sso_start_url = https://corp.awsapps.com/start
sso_region = cn-north-1
sso_account_id = 123456789012
sso_role_name = Admin
[profile login]
login_session = arn:aws:iam::123456789012:user/alice
region = eu-west-1
[profile process]
credential_process = helper --secret 'argument'
[profile role]
role_arn = arn:aws:iam::123456789012:role/Admin
source_profile = process
mfa_serial = arn:aws:iam::123456789012:mfa/alice
[profile web]
role_arn = arn:aws:iam::123456789012:role/Admin
web_identity_token_file = /token
[profile container]
role_arn = arn:aws:iam::123456789012:role/Admin
credential_source = EcsContainer
[profile instance]
role_arn = arn:aws:iam::123456789012:role/Admin
credential_source = Ec2InstanceMetadata
[sso-session corp]
sso_start_url = https://corp.awsapps.com/start
sso_region = eu-west-1
"#;
/// Those whose errors are in one line come first.
const PROFILES: [&str; 8] = ["sso", "legacy", "login", "process", "role", "web", "container", "instance"];

const ENVIRONMENT: [(&str, &str); 4] = [
    ("HOME", "/home/u"),
    ("AWS_REGION", "eu-west-1"),
    ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1/credentials"),
    ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/authorization"),
];

/// The answer in a piece of the input: `!` and a digit is a failure, `?` an answer to another question, `404 ` begins an
/// answer with that status or a command that fails, and everything else is what a file, a server or a command says.
fn answer(ask: &Ask, piece: Option<&[u8]>) -> Answer {
    let failed = |kind| Answer::Failed(AskError::new(kind, "no luck"));
    let piece = match piece {
        None => return failed(AskErrorKind::NotConnected),
        Some([b'!', kind, ..]) => {
            return failed(match kind {
                b'0' => AskErrorKind::TimedOut,
                b'1' => AskErrorKind::TooLarge,
                b'2' => AskErrorKind::Unsupported,
                b'3' => AskErrorKind::Other,
                _ => AskErrorKind::NotConnected,
            });
        }
        Some([b'?', ..]) => return Answer::MfaCode("123456".into()),
        Some(piece) => piece,
    };
    let status = piece.get(..3).and_then(|digits| std::str::from_utf8(digits).ok()?.parse::<u16>().ok());
    let (status, body) = match status.filter(|status| (100..1000).contains(status)) {
        Some(status) => (status, piece.get(4..).unwrap_or_default()),
        None => (200, piece),
    };
    match ask {
        Ask::ReadFile { .. } if status == 404 => Answer::File(None),
        Ask::ReadFile { .. } => Answer::File(Some(body.to_vec().into())),
        Ask::Send(_) => {
            let response = http::Response::builder().status(status).header("x-amzn-errortype", "SomeException");
            Answer::Response(response.body(body.to_vec()).unwrap())
        }
        Ask::Run(_) => {
            let (stdout, stderr) = if status == 200 { (body, &[][..]) } else { (&[][..], body) };
            Answer::Output(CommandOutput {
                success: status == 200,
                code: (status != 500).then_some(i32::from(status) - 200),
                stdout: stdout.to_vec().into(),
                stderr: stderr.to_vec().into(),
            })
        }
        Ask::MfaCode { .. } => Answer::MfaCode(String::from_utf8_lossy(body).into_owned()),
        _ => Answer::Done,
    }
}

fn resolve(resolver: &Resolver, now: Timestamp, is_one_line: bool, pieces: &mut dyn Iterator<Item = &[u8]>) {
    let mut progress = resolver.start(now);
    for _ in 0..100 {
        match progress {
            Progress::Done(result) => {
                match *result {
                    Ok(resolved) => {
                        assert!(resolved.credentials.expires_at().is_none_or(|at| !is_one_line || at > now));
                        let _ = format!("{resolved:?} {}", resolved.report);
                    }
                    Err(error) => {
                        let text = error.to_string();
                        assert!(!is_one_line || !text.contains(char::is_control), "{text:?}");
                        assert!(!text.contains("argument"), "{text}");
                        let _ = format!("{error:?} {}", error.report());
                    }
                }
                return;
            }
            Progress::Ask(pending) => {
                let answer = match pending.ask() {
                    Ask::ReadFile { path } if path == "/home/u/.aws/config" => {
                        Answer::File(Some(CONFIG.as_bytes().to_vec().into()))
                    }
                    Ask::ReadFile { path } if path == "/home/u/.aws/credentials" => Answer::File(None),
                    Ask::Wait(_) => Answer::Done,
                    ask => answer(ask, pieces.next()),
                };
                progress = pending.answer(answer, now);
            }
        }
    }
    panic!("it never ends");
}

// A byte that chooses the profile, and answers that are separated by an empty line. The same resolver is asked twice, since
// it remembers what it could not write.
fuzz_target!(|input: &[u8]| {
    let Some((choice, rest)) = input.split_first() else { return };
    let index = usize::from(*choice) % PROFILES.len();
    let mut environment = Environment::new(ENVIRONMENT);
    if choice & 0x80 != 0 {
        environment = environment.for_windows();
    }
    let resolver = Resolver::new(environment).with_profile(PROFILES[index]);
    let now: Timestamp = "20260101T000000Z".parse().unwrap();
    let mut rest = Some(rest);
    let mut pieces = std::iter::from_fn(|| {
        let text = rest.take()?;
        match text.windows(2).position(|window| window == b"\n\n") {
            Some(end) => {
                rest = Some(&text[end + 2..]);
                Some(&text[..end])
            }
            None => Some(text),
        }
    });
    for _ in 0..2 {
        resolve(&resolver, now, index < 4, &mut pieces);
    }
});
