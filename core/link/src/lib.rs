//! Talking to the issuer: sessions, proofs, pinned TLS, request classes.
