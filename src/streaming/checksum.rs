use alloc::boxed::Box;
use alloc::string::String;

use base64ct::{Base64, Encoding};

use super::error::{ChunkError, EncodeError};
use crate::text::excerpt;

/// A checksum of the whole body, sent in the trailer after the last chunk.
///
/// All checksums except SHA-256 need a feature: [`Checksum::is_available`].
///
/// ```
/// use countersign::streaming::Checksum;
///
/// assert_eq!(Checksum::Sha256.header_name(), "x-amz-checksum-sha256");
/// assert_eq!(Checksum::from_header_name("X-Amz-Checksum-Sha256"), Some(Checksum::Sha256));
/// assert!(Checksum::Sha256.is_available());
/// ```
///
/// AWS: [Checking object
/// integrity](https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Checksum {
    /// CRC-32 (ISO-HDLC), feature `crc32`.
    Crc32,
    /// CRC-32C (Castagnoli), feature `crc32c`.
    Crc32c,
    /// CRC-64/NVME, feature `crc64nvme`.
    Crc64Nvme,
    /// SHA-1, feature `sha1`.
    Sha1,
    /// SHA-256, always available.
    Sha256,
    /// SHA-512, feature `sha512`.
    Sha512,
    /// MD5, feature `md5`.
    Md5,
    /// XXH64 with seed 0, feature `xxhash64`.
    XxHash64,
    /// XXH3 with 64 bits and seed 0, feature `xxhash3`.
    XxHash3,
    /// XXH3 with 128 bits and seed 0, feature `xxhash128`.
    XxHash128,
}

/// The prefix of the headers and trailers of all checksums, including those that this crate doesn't know.
const PREFIX: &str = "x-amz-checksum-";

/// The properties of a checksum.
struct Row {
    header_name: &'static str,
    /// The length of the raw checksum in bytes.
    length: usize,
    feature: &'static str,
    /// `None` if the feature is disabled.
    engine: Option<Engine>,
}

/// Starts a checksum.
type Engine = fn() -> Running;

impl Checksum {
    const ALL: [Self; 10] = [
        Self::Crc32,
        Self::Crc32c,
        Self::Crc64Nvme,
        Self::Sha1,
        Self::Sha256,
        Self::Sha512,
        Self::Md5,
        Self::XxHash64,
        Self::XxHash3,
        Self::XxHash128,
    ];

    const fn row(self) -> Row {
        let (header_name, length, feature, engine) = match self {
            Self::Crc32 => ("x-amz-checksum-crc32", 4, "crc32", engines::crc32()),
            Self::Crc32c => ("x-amz-checksum-crc32c", 4, "crc32c", engines::crc32c()),
            Self::Crc64Nvme => ("x-amz-checksum-crc64nvme", 8, "crc64nvme", engines::crc64nvme()),
            Self::Sha1 => ("x-amz-checksum-sha1", 20, "sha1", engines::sha1()),
            Self::Sha256 => ("x-amz-checksum-sha256", 32, "streaming", engines::sha256()),
            Self::Sha512 => ("x-amz-checksum-sha512", 64, "sha512", engines::sha512()),
            Self::Md5 => ("x-amz-checksum-md5", 16, "md5", engines::md5()),
            Self::XxHash64 => ("x-amz-checksum-xxhash64", 8, "xxhash64", engines::xxhash64()),
            Self::XxHash3 => ("x-amz-checksum-xxhash3", 8, "xxhash3", engines::xxhash3()),
            Self::XxHash128 => ("x-amz-checksum-xxhash128", 16, "xxhash128", engines::xxhash128()),
        };
        Row { header_name, length, feature, engine }
    }

    /// Returns the name of the header or trailer that carries the checksum.
    pub const fn header_name(self) -> &'static str {
        self.row().header_name
    }

    /// Returns the checksum that a header carries, or `None` for any other header.
    pub fn from_header_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|checksum| name.eq_ignore_ascii_case(checksum.header_name()))
    }

    /// Returns `true` if this build can compute the checksum, that is, if its feature is enabled.
    pub const fn is_available(self) -> bool {
        self.row().engine.is_some()
    }

    /// Returns the length of the header value: base64 with padding.
    pub(super) const fn value_length(self) -> usize {
        self.row().length.div_ceil(3) * 4
    }

    /// Returns `None` if the checksum is not available.
    pub(super) fn start(self) -> Option<Running> {
        self.row().engine.map(|engine| engine())
    }

    pub(super) fn check_available(self) -> Result<(), EncodeError> {
        self.row().check_available()
    }

    /// Refuses the name of a trailer, in lower case, if it carries a checksum that this build can't compute.
    pub(super) fn check_trailer(name: &str) -> Result<(), ChunkError> {
        match Self::from_header_name(name) {
            Some(checksum) => checksum.row().check_comparable(),
            None if name.starts_with(PREFIX) => Err(ChunkError::UnknownChecksum { name: excerpt(name.as_bytes()) }),
            None => Ok(()),
        }
    }
}

