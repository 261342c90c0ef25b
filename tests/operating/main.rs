//! What an operator meets: settings, metrics and their alerts, and `make doctor`.

mod doctor;
mod metrics;
mod settings;
