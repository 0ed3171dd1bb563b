//! One row a route: who may use it, what it may carry, what it answers. The router, the OpenAPI
//! document and the tests are made from these rows.

use crate::{Answer, Call, Param, auth::Who};
use futures::future::BoxFuture;
use schemars::{JsonSchema, Schema, SchemaGenerator};

/// An HTTP method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Makes or does.
    Post,
    /// Changes.
    Put,
    /// Removes.
    Delete,
}

impl Method {
    /// Its name in the OpenAPI document.
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Post => "post",
            Self::Put => "put",
            Self::Delete => "delete",
        }
    }
}

/// What an answer is.
#[derive(Clone, Copy)]
pub enum Gives {
    /// JSON of this schema, with this status.
    Json(u16, fn(&mut SchemaGenerator) -> Schema),
    /// Bytes of a media type.
    Bytes(&'static str),
    /// Nothing (204).
    Nothing,
    /// Another place (303).
    Place,
}

/// JSON of a type.
pub const fn gives<T: JsonSchema>() -> Gives {
    Gives::Json(200, SchemaGenerator::subschema_for::<T>)
}

/// What a request of the route costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// The rate of reading.
    Reading,
    /// The rate of signing in.
    Login,
}

/// What serves a route.
pub type Handler = fn(Call) -> BoxFuture<'static, Answer>;

/// A route.
#[derive(Clone, Copy)]
pub struct Route {
    /// Its method.
    pub method: Method,
    /// Its path below `/api/v1`, with names in braces.
    pub path: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// Who may.
    pub who: Who,
    /// Parameters of the path.
    pub places: &'static [Param],
    /// Parameters of the query.
    pub query: &'static [Param],
    /// Fields of the JSON body.
    pub body: &'static [Param],
    /// What it answers.
    pub gives: Gives,
    /// What it costs.
    pub pace: Pace,
    /// What serves it.
    pub handler: Handler,
}

/// A route that reads.
pub const fn get(
    path: &'static str,
    about: &'static str,
    who: Who,
    gives: Gives,
    handler: Handler,
) -> Route {
    Route {
        method: Method::Get,
        path,
        about,
        who,
        places: &[],
        query: &[],
        body: &[],
        gives,
        pace: Pace::Reading,
        handler,
    }
}

/// A route that does something.
pub const fn post(
    path: &'static str,
    about: &'static str,
    who: Who,
    gives: Gives,
    handler: Handler,
) -> Route {
    Route { method: Method::Post, ..get(path, about, who, gives, handler) }
}

impl Route {
    /// With parameters of the path.
    #[must_use]
    pub const fn places(self, places: &'static [Param]) -> Self {
        Self { places, ..self }
    }

    /// With parameters of the query.
    #[must_use]
    pub const fn query(self, query: &'static [Param]) -> Self {
        Self { query, ..self }
    }

    /// With fields of the body.
    #[must_use]
    pub const fn body(self, body: &'static [Param]) -> Self {
        Self { body, ..self }
    }

    /// With another method.
    #[must_use]
    pub const fn by(self, method: Method) -> Self {
        Self { method, ..self }
    }

    /// At another rate.
    #[must_use]
    pub const fn at(self, pace: Pace) -> Self {
        Self { pace, ..self }
    }
}

/// Wraps an async function as a [`Handler`].
#[macro_export]
macro_rules! handler {
    ($function:path) => {
        |call: $crate::Call| -> futures::future::BoxFuture<'static, $crate::Answer> {
            Box::pin($function(call))
        }
    };
}
