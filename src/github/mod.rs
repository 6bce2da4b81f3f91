//! What GitHub is told of a report: one comment of a pull request that is kept up to date, suggested
//! changes beside the lines, labels, the summary and the outputs of a step.

pub mod api;
pub mod comment;
pub mod event;
pub mod labels;
pub mod step;
pub mod suggestions;
