//! What lockkeeper makes of git, in repositories that the tests build.

mod baseline;
mod framework;
mod repository;
mod since;
mod staged;
