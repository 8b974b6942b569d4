use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk};
use aws_lc_rs::rand;
use zeroize::Zeroizing;

/// Bytes of a key's name.
const NAME: usize = 16;
/// Bytes of a key.
const KEY: usize = 32;
/// Bytes of a ticket that is worth a look: a session with the chain of a client is never kept.
const MOST: usize = 16 * 1024;

/// What seals tickets for a while.
pub(super) struct TicketKey {
    /// Tells whose ticket one is, without a try.
    name: [u8; NAME],
    key: RandomizedNonceKey,
}

impl TicketKey {
    /// A random one; none without randomness.
    pub(super) fn draw() -> Option<Self> {
        let mut bytes = Zeroizing::new([0; NAME + KEY]);
        rand::fill(&mut *bytes).ok()?;
        Self::of(&bytes)
    }

    /// The one of `period` that everybody derives who has `secret` (RFC 5869 2.3).
    pub(super) fn derive(secret: &[u8; KEY], period: u64) -> Option<Self> {
        let period = period.to_be_bytes();
        let info: [&[u8]; 2] = [b"epr session tickets 1", &period];
        let mut bytes = Zeroizing::new([0; NAME + KEY]);
        // Secrets are uniformly random, so nothing has to be extracted first.
        let derived = Prk::new_less_safe(HKDF_SHA256, secret);
        derived.expand(&info, Length).ok()?.fill(&mut *bytes).ok()?;
        Self::of(&bytes)
    }

    fn of(bytes: &[u8; NAME + KEY]) -> Option<Self> {
        let (name, key) = bytes.split_first_chunk()?;
        Some(Self { name: *name, key: RandomizedNonceKey::new(&AES_256_GCM_SIV, key).ok()? })
    }

    /// name, nonce, session, tag.
    pub(super) fn seal(&self, session: &[u8]) -> Option<Vec<u8>> {
        let mut sealed = session.to_vec();
        let nonce = self.key.seal_in_place_append_tag(Aad::from(&self.name), &mut sealed).ok()?;
        Some([&self.name[..], nonce.as_ref(), &sealed].concat())
    }

    /// The session in a ticket of this key's.
    pub(super) fn open(&self, ticket: &[u8]) -> Option<Vec<u8>> {
        let sealed = ticket.strip_prefix(&self.name).filter(|_| ticket.len() <= MOST)?;
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut session = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let length = self.key.open_in_place(nonce, Aad::from(&self.name), &mut session).ok()?.len();
        session.truncate(length);
        Some(session)
    }
}

/// How much is derived.
struct Length;

impl KeyType for Length {
    fn len(&self) -> usize {
        NAME + KEY
    }
}
