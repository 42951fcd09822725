//! The sandbox issuer: accounts, ledger, registers, ATMs, switches. A library.
