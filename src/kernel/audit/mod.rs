//! What a record of the trail says, and how records are chained. Pure; writing them is `trail`'s.
