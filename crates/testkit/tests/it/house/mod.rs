//! The shape of the house: who may use whom, and how long a file may be.

mod files;
mod graph;
mod rules;
