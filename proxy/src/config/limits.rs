//! How much of each thing there may be.

use std::num::{NonZeroU32, NonZeroUsize};

use super::{Rate, fixed};

/// How much of each thing there may be.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Open client connections of the whole proxy; more wait, and are refused if none goes. Fewer when the
    /// process may not have two descriptors for each.
    pub connections: NonZeroUsize,
    /// Open connections of one source: an IPv4 address, or an IPv6 network of `source_prefix_v6`. A sixteenth
    /// of all, so that one client cannot have all there are; yet a company or a mobile network behind one
    /// address does not meet it. Trusted peers have no such limit.
    pub connections_per_source: NonZeroU32,
    /// Leading bits of an IPv6 address that tell sources apart. 64, because whoever has one address of such a
    /// network has all of them (RFC 6177 2).
    pub source_prefix_v6: u8,
    /// Requests over one client connection. Then the client is told to open another (`Connection: close`,
    /// GOAWAY), which the kernel may give to a worker that has less to do; no state of a connection can grow for
    /// ever. So many that a benchmark does not meet it.
    pub requests_per_connection: NonZeroU32,
    /// Requests and tunnels under way over one route: half of what connections could bring, so that a route
    /// whose backends hang leaves room for the others.
    pub in_flight_per_route: NonZeroU32,
    /// Requests and tunnels under way to one backend. HTTP/1.1 takes a connection for each, and the kernel has
    /// some 28,000 ports for connections to one address: this leaves room for idle ones.
    pub in_flight_per_backend: NonZeroU32,
    /// Requests, WebSockets and passed-through connections of one source; none for no limit, for what is much
    /// depends on what is served.
    pub rate_per_source: Option<Rate>,
    /// The same over one route, whoever asks.
    pub rate_per_route: Option<Rate>,
    /// Bytes a second of a body that a client has to send or take, in the long run. The slowest links people use
    /// are faster; who sends a byte now and then only keeps a place taken.
    pub body_rate: NonZeroU32,
    /// Sources whose rate is kept at once, 16 bytes each; rounded up to a power of two. One counts for as long
    /// as it would take to come by what it has spent, so this is plenty for 100,000 requests a second from as
    /// many sources at 10/s.
    pub rated_sources: NonZeroUsize,
    /// Connections of a worker that were accepted and wait for a place, so that they can be told when they get
    /// none; more wait in the kernel's queue. They have a descriptor but no buffers yet.
    pub waiting: NonZeroUsize,
    /// Clients of a worker that are being told at once why they are not connected; more are closed without a
    /// word. Telling takes a descriptor for `linger`.
    pub last_words: usize,
    /// Length of the kernel's accept queue, per worker and port. As long as the kernel gives
    /// (`net.core.somaxconn`), so that a burst waits instead of trying again after a second.
    pub backlog: i32,
    /// Bytes that the kernel holds for a client, or a backend, beyond those on the wire (`TCP_NOTSENT_LOWAT`), give
    /// or take a write. Without it there are megabytes for whoever reads slowly. What is on the wire has no bound
    /// but the kernel's, so fast clients far away are served as fast as before.
    pub unsent: u32,
    /// Bytes of TLS records up to the end of a `ClientHello`. One record; the largest that are sent, with post-quantum
    /// keys and resumption, have 2 to 4 kB.
    pub hello_bytes: usize,
    /// Bytes of an HTTP/1.1 request head; also of a backend's response head, and of the interim ones before it
    /// together. As large as the largest of the common servers' (nginx 4 x 8 KiB), so that no request that reached a
    /// backend before is refused here; it takes that memory only while it is read.
    pub head_bytes: usize,
    /// Fields of a request head. As many as Apache and HAProxy take.
    pub head_fields: usize,
    /// Bytes of an HTTP/2 field section after decompression (RFC 9113 6.5.2). As `head_bytes`: the same requests pass
    /// over both.
    pub h2_field_bytes: u32,
    /// Streams open at once on an HTTP/2 client connection. More than the 100 that are the least recommended
    /// (RFC 9113 6.5.2), and what browsers are given elsewhere.
    pub h2_streams: u32,
    /// Streams an HTTP/2 client may take back (`RST_STREAM`, CVE-2023-44487). Each may have cost a connection to a
    /// backend, and a browser or a caller with deadlines takes back far fewer.
    pub h2_resets: Rate,
    /// Streams an HTTP/2 client took back before they were looked at, at once: those of one flight of packets.
    pub h2_unseen_resets: usize,
    /// Frames of an HTTP/2 client that neither ask nor bring anything: SETTINGS, PRIORITY, CONTINUATION, empty
    /// DATA, unknown ones, and PING and `WINDOW_UPDATE` beyond those that answer what it was sent.
    pub h2_idle_frames: Rate,
    /// Faulty requests on an HTTP/2 client connection in all, among them those beyond `h2_streams`. A client that
    /// has not heard of the settings yet may send some.
    pub h2_faulty_streams: usize,
    /// Flow-control window of an HTTP/2 stream, in bytes: what one slow backend may pile up.
    pub h2_stream_window: u32,
    /// Flow-control window of a whole HTTP/2 client connection, in bytes.
    pub h2_connection_window: u32,
    /// Flow-control window of an HTTP/2 connection to a backend, in bytes. All requests of a worker share it:
    /// what slow clients leave unread must not keep the others waiting, so it is that of many streams.
    pub h2_backend_window: u32,
    /// Bytes buffered in each direction of a tunnel, and read ahead of a connection. Four TLS records: fewer calls for
    /// each byte than with less, and hardly fewer with more; held only while there is something in it.
    pub relay_buffer: usize,
    /// Lines of the access log waiting to be written, besides a batch of each worker; more are dropped and counted.
    pub access_log_queue: usize,
    /// Routes a table may have; a larger one is refused, and the last one served on. Twice what has been measured, some
    /// gigabytes.
    pub routes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: NonZeroUsize::new(65_536).unwrap_or(NonZeroUsize::MIN),
            connections_per_source: NonZeroU32::new(4096).unwrap_or(NonZeroU32::MIN),
            source_prefix_v6: 64,
            requests_per_connection: NonZeroU32::new(1_000_000).unwrap_or(NonZeroU32::MIN),
            in_flight_per_route: NonZeroU32::new(32_768).unwrap_or(NonZeroU32::MIN),
            in_flight_per_backend: NonZeroU32::new(16_384).unwrap_or(NonZeroU32::MIN),
            rate_per_source: None,
            rate_per_route: None,
            body_rate: NonZeroU32::new(240).unwrap_or(NonZeroU32::MIN),
            rated_sources: NonZeroUsize::new(65_536).unwrap_or(NonZeroUsize::MIN),
            waiting: NonZeroUsize::new(64).unwrap_or(NonZeroUsize::MIN),
            last_words: 64,
            backlog: 4096,
            unsent: 128 * 1024,
            hello_bytes: 16 * 1024,
            head_bytes: 32 * 1024,
            head_fields: 100,
            h2_field_bytes: 32 * 1024,
            h2_streams: 128,
            h2_resets: Rate::fixed(100, 1000),
            h2_unseen_resets: 64,
            h2_idle_frames: Rate::fixed(200, 2000),
            h2_faulty_streams: 1024,
            h2_stream_window: 256 * 1024,
            h2_connection_window: 1024 * 1024,
            h2_backend_window: 32 * 1024 * 1024,
            relay_buffer: 64 * 1024,
            access_log_queue: 16_384,
            routes: 20_000_000,
        }
    }
}

impl Limits {
    /// Bytes read ahead of an HTTP/1.1 connection: a whole head must fit. Most heads leave room for a full
    /// `relay_buffer` behind them, for bodies are often just as long.
    pub(crate) fn http1_buffer(&self) -> usize {
        (self.relay_buffer + fixed::MOST_HEADS).max(self.head_bytes)
    }
}
