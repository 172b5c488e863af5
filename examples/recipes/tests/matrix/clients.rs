//! The recipes of clients, behind one interface.

use std::fs::File;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use countersign::Credentials;
use tokio::runtime::Runtime;

#[allow(dead_code)]
#[path = "../../examples/attohttpc_client.rs"]
mod attohttpc_client;
#[allow(dead_code)]
#[path = "../../examples/hyper_client.rs"]
mod hyper_client;
#[allow(dead_code)]
#[path = "../../examples/hyper_tower.rs"]
mod hyper_tower;
#[allow(dead_code)]
#[path = "../../examples/reqwest_async.rs"]
mod reqwest_async;
#[allow(dead_code)]
#[path = "../../examples/reqwest_blocking.rs"]
mod reqwest_blocking;
#[allow(dead_code)]
#[path = "../../examples/tcp_stream.rs"]
mod tcp_stream;
#[allow(dead_code)]
#[path = "../../examples/ureq_client.rs"]
mod ureq_client;

/// What a server answered, or the explanation of a refusal.
pub type Answer = Result<String, String>;

pub trait Client {
    fn get(&self, key: &str, query: &[(&str, &str)]) -> Answer;
    fn post(&self, path: &str, json: &str) -> Answer;
    fn presign(&self, key: &str) -> Answer;
    fn open(&self, url: &str) -> Answer;
    fn upload(&self, key: &str, data: &[u8]) -> Answer;
}

/// Makes a client from the address of a server, credentials and a service.
pub type New = fn(&str, Credentials, &str) -> Box<dyn Client>;

pub fn clients() -> [(&'static str, New); 7] {
    [
        ("attohttpc", |address, credentials, service| {
            Box::new(attohttpc_client::Client::new(&format!("http://{address}"), credentials, service).unwrap())
        }),
        ("hyper", |address, credentials, service| {
            Box::new(hyper_client::Client::new(&format!("http://{address}"), credentials, service).unwrap())
        }),
        ("SignLayer", |address, credentials, service| {
            Box::new(hyper_tower::Client::new(&format!("http://{address}"), credentials, service).unwrap())
        }),
        ("reqwest", |address, credentials, service| {
            Box::new(reqwest_async::Client::new(&format!("http://{address}"), credentials, service).unwrap())
        }),
        ("blocking", |address, credentials, service| {
            Box::new(reqwest_blocking::Client::new(&format!("http://{address}"), credentials, service).unwrap())
        }),
        ("TcpStream", |address, credentials, service| {
            Box::new(tcp_stream::Client::new(address, credentials, service).unwrap())
        }),
        ("ureq", |address, credentials, service| {
            Box::new(ureq_client::Client::new(&format!("http://{address}"), credentials, service).unwrap())
        }),
    ]
}

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

/// Returns a new file with this content, which is deleted when it is closed.
fn file(data: &[u8]) -> File {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("countersign-recipes-{}-{number}", std::process::id()));
    std::fs::write(&path, data).unwrap();
    let file = File::open(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    file
}

macro_rules! blocking {
    ($($client:ident),*) => {$(
        impl Client for $client::Client {
            fn get(&self, key: &str, query: &[(&str, &str)]) -> Answer {
                self.get(key, query).map_err(|error| error.to_string())
            }
            fn post(&self, path: &str, json: &str) -> Answer {
                self.post(path, json).map_err(|error| error.to_string())
            }
            fn presign(&self, key: &str) -> Answer {
                self.presign(key).map_err(|error| error.to_string())
            }
            fn open(&self, url: &str) -> Answer {
                self.open(url).map_err(|error| error.to_string())
            }
            fn upload(&self, key: &str, data: &[u8]) -> Answer {
                self.upload(key, file(data)).map_err(|error| error.to_string())
            }
        }
    )*};
}

macro_rules! asynchronous {
    ($($client:ident),*) => {$(
        impl Client for $client::Client {
            fn get(&self, key: &str, query: &[(&str, &str)]) -> Answer {
                RUNTIME.block_on(self.get(key, query)).map_err(|error| error.to_string())
            }
            fn post(&self, path: &str, json: &str) -> Answer {
                RUNTIME.block_on(self.post(path, json)).map_err(|error| error.to_string())
            }
            fn presign(&self, key: &str) -> Answer {
                self.presign(key).map_err(|error| error.to_string())
            }
            fn open(&self, url: &str) -> Answer {
                RUNTIME.block_on(self.open(url)).map_err(|error| error.to_string())
            }
            fn upload(&self, key: &str, data: &[u8]) -> Answer {
                let file = tokio::fs::File::from_std(file(data));
                RUNTIME.block_on(self.upload(key, file)).map_err(|error| error.to_string())
            }
        }
    )*};
}

blocking!(attohttpc_client, reqwest_blocking, tcp_stream, ureq_client);
asynchronous!(hyper_client, hyper_tower, reqwest_async);
