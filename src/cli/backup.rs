//! `hallpass backup DEST`: a copy from which a gateway can be brought back.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use serde_json::json;

use crate::{
    cli::{Error, Workplace},
    config::StoreSetting,
};

/// The help text: with how to restore, which is when people look.
pub(super) const ABOUT: &str = "\
Copy store, keys, trail and settings into a new folder, beside a running gateway

The folder gets proxy.toml and data/: a consistent copy of the embedded store, the node's signing \
key, certificates that the gateway made, and the trail's segments. Left out: the audit index (it is \
made again from the trail), files that the settings only name (certificates, upstream passwords), \
and a store on Postgres (use pg_dump).

To restore: stop the gateway, put proxy.toml in its place and data/ in the place of data_dir \
(owned by the gateway's user), run `hallpass check` and `hallpass audit verify`, start it. What \
was granted, revoked or rotated after the backup is as it was at the backup: look at \
`hallpass grant list --active` before you let people in.";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The folder to make
    destination: PathBuf,
}

impl Arguments {
    pub(super) async fn run(&self, place: &Workplace) -> Result<ExitCode, Error> {
        let config = &place.config;
        let destination = &self.destination;
        if destination.exists() {
            return Err(Error::DestinationExists { path: destination.clone() });
        }
        refuse_inside(destination, &config.data_dir)?;
        let data = destination.join("data");
        make_folder(destination)?;
        make_folder(&data)?;
        copy_file(&config.file, &destination.join("proxy.toml"))?;
        // The store first: it vouches for the trail's heads, and a trail that is younger than what
        // is vouched for verifies; an older one would look cut.
        let with_store = match &config.store {
            StoreSetting::Embedded(file) => {
                let store = place.store().await?;
                let name = file.file_name().unwrap_or(file.as_os_str());
                store.backup_to(&data.join(name)).await?;
                store.close().await;
                true
            }
            StoreSetting::Postgres(_) => false,
        };
        let files = copy_folder(&config.data_dir, &data)?;
        let json = json!({
            "destination": destination,
            "store": with_store,
            "files": files,
        });
        let mut text = format!(
            "backup in {}: settings, {files} files of data_dir{}",
            destination.display(),
            if with_store { ", and the store" } else { "" }
        );
        if !with_store {
            text.push_str("\nthe store is on Postgres: back it up with pg_dump");
        }
        place.output.answer(&json, &text)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// A backup inside the folder that it copies would copy itself.
fn refuse_inside(destination: &Path, data_dir: &Path) -> Result<(), Error> {
    let parent = match destination.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let (Ok(parent), Ok(data_dir)) = (parent.canonicalize(), data_dir.canonicalize()) else {
        return Ok(());
    };
    if parent.starts_with(data_dir) {
        return Err(Error::DestinationInside { path: destination.to_owned() });
    }
    Ok(())
}

/// Copies what is in a folder, but for databases: a file that is written while it is copied is no
/// database any more. Returns how many files.
fn copy_folder(from: &Path, to: &Path) -> Result<u64, Error> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |cause| Error::File { path, cause }
    };
    let entries = match fs::read_dir(from) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        other => other.map_err(failed(from))?,
    };
    let mut files = 0;
    for entry in entries {
        let entry = entry.map_err(failed(from))?;
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().map_err(failed(&path))?;
        if kind.is_dir() {
            make_folder(&target)?;
            files += copy_folder(&path, &target)?;
        } else if kind.is_file() && !is_database(&path) {
            match copy_file(&path, &target) {
                Ok(()) => files += 1,
                // A segment that `audit.keep` took away meanwhile.
                Err(Error::File { cause, .. }) if cause.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(files)
}

fn is_database(path: &Path) -> bool {
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    [".db", ".db-wal", ".db-shm", ".db-journal"].iter().any(|end| name.ends_with(end))
}

fn make_folder(path: &Path) -> Result<(), Error> {
    fs::DirBuilder::new()
        .mode(0o700)
        .create(path)
        .map_err(|cause| Error::File { path: path.to_owned(), cause })
}

/// Copies a file for its owner alone: it may hold a key.
fn copy_file(from: &Path, to: &Path) -> Result<(), Error> {
    let mut source =
        fs::File::open(from).map_err(|cause| Error::File { path: from.to_owned(), cause })?;
    let failed = |cause| Error::File { path: to.to_owned(), cause };
    let mut target =
        fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(to).map_err(failed)?;
    io::copy(&mut source, &mut target).map_err(failed)?;
    target.sync_all().map_err(failed)
}
