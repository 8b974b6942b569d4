/// Why bytes are not taken for HTTP/1. Display says what is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Fault {
    /// Not a fault of HTTP/2: whoever speaks it without TLS begins like this (RFC 9113 3.4).
    #[error("the connection begins with the preface of HTTP/2")]
    Http2Preface,
    /// The first byte already is none a message begins with.
    #[error("what came is not HTTP/1")]
    NotHttp,
    /// Not a method, a target and a version with one space between each (RFC 9112 3).
    #[error("the request line is malformed")]
    BadRequestLine,
    /// Not a version, a status of three digits and a reason (RFC 9112 4).
    #[error("the status line is malformed")]
    BadStatusLine,
    /// Neither HTTP/1.0 nor HTTP/1.1, written like this.
    #[error("the version is neither HTTP/1.0 nor HTTP/1.1")]
    BadVersion,
    /// A target of no form that its method may have (RFC 9112 3.2).
    #[error("the request target is malformed, or of a form its method does not have")]
    BadTarget,
    /// The request line alone is longer than a head may be.
    #[error("the request target is too long")]
    TargetTooLong,
    /// A field line that is no token, colon and value (RFC 9112 5).
    #[error("a header field is malformed")]
    BadField,
    /// A line that ends without a carriage return.
    #[error("a line feed stands without a carriage return")]
    BareLineFeed,
    /// A carriage return that ends no line.
    #[error("a carriage return stands without a line feed")]
    BareCarriageReturn,
    /// A byte of value zero.
    #[error("a head contains a zero byte")]
    Nul,
    /// A line that begins with a blank (RFC 9112 5.2).
    #[error("a header field is folded over lines")]
    ObsoleteFolding,
    /// More bytes than a head may have.
    #[error("the head is too long")]
    HeadTooLong,
    /// More fields than a head may have.
    #[error("the head has too many fields")]
    TooManyFields,
    /// Two lengths, two codings, or one of each: which of them holds is anyone's guess (RFC 9112 6.3).
    #[error("the length of the body is said more than once")]
    AmbiguousLength,
    /// A Content-Length that is not a number, or larger than signed ones of 64 bits are.
    #[error("the content length is not a number, or too large a one")]
    BadLength,
    /// A transfer coding before `chunked`, which ends the body where we could find it (RFC 9112 6.1).
    #[error("a transfer coding other than chunked")]
    UnknownCoding,
    /// The last transfer coding is not `chunked`, or is so twice: the end cannot be found (RFC 9112 6.3).
    #[error("the last transfer coding is not chunked, alone")]
    BadCoding,
    /// Transfer codings do not exist in HTTP/1.0 (RFC 9112 6.1).
    #[error("a transfer coding in a message of HTTP/1.0")]
    CodingInHttp10,
    /// An expectation other than `100-continue` (RFC 9110 10.1.1).
    #[error("the expectation is not 100-continue")]
    UnknownExpectation,
    /// A chunk that does not follow the grammar (RFC 9112 7.1), is larger than a signed number of 64 bits can
    /// say, or whose extensions weigh too much.
    #[error("a chunk is malformed, or too large")]
    BadChunk,
    /// A trailer section that is malformed, too large, or has a field that may not stand there.
    #[error("the trailer section is malformed, too large, or has a field that may not stand in it")]
    BadTrailer,
    /// The stream ended before the message did.
    #[error("the message broke off")]
    Truncated,
}
