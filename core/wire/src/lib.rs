//! Every message, header, signed byte string and error code of the issuer API.
