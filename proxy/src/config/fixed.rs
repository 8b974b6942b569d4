//! Bounds that nobody has had to change: they are no options. Each has a row in docs/OPERATIONS.md.

use std::time::Duration;

/// Bytes of a request's method; the longest registered one has 17.
pub(crate) const METHOD: usize = 32;

/// Blank lines before a request: clients of old sent one after a body (RFC 9112 2.2).
pub(crate) const BLANK_LINES: usize = 2;

/// Bytes of the line before a chunk, its end included: sixteen digits, and room for an extension such as a signature.
pub(crate) const CHUNK_LINE: u16 = 256;

/// Bytes of all chunk extensions of a body over what its payload weighs: nobody uses them but to keep others busy.
pub(crate) const CHUNK_EXTENSIONS: u64 = 8 * 1024;

/// Bytes of a trailer section: checksums, signatures and a status with its message are far below.
pub(crate) const TRAILER_BYTES: usize = 8 * 1024;

/// Fields of a trailer section.
pub(crate) const TRAILER_FIELDS: usize = 64;

/// Bytes of an `X-Request-Id` that is kept: it stands in every line of every log.
pub(crate) const REQUEST_ID: usize = 128;

/// How often a request may come through an edge: once for each of a chain of applications that call one another by
/// their public names, and a loop ends before it has multiplied.
pub(crate) const HOPS: usize = 8;

/// Interim answers (1xx) of one request. What a client does not read piles up, and no backend has so much to say.
pub(crate) const INTERIM_ANSWERS: usize = 32;

/// Pipes of a worker, lent and spare: each takes two descriptors, and the kernel's pages for what is in it.
pub(crate) const PIPES: usize = 32;

/// Bytes asked of a pipe: four of the kernel's own, so that a long body takes few calls. The kernel gives an
/// unprivileged user less when many are open.
pub(crate) const PIPE: usize = 256 * 1024;

/// Connections to the admin port open at once; more wait. One scraper and some operators need few.
pub(crate) const ADMIN_CONNECTIONS: usize = 64;

/// For a whole head on the admin port, and between requests.
pub(crate) const ADMIN_PATIENCE: Duration = Duration::from_secs(10);

/// For everything said over one connection to the admin port: nobody may hold one of the few for ever.
pub(crate) const ADMIN_LIFETIME: Duration = Duration::from_secs(300);

/// For a connection to control to open, TLS included: control is near, or it is away.
pub(crate) const FEED_CONNECT: Duration = Duration::from_secs(5);

/// Bytes of one message of the feed. A delta of a commit is small, but a route may have thousands of backends.
pub(crate) const FEED_MESSAGE: usize = 64 * 1024 * 1024;

/// Acknowledgements waiting to be sent. Control reads them at once; when it does not, the stream ends.
pub(crate) const FEED_REPLIES: usize = 64;

/// Before the route cache is written again after a failure; disks do not empty themselves quickly.
pub(crate) const CACHE_RETRY: Duration = Duration::from_secs(10);

/// Bytes in which most heads have room.
pub(crate) const MOST_HEADS: usize = 4096;