impl Row {
    fn check_available(&self) -> Result<(), EncodeError> {
        match self.engine {
            Some(_) => Ok(()),
            None => Err(EncodeError::ChecksumUnavailable { name: self.header_name, feature: self.feature }),
        }
    }

    fn check_comparable(&self) -> Result<(), ChunkError> {
        match self.engine {
            Some(_) => Ok(()),
            None => Err(ChunkError::ChecksumUnavailable { name: self.header_name, feature: self.feature }),
        }
    }
}

/// A checksum of the data so far.
pub(super) struct Running(Box<dyn Compute + Send + Sync>);

impl Running {
    pub(super) fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    /// Returns the value of the header: the big-endian bytes in base64.
    pub(super) fn finish(self) -> String {
        self.0.finish()
    }
}

impl Clone for Running {
    fn clone(&self) -> Self {
        self.0.copy()
    }
}

trait Compute {
    fn update(&mut self, data: &[u8]);
    fn finish(self: Box<Self>) -> String;
    fn copy(&self) -> Running;
}

/// A running checksum of one kind: its state, and two functions of the crate that computes it.
struct Steps<S, B> {
    state: S,
    update: fn(&mut S, &[u8]),
    finish: fn(S) -> B,
}

impl<S: Clone + Send + Sync + 'static, B: AsRef<[u8]> + 'static> Compute for Steps<S, B> {
    fn update(&mut self, data: &[u8]) {
        (self.update)(&mut self.state, data);
    }

    fn finish(self: Box<Self>) -> String {
        Base64::encode_string((self.finish)(self.state).as_ref())
    }

    fn copy(&self) -> Running {
        let Self { state, update, finish } = self;
        running(state.clone(), *update, *finish)
    }
}

fn running<S, B>(state: S, update: fn(&mut S, &[u8]), finish: fn(S) -> B) -> Running
where
    S: Clone + Send + Sync + 'static,
    B: AsRef<[u8]> + 'static,
{
    Running(Box::new(Steps { state, update, finish }))
}

/// The implementations of the checksums.
mod engines {
    #![allow(unreachable_code, reason = "if the feature of an engine is enabled, its function returns early")]

    use sha2::Digest;

    use super::{Engine, running};

    pub(super) const fn crc32() -> Option<Engine> {
        #[cfg(feature = "crc32")]
        return Some(|| {
            running(crc32fast::Hasher::new(), |crc, data| crc.update(data), |crc| crc.finalize().to_be_bytes())
        });
        None
    }

    pub(super) const fn crc32c() -> Option<Engine> {
        #[cfg(feature = "crc32c")]
        return Some(|| running(0, |crc, data| *crc = crc32c::crc32c_append(*crc, data), u32::to_be_bytes));
        None
    }

    pub(super) const fn crc64nvme() -> Option<Engine> {
        #[cfg(feature = "crc64nvme")]
        return Some(|| {
            running(crc64fast_nvme::Digest::new(), |crc, data| crc.write(data), |crc| crc.sum64().to_be_bytes())
        });
        None
    }

    pub(super) const fn sha1() -> Option<Engine> {
        #[cfg(feature = "sha1")]
        return Some(|| running(sha1::Sha1::new(), |sha1, data| sha1.update(data), sha1::Sha1::finalize));
        None
    }

    pub(super) const fn sha256() -> Option<Engine> {
        Some(|| running(sha2::Sha256::new(), |sha256, data| sha256.update(data), sha2::Sha256::finalize))
    }

    pub(super) const fn sha512() -> Option<Engine> {
        #[cfg(feature = "sha512")]
        return Some(|| running(sha2::Sha512::new(), |sha512, data| sha512.update(data), sha2::Sha512::finalize));
        None
    }

    pub(super) const fn md5() -> Option<Engine> {
        #[cfg(feature = "md5")]
        return Some(|| running(md5::Md5::new(), |md5, data| md5.update(data), md5::Md5::finalize));
        None
    }

    pub(super) const fn xxhash64() -> Option<Engine> {
        #[cfg(feature = "xxhash64")]
        return Some(|| {
            let start = xxhash_rust::xxh64::Xxh64::new(0);
            running(start, |xxhash, data| xxhash.update(data), |xxhash| xxhash.digest().to_be_bytes())
        });
        None
    }

    pub(super) const fn xxhash3() -> Option<Engine> {
        #[cfg(feature = "xxhash3")]
        return Some(|| {
            let start = xxhash_rust::xxh3::Xxh3Default::new();
            running(start, |xxhash, data| xxhash.update(data), |xxhash| xxhash.digest().to_be_bytes())
        });
        None
    }

