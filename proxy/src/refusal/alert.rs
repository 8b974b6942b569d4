/// A fatal TLS alert (RFC 8446 6, RFC 6066 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Alert {
    /// What was sent does not parse.
    DecodeError = 50,
    /// The fault is on this side.
    InternalError = 80,
    /// A server name is needed.
    MissingExtension = 109,
    /// Nobody of this name here.
    UnrecognizedName = 112,
}

impl Alert {
    /// The whole record, as it travels: content type alert, legacy version 3.3, two bytes, fatal.
    pub const fn record(self) -> [u8; 7] {
        [0x15, 0x03, 0x03, 0x00, 0x02, 0x02, self as u8]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusal::Refusal;

    #[test]
    fn the_alert_is_the_record_clients_know() {
        assert_eq!(Alert::UnrecognizedName.record(), [0x15, 3, 3, 0, 2, 2, 0x70]);
        assert_eq!(Refusal::NoServerName.tls_alert().map(|alert| alert as u8), Some(109));
    }
}
