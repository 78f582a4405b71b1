//! Floor 4: one client's life, from the first byte to the last.
//!
//! What is decided knows no protocol: [`gate`], [`result`], [`transaction`], [`names`], [`desk`].
//! How statements enter and leave is each protocol's own: [`pg`].

pub mod alarm;
pub mod beside;
pub mod budget;
pub mod cache;
pub mod cores;
pub mod desk;
pub mod doorstep;
pub mod ends;
pub mod entrance;
pub mod gate;
pub mod login;
pub mod mask;

pub mod mysql;
pub mod names;
pub mod parsers;
pub mod pg;
pub mod probes;
pub mod records;
pub mod registry;
pub mod result;
pub mod room;
pub mod services;
pub mod signal;
pub mod transaction;
pub mod waiting;
