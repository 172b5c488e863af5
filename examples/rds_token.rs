//! Prints PostgreSQL connection strings whose password is a token for RDS or Aurora.
//!
//! ```text
//! psql "$(cargo run -q --example rds_token -- --region eu-west-1 --host db.abc123.eu-west-1.rds.amazonaws.com \
//!     --user app --sslrootcert global-bundle.pem --as keywords)"
//! ```
//!
//! RDS certificates: <https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem>. Forms of connection strings:
//! <https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING>

use std::error::Error;
use std::process::ExitCode;

use countersign::{Credentials, Timestamp, encode_segment, tokens};

const USAGE: &str = "\
usage: rds_token --host HOST --user USER [OPTIONS]    (without arguments: sample values)
  --port PORT         the port (default: 5432)
  --database NAME     the database (default: postgres)
  --region REGION     the region of the database (default: AWS_REGION)
  --sslrootcert FILE  the certificates to trust
  --as FORM           print only one form: password, keywords or uri
Reads AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN from the environment.";

struct Options {
    region: String,
    host: String,
    port: u16,
    user: String,
    database: String,
    sslrootcert: Option<String>,
    form: Option<String>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments == ["--help"] {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    let options = if arguments.is_empty() { Ok(Options::made_up()) } else { Options::parse(arguments.into_iter()) };
    let options = match options {
        Ok(options) => options,
        Err(problem) => {
            eprintln!("{problem}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let credentials = if std::env::args().len() == 1 {
        eprintln!("no host given; using sample values and the example key from AWS's documentation (see --help)\n");
        Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    } else {
        Credentials::from_env()
    };
    match credentials.map_err(Into::into).and_then(|credentials| options.print(&credentials)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

impl Options {
    fn made_up() -> Self {
        Self {
            region: "eu-west-1".into(),
            host: "db.abc123.eu-west-1.rds.amazonaws.com".into(),
            port: 5432,
            user: "app".into(),
            database: "postgres".into(),
            sslrootcert: Some("global-bundle.pem".into()),
            form: None,
        }
    }

    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self { region: region(), host: String::new(), user: String::new(), ..Self::made_up() };
        options.sslrootcert = None;
        while let Some(option) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{option} needs a value"));
            match option.as_str() {
                "--region" => options.region = value()?,
                "--host" => options.host = value()?,
                "--port" => options.port = value()?.parse().map_err(|_| "--port must be a number from 1 to 65535")?,
                "--user" => options.user = value()?,
                "--database" => options.database = value()?,
                "--sslrootcert" => options.sslrootcert = Some(value()?),
                "--as" => options.form = Some(value()?),
                _ => return Err(format!("unknown option {option}")),
            }
        }
        match options.form.as_deref() {
            None | Some("password" | "keywords" | "uri") => Ok(options),
            Some(form) => Err(format!("--as must be password, keywords or uri, not {form}")),
        }
    }

    fn print(&self, credentials: &Credentials) -> Result<(), Box<dyn Error>> {
        let token = tokens::rds(credentials, &self.region, &self.host, self.port, &self.user, Timestamp::now())?;
        match self.form.as_deref() {
            Some("password") => println!("{token}"),
            Some("keywords") => println!("{}", self.keywords(token.as_str())),
            Some(_) => println!("{}", self.uri(token.as_str())),
            None => {
                println!("Password as is (for PGPASSWORD, or a field of a client's options):\n{token}\n");
                println!("Keyword/value connection string, quoted:\n{}\n", self.keywords(token.as_str()));
                println!("Connection URI, with the token percent-encoded once more:\n{}\n", self.uri(token.as_str()));
                println!("Valid for new connections until {}.", token.expires_at());
            }
        }
        Ok(())
    }

    /// Returns a connection string with every value in single quotes, and `'` and `\` escaped with `\`.
    fn keywords(&self, token: &str) -> String {
        let port = self.port.to_string();
        // Only URIs have brackets around IPv6 addresses.
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        let mut pairs = vec![
            ("host", host),
            ("port", &port),
            ("user", &self.user),
            ("password", token),
            ("dbname", &self.database),
            ("sslmode", "verify-full"),
        ];
        pairs.extend(self.sslrootcert.as_deref().map(|file| ("sslrootcert", file)));
        let quoted = |value: &str| value.replace('\\', "\\\\").replace('\'', "\\'");
        let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}='{}'", quoted(value))).collect();
        pairs.join(" ")
    }

    /// Returns a connection URI. The token is already percent-encoded as part of its own URL. It is encoded once more
    /// here, because the client decodes it once and the server expects the original.
    fn uri(&self, token: &str) -> String {
        let [user, password, database] = [&self.user, token, &self.database].map(encode_segment);
        let (host, port) = (&self.host, self.port);
        let sslrootcert = self.sslrootcert.as_deref().map(encode_segment);
        let sslrootcert = sslrootcert.map_or(String::new(), |file| format!("&sslrootcert={file}"));
        format!("postgres://{user}:{password}@{host}:{port}/{database}?sslmode=verify-full{sslrootcert}")
    }
}

fn region() -> String {
    ["AWS_REGION", "AWS_DEFAULT_REGION"].into_iter().find_map(|name| std::env::var(name).ok()).unwrap_or_default()
}
