//! The pages and the API from outside: who may do what, what no byte may show, what every answer says to the browser.

mod access;
mod flow;
mod sensitivity;
mod server;
mod support;
