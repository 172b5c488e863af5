//! The recipes of servers, each on a free port of the loopback interface.

use std::net::{SocketAddr, TcpListener};
use std::thread;

use countersign::{Credentials, ErrorFormat};

#[allow(dead_code)]
#[path = "../../examples/actix_server.rs"]
mod actix_server;
#[allow(dead_code)]
#[path = "../../examples/axum_server.rs"]
mod axum_server;
#[allow(dead_code)]
#[path = "../../examples/hyper_server.rs"]
mod hyper_server;

/// Starts the servers. They run until the test ends.
pub fn servers(service: &str, keys: &[Credentials]) -> [(&'static str, SocketAddr); 3] {
    [("actix", actix_server::serve as Serve), ("axum", axum_server::serve), ("hyper", hyper_server::serve)].map(
        |(name, serve)| {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            let (keys, service) = (keys.to_vec(), service.to_owned());
            let format = if service == "s3" { ErrorFormat::S3Xml } else { ErrorFormat::RestJson };
            thread::spawn(move || serve(listener, keys, &service, format).unwrap());
            (name, address)
        },
    )
}

type Serve =
    fn(TcpListener, Vec<Credentials>, &str, ErrorFormat) -> Result<(), Box<dyn std::error::Error + Send + Sync>>;
