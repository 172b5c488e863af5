//! Finds the key of a caller for the library's layer.

use std::convert::Infallible;
use std::future::{Ready, ready};

use countersign::Credentials;
use countersign::tower::Caller;

use super::CurrentKeys;

pub type Found = Ready<Result<Option<Credentials>, Infallible>>;

/// What [`VerifyLayer`](countersign::tower::VerifyLayer) asks for keys.
pub trait LookUp: Fn(Caller) -> Found + Clone + Send + Sync + 'static {}
impl<K: Fn(Caller) -> Found + Clone + Send + Sync + 'static> LookUp for K {}

impl CurrentKeys {
    pub fn look_up(&self) -> impl LookUp + use<> {
        let keys = self.clone();
        move |caller: Caller| ready(Ok(keys.get().find(caller.access_key_id()).map(|key| key.credentials.clone())))
    }
}
