//! The control plane. (Map to come.)
