use p256::ecdsa::Signature;

/// The maximum length of two 256-bit integers in DER.
const LONGEST: usize = 72;

/// A signature as `SEQUENCE { r INTEGER, s INTEGER }`, both from 1 to n - 1, in the only encoding that DER allows.
#[derive(Clone, Copy)]
pub(crate) struct Der {
    bytes: [u8; LONGEST],
    /// One byte, to keep signatures small, since they are passed by value.
    length: u8,
}

impl Der {
    pub(super) fn of(signature: &Signature) -> Self {
        let mut der = Self { bytes: [0; LONGEST], length: 0 };
        let printed = signature.to_der();
        if let Some(start) = der.bytes.get_mut(..printed.len())
            && let Ok(length) = u8::try_from(printed.len())
        {
            start.copy_from_slice(printed.as_bytes());
            der.length = length;
        }
        der
    }

    /// Parses lowercase hexadecimal digits. Input that is not formatted back to the same digits is refused, so that a
    /// signature has only one representation.
    pub(crate) fn from_hex(text: &str) -> Option<Self> {
        if text.len() > 2 * LONGEST || text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return None;
        }
        let mut bytes = [0; LONGEST];
        let bytes = bytes.get_mut(..text.len() / 2)?;
        hex::decode_to_slice(text, bytes).ok()?;
        let der = Self::of(&Signature::from_der(bytes).ok()?);
        (der.as_bytes() == bytes).then_some(der)
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or_default()
    }

    /// Returns the hexadecimal digits and their number.
    pub(crate) fn hex(&self) -> ([u8; 2 * LONGEST], usize) {
        let mut text = [0; 2 * LONGEST];
        let count = 2 * self.as_bytes().len();
        // This can only fail if the slice is not twice as long, and it is.
        let _ = text.get_mut(..count).map(|text| hex::encode_to_slice(self.as_bytes(), text));
        (text, count)
    }

    pub(super) fn signature(&self) -> Option<Signature> {
        Signature::from_der(self.as_bytes()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::{String, ToString};
    use alloc::{format, vec::Vec};

    const N: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    const N_MINUS_1: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550";

    fn integer(hex: &str) -> String {
        format!("02{:02x}{hex}", hex.len() / 2)
    }

    fn sequence(parts: &[String]) -> String {
        let parts = parts.concat();
        format!("30{:02x}{parts}", parts.len() / 2)
    }

    #[test]
    fn valid_signatures_round_trip() {
        let most = format!("00{N_MINUS_1}");
        let high = format!("00{}", "80".repeat(32));
        for r in ["01", "7f", "0080", "00ff", "0100", &"7f".repeat(32), &high, &most] {
            for s in ["01", "0080", &most] {
                let text = sequence(&[integer(r), integer(s)]);
                let der = Der::from_hex(&text).unwrap_or_else(|| panic!("{text}"));
                let (digits, count) = der.hex();
                assert_eq!(core::str::from_utf8(&digits[..count]), Ok(text.as_str()));
            }
        }
    }

    #[test]
    fn invalid_signatures_are_refused() {
        let good = sequence(&[integer("11"), integer("22")]);
        assert!(Der::from_hex(&good).is_some());
        let n = format!("00{N}");
        let above = format!("00{}", "f".repeat(64));
        let long = format!("0001{}", "00".repeat(32));
        let mut bad: Vec<String> = Vec::new();
        for number in ["", "00", "0001", "0000", "007f", "80", "ff", "ff80", &n, &above, &long, &"f".repeat(64)] {
            bad.push(sequence(&[integer(number), integer("22")]));
            bad.push(sequence(&[integer("11"), integer(number)]));
        }
        bad.extend([
            "".to_string(),
            "00".to_string(),
            "3000".to_string(),
            format!("{good}00"),
            format!("{good}0"),
            good[..good.len() - 2].to_string(),
            good[..good.len() - 1].to_string(),
            good[2..].to_string(),
            // A third integer, only one, other tags.
            sequence(&[integer("11"), integer("22"), integer("33")]),
            sequence(&[integer("11")]),
            sequence(&[integer("11"), "040122".into()]),
            sequence(&["0a0111".into(), integer("22")]),
            good.replacen("30", "31", 1),
            good.replacen("30", "10", 1),
            // BER: overlong, indefinite and reserved lengths.
            good.replacen("3006", "308106", 1),
            good.replacen("3006", "30820006", 1),
            good.replacen("3006", "30840000000006", 1),
            format!("{}0000", good.replacen("3006", "3080", 1)),
            good.replacen("3006", "30ff", 1),
            sequence(&["02810111".into(), integer("22")]),
            sequence(&["0280110000".into(), integer("22")]),
            // Lengths that don't match the contents.
            good.replacen("3006", "3005", 1),
            good.replacen("3006", "3007", 1),
            sequence(&["020211".into(), integer("22")]),
            sequence(&["020011".into(), integer("22")]),
            // Invalid digits.
            sequence(&[integer("1a"), integer("22")]).to_uppercase(),
            format!(" {good}"),
            format!("0x{good}"),
            good.replacen("11", "1g", 1),
            good.replacen("11", "ą", 1),
            "30".repeat(1000),
        ]);
        for text in bad {
            assert!(Der::from_hex(&text).is_none(), "{text}");
        }
    }
}
