//! Judgements of readings made by hand.
