//! # Outbox (发件箱)