    pub(super) const fn xxhash128() -> Option<Engine> {
        #[cfg(feature = "xxhash128")]
        return Some(|| {
            let start = xxhash_rust::xxh3::Xxh3Default::new();
            running(start, |xxhash, data| xxhash.update(data), |xxhash| xxhash.digest128().to_be_bytes())
        });
        None
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    /// Expected values: for CRCs, the check values of the CRC catalogue, over "123456789"; for SHA and MD5, FIPS 180
    /// and RFC 1321, over "abc"; for XXHash, AWS's own implementation, over "Hello world" (aws-checksums:
    /// `tests/xxhash_test.c`).
    #[test]
    fn names_lengths_and_published_check_values() {
        let expected = [
            ("x-amz-checksum-crc32", 8, &b"123456789"[..], "cbf43926"),
            ("x-amz-checksum-crc32c", 8, b"123456789", "e3069283"),
            ("x-amz-checksum-crc64nvme", 12, b"123456789", "ae8b14860a799888"),
            ("x-amz-checksum-sha1", 28, b"abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            ("x-amz-checksum-sha256", 44, b"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "x-amz-checksum-sha512",
                88,
                b"abc",
                "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
                 2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
            ),
            ("x-amz-checksum-md5", 24, b"abc", "900150983cd24fb0d6963f7d28e17f72"),
            ("x-amz-checksum-xxhash64", 12, b"Hello world", "c500b0c912b376d8"),
            ("x-amz-checksum-xxhash3", 12, b"Hello world", "b6acb9d84a38ff74"),
            ("x-amz-checksum-xxhash128", 24, b"Hello world", "7351f89812f97382b91d05b31e04dd7f"),
        ];
        assert_eq!(Checksum::ALL.len(), expected.len());
        for (checksum, (name, length, data, value)) in Checksum::ALL.into_iter().zip(expected) {
            assert_eq!((checksum.header_name(), checksum.value_length()), (name, length));
            assert_eq!(Checksum::from_header_name(&name.to_uppercase()), Some(checksum));
            let Some(mut running) = checksum.start() else {
                assert!(!checksum.is_available());
                continue;
            };
            assert!(checksum.is_available());
            data.chunks(2).for_each(|piece| running.update(piece));
            let copy = running.clone();
            running.update(b"more");
            let computed = copy.finish();
            assert_eq!(computed.len(), length);
            assert_eq!(hex::encode(Base64::decode_vec(&computed).unwrap()), value);
            assert_ne!(running.finish(), computed);
        }
        assert_eq!(Checksum::from_header_name("x-amz-checksum-md4"), None);
    }

    /// Values from xxHash's own sanity check (`cli/xsum_sanity_check.c`), over its pseudo-random buffer: inputs longer
    /// than the state can buffer, split at any position.
    #[test]
    fn long_inputs_in_any_split() {
        let mut generator = 2_654_435_761_u64;
        let buffer: Vec<u8> = core::iter::repeat_with(|| {
            let byte = generator.to_be_bytes()[0];
            generator = generator.wrapping_mul(11_400_714_785_074_694_797);
            byte
        })
        .take(2367)
        .collect();
        for (checksum, length, value) in [
            (Checksum::XxHash64, 222, "b641ae8cb691c174"),
            (Checksum::XxHash3, 403, "cdeb804d65c6dea4"),
            (Checksum::XxHash3, 2048, "dd59e2c3a5f038e0"),
            (Checksum::XxHash3, 2240, "6e73a90539cf2948"),
            (Checksum::XxHash3, 2367, "cb37aeb9e5d361ed"),
            (Checksum::XxHash128, 403, "1b6de21e332dd73dcdeb804d65c6dea4"),
            (Checksum::XxHash128, 2048, "f736557fd47073a5dd59e2c3a5f038e0"),
        ] {
            for split in [1, 7, 64, 255, 256, 1024, length] {
                let Some(mut running) = checksum.start() else { continue };
                buffer[..length].chunks(split).for_each(|piece| running.update(piece));
                assert_eq!(hex::encode(Base64::decode_vec(&running.finish()).unwrap()), value, "{checksum:?} {split}");
            }
        }
    }

    /// The tests are built with all checksum features, so a `Row` without an engine represents a disabled one.
    #[test]
    fn an_engine_that_is_not_built_in_names_its_feature() {
        let row = Row { engine: None, ..Checksum::Crc32c.row() };
        let error = row.check_available().unwrap_err();
        assert_eq!(error, EncodeError::ChecksumUnavailable { name: "x-amz-checksum-crc32c", feature: "crc32c" });
        assert_eq!(
            alloc::string::ToString::to_string(&error),
            "this build can't compute x-amz-checksum-crc32c; enable the feature \"crc32c\" of countersign"
        );
        let error = row.check_comparable().unwrap_err();
        assert_eq!(error, ChunkError::ChecksumUnavailable { name: "x-amz-checksum-crc32c", feature: "crc32c" });
        assert_eq!(
            alloc::string::ToString::to_string(&error),
            "this build can't compute x-amz-checksum-crc32c; enable the feature \"crc32c\" of countersign, or pass the name to \
             chunk_decoder_with_unchecked"
        );
    }
}
