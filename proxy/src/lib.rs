//! The data plane. (Map to come.)
