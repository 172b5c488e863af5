//! Finds the key of a caller for the library's layer.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;

use countersign::VerifyingKey;
use countersign::tower::Caller;

use super::CurrentKeys;

pub type Found = Ready<Result<Option<Arc<VerifyingKey>>, Infallible>>;

/// What [`VerifyLayer`](countersign::tower::VerifyLayer) asks for keys.
pub trait LookUp: Fn(Caller) -> Found + Clone + Send + Sync + 'static {}
impl<K: Fn(Caller) -> Found + Clone + Send + Sync + 'static> LookUp for K {}

impl CurrentKeys {
    pub fn look_up(&self) -> impl LookUp + use<> {
        let keys = self.clone();
        move |caller: Caller| {
            let keys = keys.get();
            let key = keys.find(caller.access_key_id());
            ready(Ok(key.map(|key| key.derived.key(&caller, &key.credentials))))
        }
    }
}
