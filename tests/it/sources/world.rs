//! A made-up machine: files, a network, commands and a clock.

use std::collections::BTreeMap;

use countersign::Timestamp;
use countersign::sources::{
    Answer, Ask, AskError, AskErrorKind, CommandAsk, CommandOutput, Environment, HttpAsk, Progress, ResolveError,
    Resolved, Resolver,
};

type Network = Box<dyn FnMut(&HttpAsk) -> Result<http::Response<Vec<u8>>, AskError>>;
type Commands = Box<dyn FnMut(&CommandAsk) -> Result<CommandOutput, AskError>>;

pub struct World {
    pub variables: Vec<(String, String)>,
    pub files: BTreeMap<String, Vec<u8>>,
    pub network: Network,
    pub commands: Commands,
    pub mfa_code: Option<String>,
    pub now: Timestamp,
    /// One line for each thing that was asked for: `read PATH`, `write PATH`, `GET URL`, `run PROGRAM`, `mfa SERIAL`,
    /// `wait 1s`.
    pub log: Vec<String>,
    /// Whether no file can be written.
    pub read_only: bool,
    /// A file that another program writes while the first request is answered.
    pub written_meanwhile: Option<(String, String)>,
}

pub fn response(status: u16, body: &str) -> http::Response<Vec<u8>> {
    http::Response::builder().status(status).body(body.as_bytes().to_vec()).unwrap()
}

pub fn no_network(_: &HttpAsk) -> Result<http::Response<Vec<u8>>, AskError> {
    Err(AskError::new(AskErrorKind::NotConnected, "connection refused"))
}

impl World {
    /// Home is `/home/u`, it is 2026-01-01T00:00:00Z, nothing answers and no command exists.
    pub fn new(variables: &[(&str, &str)]) -> Self {
        let mut all = vec![("HOME".to_owned(), "/home/u".to_owned())];
        all.extend(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        Self {
            variables: all,
            files: BTreeMap::new(),
            network: Box::new(no_network),
            commands: Box::new(|_| Err(AskError::new(AskErrorKind::Other, "no such file"))),
            mfa_code: None,
            now: "20260101T000000Z".parse().unwrap(),
            log: Vec::new(),
            read_only: false,
            written_meanwhile: None,
        }
    }

    /// With this text in `~/.aws/config`.
    pub fn config(mut self, text: &str) -> Self {
        self.files.insert("/home/u/.aws/config".into(), text.into());
        self
    }

    pub fn file(mut self, path: &str, text: &str) -> Self {
        self.files.insert(path.into(), text.into());
        self
    }

    pub fn network(
        mut self,
        network: impl FnMut(&HttpAsk) -> Result<http::Response<Vec<u8>>, AskError> + 'static,
    ) -> Self {
        self.network = Box::new(network);
        self
    }

    pub fn commands(mut self, commands: impl FnMut(&CommandAsk) -> Result<CommandOutput, AskError> + 'static) -> Self {
        self.commands = Box::new(commands);
        self
    }

    pub fn environment(&self) -> Environment {
        Environment::new(self.variables.iter().cloned())
    }

    /// Resolves by the default order.
    pub fn resolve(&mut self) -> Result<Resolved, ResolveError> {
        self.resolve_with(&Resolver::new(self.environment()))
    }

    pub fn resolve_with(&mut self, resolver: &Resolver) -> Result<Resolved, ResolveError> {
        let mut progress = resolver.start(self.now);
        for _ in 0..1000 {
            match progress {
                Progress::Done(result) => return *result,
                Progress::Ask(pending) => {
                    let answer = self.answer(pending.ask());
                    progress = pending.answer(answer, self.now);
                }
            }
        }
        panic!("it never ends: {:#?}", &self.log[..20]);
    }

    fn answer(&mut self, ask: &Ask) -> Answer {
        match ask {
            Ask::ReadFile { path } => {
                self.log.push(format!("read {path}"));
                Answer::File(self.files.get(path).cloned().map(Into::into))
            }
            Ask::WriteFile { path, contents } => {
                self.log.push(format!("write {path}"));
                if self.read_only {
                    return Answer::Failed(AskError::new(AskErrorKind::Other, "read-only file system"));
                }
                self.files.insert(path.clone(), contents.to_vec());
                Answer::Done
            }
            Ask::Send(ask) => {
                self.log.push(format!("{} {}", ask.request.method(), ask.request.uri()));
                if let Some((path, text)) = self.written_meanwhile.take() {
                    self.files.insert(path, text.into_bytes());
                }
                (self.network)(ask).map_or_else(Answer::Failed, Answer::Response)
            }
            Ask::Run(ask) => {
                self.log.push(format!("run {}", ask.program));
                (self.commands)(ask).map_or_else(Answer::Failed, Answer::Output)
            }
            Ask::MfaCode { serial } => {
                self.log.push(format!("mfa {serial}"));
                let none = || Answer::Failed(AskError::new(AskErrorKind::Unsupported, "nobody is there to ask"));
                self.mfa_code.clone().map_or_else(none, Answer::MfaCode)
            }
            Ask::Wait(duration) => {
                self.log.push(format!("wait {duration:?}"));
                self.now = self.now.saturating_add(i64::try_from(duration.as_secs()).unwrap());
                Answer::Done
            }
            _ => panic!("{ask:?}"),
        }
    }
}
