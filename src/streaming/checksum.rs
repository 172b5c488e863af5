use alloc::string::String;

use base64ct::{Base64, Encoding};
use sha2::{Digest, Sha256};

/// A checksum of the whole body that S3 knows, sent in the trailer once the body is through.
///
/// ```
/// use countersign::streaming::Checksum;
///
/// assert_eq!(Checksum::Sha256.header_name(), "x-amz-checksum-sha256");
/// assert_eq!(Checksum::from_header_name("X-Amz-Checksum-Sha256"), Some(Checksum::Sha256));
/// ```
///
/// AWS: [Checking object integrity](https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Checksum {
    /// CRC-32 (ISO-HDLC), feature `crc32`.
    #[cfg(feature = "crc32")]
    Crc32,
    /// CRC-32C (Castagnoli), feature `crc32c`.
    #[cfg(feature = "crc32c")]
    Crc32c,
    /// CRC-64/NVME, feature `crc64nvme`.
    #[cfg(feature = "crc64nvme")]
    Crc64Nvme,
    /// SHA-1, feature `sha1`.
    #[cfg(feature = "sha1")]
    Sha1,
    /// SHA-256.
    Sha256,
}

impl Checksum {
    /// Those of the features that are on.
    const ALL: &[Self] = &[
        #[cfg(feature = "crc32")]
        Self::Crc32,
        #[cfg(feature = "crc32c")]
        Self::Crc32c,
        #[cfg(feature = "crc64nvme")]
        Self::Crc64Nvme,
        #[cfg(feature = "sha1")]
        Self::Sha1,
        Self::Sha256,
    ];

    /// The header, and trailer, that carries it.
    pub const fn header_name(self) -> &'static str {
        match self {
            #[cfg(feature = "crc32")]
            Self::Crc32 => "x-amz-checksum-crc32",
            #[cfg(feature = "crc32c")]
            Self::Crc32c => "x-amz-checksum-crc32c",
            #[cfg(feature = "crc64nvme")]
            Self::Crc64Nvme => "x-amz-checksum-crc64nvme",
            #[cfg(feature = "sha1")]
            Self::Sha1 => "x-amz-checksum-sha1",
            Self::Sha256 => "x-amz-checksum-sha256",
        }
    }

    /// The checksum that a header carries; `None` for any other header, and for a checksum whose feature is off.
    pub fn from_header_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|checksum| name.eq_ignore_ascii_case(checksum.header_name()))
    }

    /// Bytes of the value: base64, with padding.
    pub(super) const fn value_length(self) -> usize {
        let bytes: usize = match self {
            #[cfg(feature = "crc32")]
            Self::Crc32 => 4,
            #[cfg(feature = "crc32c")]
            Self::Crc32c => 4,
            #[cfg(feature = "crc64nvme")]
            Self::Crc64Nvme => 8,
            #[cfg(feature = "sha1")]
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        };
        bytes.div_ceil(3) * 4
    }

    pub(super) fn start(self) -> Running {
        match self {
            #[cfg(feature = "crc32")]
            Self::Crc32 => Running::Crc32(crc32fast::Hasher::new()),
            #[cfg(feature = "crc32c")]
            Self::Crc32c => Running::Crc32c(0),
            #[cfg(feature = "crc64nvme")]
            Self::Crc64Nvme => Running::Crc64Nvme(crc64fast_nvme::Digest::new()),
            #[cfg(feature = "sha1")]
            Self::Sha1 => Running::Sha1(sha1::Sha1::new()),
            Self::Sha256 => Running::Sha256(Sha256::new()),
        }
    }
}

/// A checksum on the way.
#[derive(Clone)]
pub(super) enum Running {
    #[cfg(feature = "crc32")]
    Crc32(crc32fast::Hasher),
    #[cfg(feature = "crc32c")]
    Crc32c(u32),
    #[cfg(feature = "crc64nvme")]
    Crc64Nvme(crc64fast_nvme::Digest),
    #[cfg(feature = "sha1")]
    Sha1(sha1::Sha1),
    Sha256(Sha256),
}

impl Running {
    pub(super) fn update(&mut self, data: &[u8]) {
        match self {
            #[cfg(feature = "crc32")]
            Self::Crc32(running) => running.update(data),
            #[cfg(feature = "crc32c")]
            Self::Crc32c(running) => *running = crc32c::crc32c_append(*running, data),
            #[cfg(feature = "crc64nvme")]
            Self::Crc64Nvme(running) => running.write(data),
            #[cfg(feature = "sha1")]
            Self::Sha1(running) => running.update(data),
            Self::Sha256(running) => running.update(data),
        }
    }

    /// The value of the header: base64, big end first.
    pub(super) fn finish(self) -> String {
        match self {
            #[cfg(feature = "crc32")]
            Self::Crc32(running) => Base64::encode_string(&running.finalize().to_be_bytes()),
            #[cfg(feature = "crc32c")]
            Self::Crc32c(running) => Base64::encode_string(&running.to_be_bytes()),
            #[cfg(feature = "crc64nvme")]
            Self::Crc64Nvme(running) => Base64::encode_string(&running.sum64().to_be_bytes()),
            #[cfg(feature = "sha1")]
            Self::Sha1(running) => Base64::encode_string(&running.finalize()),
            Self::Sha256(running) => Base64::encode_string(&running.finalize()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check values of the catalogues of CRCs, and of FIPS 180, over "123456789" and "abc".
    #[test]
    fn published_check_values() {
        let of = |checksum: Checksum, data: &[u8]| {
            let mut running = checksum.start();
            data.chunks(2).for_each(|piece| running.update(piece));
            let value = running.finish();
            assert_eq!(value.len(), checksum.value_length());
            hex::encode(Base64::decode_vec(&value).unwrap())
        };
        #[cfg(feature = "crc32")]
        assert_eq!(of(Checksum::Crc32, b"123456789"), "cbf43926");
        #[cfg(feature = "crc32c")]
        assert_eq!(of(Checksum::Crc32c, b"123456789"), "e3069283");
        #[cfg(feature = "crc64nvme")]
        assert_eq!(of(Checksum::Crc64Nvme, b"123456789"), "ae8b14860a799888");
        #[cfg(feature = "sha1")]
        assert_eq!(of(Checksum::Sha1, b"abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(of(Checksum::Sha256, b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
