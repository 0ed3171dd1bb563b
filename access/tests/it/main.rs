//! Access over real sockets.

mod issuer;
