//! The `hallpass` program: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    hallpass::cli::run()
}
