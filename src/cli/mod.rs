//! The command line: the same acts as everywhere, for a terminal. Floor 5.
//!
//! Most verbs open the store, act as the user of the machine (which the record says) and end. They
//! work beside a running gateway, which notices within a second, and without one.
//!
//! # Output
//! For people: short lines and aligned tables. With `--json`: one JSON value on one line of standard
//! output, an object for what was made or shown, an array for a list. `principal add` and `rotate`
//! give `name` and `secret`; requests, grants and sessions have their `id` as people write it
//! (`"G-42"`), times in RFC 3339, `"scope": null` for all tables; `request approve` gives the grant
//! with the request's `id` and the new `grant`. Errors are one line (settings: one line
//! for each problem) on standard error in either case.
//!
//! # Exit codes
//! 0 done; 1 refused, or not found; 2 the command line itself is wrong; 3 the settings can't be read
//! or are refused; 4 something the command needs (store, file, server) failed.

mod audit;
mod backup;
mod check;
mod error;
mod explain;
mod grant;
mod mask;
mod output;
mod principal;
mod request;
mod serve;
mod session;
mod store;
mod target;
mod trial;
mod workplace;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

use crate::cli::{error::Error, output::Output, workplace::Workplace};

/// A database gateway for just-in-time access.
#[derive(Debug, Parser)]
#[command(name = "hallpass", version, about, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 done, 1 refused or not found, 2 usage, 3 settings, \
                        4 something failed.")]
struct Cli {
    /// The settings file
    #[arg(long, global = true, value_name = "FILE", default_value = "./proxy.toml")]
    #[arg(env = "HALLPASS_CONFIG")]
    config: PathBuf,
    /// Print JSON instead of text
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the gateway until SIGTERM; SIGHUP reloads the settings
    Serve,
    /// Check the settings and what they point to; change nothing
    Check {
        /// Connect to no target
        #[arg(long)]
        offline: bool,
    },
    /// People and services that log in
    #[command(subcommand, visible_alias = "user")]
    Principal(principal::Command),
    /// Requests for access
    #[command(subcommand)]
    Request(request::Command),
    /// Grants: what was given to whom
    #[command(subcommand)]
    Grant(grant::Command),
    /// Which columns are sensitive, and how they are masked
    #[command(subcommand)]
    Mask(mask::Command),
    /// Sessions of running gateways
    #[command(subcommand)]
    Session(session::Command),
    /// What is on record, and whether it is what was written
    #[command(subcommand)]
    Audit(audit::Command),
    /// Help with targets
    #[command(subcommand)]
    Target(target::Command),
    /// The store: its time
    #[command(subcommand)]
    Store(store::Command),
    /// What a statement needs and why; would it pass now; runs nothing
    Explain(explain::Arguments),
    /// Copy store, keys, trail and settings into a new folder, beside a running gateway
    #[command(long_about = backup::ABOUT)]
    Backup(backup::Arguments),
}

/// Runs the program with the arguments of the process.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are "errors" of clap too; an unwritable terminal changes nothing.
            drop(error.print());
            return ExitCode::from(error.exit_code() as u8);
        }
    };
    match execute(&cli) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("hallpass: {error}");
            error.exit_code()
        }
    }
}

fn execute(cli: &Cli) -> Result<ExitCode, Error> {
    let output = Output::new(cli.json);
    let runtime = || {
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Runtime)
    };
    let workplace = || Workplace::new(&cli.config, output);
    match &cli.command {
        Command::Serve => serve::run(&cli.config),
        Command::Check { offline } => {
            runtime()?.block_on(check::run(&cli.config, *offline, output))
        }
        Command::Principal(command) => runtime()?.block_on(command.run(&workplace()?)),
        Command::Request(command) => runtime()?.block_on(command.run(&workplace()?)),
        Command::Grant(command) => runtime()?.block_on(command.run(&workplace()?)),
        Command::Mask(command) => runtime()?.block_on(command.run(&workplace()?)),
        Command::Session(command) => runtime()?.block_on(command.run(&workplace()?)),
        Command::Audit(command) => runtime()?.block_on(command.run(&workplace()?)),
        Command::Target(command) => command.run(&workplace()?),
        Command::Store(command) => runtime()?.block_on(command.run(&workplace()?)),
        Command::Explain(arguments) => runtime()?.block_on(arguments.run(&workplace()?)),
        Command::Backup(arguments) => runtime()?.block_on(arguments.run(&workplace()?)),
    }
}
