//! Payment codes and TOTP: digits, check digit, TLV, symbols. Pure.
