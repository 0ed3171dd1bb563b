//! What stands around the routes: connections, rates, headers, the page.

pub mod connections;
pub mod headers;
pub mod page;
pub mod pipeline;
pub mod rates;
