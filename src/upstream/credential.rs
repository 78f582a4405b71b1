//! Where the password of an upstream comes from: read again at each log-in, so that a rotation needs
//! no restart.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
    process::Stdio,
    sync::Mutex,
    time::Duration,
};

use ring::{
    hmac,
    rand::{SecureRandom, SystemRandom},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::Command,
    time::timeout,
};

use crate::{kernel::secret::Secret, wire::pg::scram::Keys};

/// Where a password comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Source {
    /// There is none: the upstream trusts the gateway, by address or certificate.
    None,
    /// A file's content, a line end at its end left out.
    File(PathBuf),
    /// An environment variable of the gateway.
    Environment(String),
    /// What a program prints; a line end at its end left out. Its path and its words, no shell.
    Command(Vec<String>),
}

/// Why there is no password.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// The settings name none, and the upstream wants one.
    #[error("the server asks for a password, and the settings name none")]
    NoSource,
    /// The file can't be read.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The variable isn't set.
    #[error("environment variable {0} is not set")]
    NotSet(String),
    /// The command doesn't start, or breaks off.
    #[error("password_command: {0}")]
    Command(io::Error),
    /// The command failed. What it printed isn't shown: it may be the password.
    #[error("password_command ended with {0}")]
    Failed(std::process::ExitStatus),
    /// The command takes too long.
    #[error("password_command took longer than {} s", COMMAND_TIME_MAX.as_secs())]
    TooSlow,
    /// More than a password.
    #[error("the password is longer than {LENGTH_MAX} bytes")]
    TooLong,
    /// Nothing at all.
    #[error("the password is empty")]
    Empty,
    /// A NUL inside, which no message can carry.
    #[error("the password contains a NUL byte")]
    Nul,
}

/// The longest password, in bytes.
const LENGTH_MAX: usize = 4096;

/// How long a command may take.
const COMMAND_TIME_MAX: Duration = Duration::from_secs(10);

/// How many derived keys are kept: one salt per upstream log-in, and a few during rotations.
const CACHED_MAX: usize = 4;

/// A password's source, and the SCRAM keys that came of it.
#[derive(Debug)]
pub struct Credential {
    source: Source,
    /// Digests passwords for the cache, so that none is kept and none can be guessed from it.
    digest_key: hmac::Key,
    cached: Mutex<Vec<Cached>>,
}

#[derive(Debug)]
struct Cached {
    password_digest: hmac::Tag,
    salt: Vec<u8>,
    iterations: u32,
    keys: Keys,
}

impl Credential {
    /// From that source; nothing is read yet.
    pub fn new(source: Source) -> Self {
        let mut random = [0; 32];
        // A failure leaves a known key: the digests stay in this process all the same.
        let _ = SystemRandom::new().fill(&mut random);
        let digest_key = hmac::Key::new(hmac::HMAC_SHA256, &random);
        Self { source, digest_key, cached: Mutex::default() }
    }

    /// Reads the password.
    ///
    /// # Errors
    /// [`CredentialError`].
    pub async fn password(&self) -> Result<Secret, CredentialError> {
        let read = match &self.source {
            Source::None => return Err(CredentialError::NoSource),
            Source::File(path) => {
                let failed = |source| CredentialError::File { path: path.clone(), source };
                let from = path.clone();
                // PERFORMANCE: in one go, each step by itself goes to another thread and back.
                let read = tokio::task::spawn_blocking(move || file(&from)).await;
                read.map_err(io::Error::other).flatten().map_err(failed)?
            }
            Source::Environment(name) => {
                let value =
                    std::env::var_os(name).ok_or_else(|| CredentialError::NotSet(name.clone()))?;
                Secret::new(std::os::unix::ffi::OsStringExt::into_vec(value))
            }
            Source::Command(command) => timeout(COMMAND_TIME_MAX, output_of(command))
                .await
                .map_err(|_| CredentialError::TooSlow)??,
        };
        if read.reveal().len() > LENGTH_MAX {
            return Err(CredentialError::TooLong);
        }
        let bytes = read.reveal();
        let line = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let password = Secret::new(line.strip_suffix(b"\r").unwrap_or(line));
        match password.reveal() {
            [] => Err(CredentialError::Empty),
            bytes if bytes.contains(&0) => Err(CredentialError::Nul),
            _ => Ok(password),
        }
    }

    /// The keys that `password` leads to: kept from the last time, or derived.
    pub async fn keys(&self, password: &Secret, salt: &[u8], iterations: u32) -> Keys {
        /// More rounds than this would hold up the other sessions of a core.
        const ROUNDS_IN_PLACE: u32 = 10_000;
        let password_digest = hmac::sign(&self.digest_key, password.reveal());
        let is_it = |cached: &Cached| {
            cached.salt == salt
                && cached.iterations == iterations
                && cached.password_digest.as_ref() == password_digest.as_ref()
        };
        if let Some(found) = self.lock().iter().find(|cached| is_it(cached)) {
            return found.keys.clone();
        }
        let keys = if iterations <= ROUNDS_IN_PLACE {
            Keys::derive(password, salt, iterations)
        } else {
            let (password, salt) = (password.clone(), salt.to_vec());
            let derive = move || Keys::derive(&password, &salt, iterations);
            tokio::task::spawn_blocking(derive).await.expect("deriving keys does not panic")
        };
        let mut cached = self.lock();
        if cached.len() >= CACHED_MAX {
            cached.remove(0);
        }
        let salt = salt.to_vec();
        cached.push(Cached { password_digest, salt, iterations, keys: keys.clone() });
        keys
    }

    /// Forgets the kept keys: the upstream didn't accept them.
    pub fn forget(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Cached>> {
        self.cached.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Reads one byte more than allowed at most, so that too much is noticed.
fn file(path: &Path) -> io::Result<Secret> {
    let mut bytes = Vec::with_capacity(LENGTH_MAX + 2);
    let read = File::open(path)?.take(LENGTH_MAX as u64 + 1).read_to_end(&mut bytes);
    let secret = Secret::new(bytes);
    read.map(|_| secret)
}

/// The same of what a command says.
async fn bounded(from: impl AsyncRead + Unpin) -> io::Result<Secret> {
    let mut bytes = Vec::with_capacity(LENGTH_MAX + 2);
    let read = from.take(LENGTH_MAX as u64 + 1).read_to_end(&mut bytes).await;
    let secret = Secret::new(bytes);
    read.map(|_| secret)
}

async fn output_of(words: &[String]) -> Result<Secret, CredentialError> {
    let (program, arguments) = words.split_first().ok_or_else(|| {
        CredentialError::Command(io::Error::new(io::ErrorKind::InvalidInput, "no program"))
    })?;
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(CredentialError::Command)?;
    let output = child.stdout.take().expect("its output is piped");
    let secret = bounded(output).await.map_err(CredentialError::Command)?;
    if secret.reveal().len() > LENGTH_MAX {
        return Err(CredentialError::TooLong);
    }
    let status = child.wait().await.map_err(CredentialError::Command)?;
    if status.success() { Ok(secret) } else { Err(CredentialError::Failed(status)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn of(source: Source) -> Result<Vec<u8>, CredentialError> {
        Credential::new(source).password().await.map(|secret| secret.reveal().to_vec())
    }

    fn command(text: &str) -> Source {
        Source::Command(vec!["/bin/sh".to_owned(), "-c".to_owned(), text.to_owned()])
    }

    #[tokio::test]
    async fn a_password_is_its_source_without_one_line_end() {
        let folder = tempfile::tempdir().expect("makes a folder");
        let path = folder.path().join("secret");
        for (content, wanted) in
            [("pw", "pw"), ("pw\n", "pw"), ("pw\r\n", "pw"), (" p\n\n", " p\n")]
        {
            std::fs::write(&path, content).expect("writes");
            let read = of(Source::File(path.clone())).await.expect("reads");
            assert_eq!(read, wanted.as_bytes());
        }
        assert_eq!(of(command("echo from command")).await.expect("reads"), b"from command");
    }

    #[tokio::test]
    async fn what_is_no_password_is_said() {
        let none = of(Source::File(PathBuf::from("/nonexistent"))).await;
        assert!(matches!(none, Err(CredentialError::File { .. })));
        let unset = of(Source::Environment("HALLPASS_TEST_UNSET".to_owned())).await;
        assert!(matches!(unset, Err(CredentialError::NotSet(_))));
        assert!(matches!(of(command("true")).await, Err(CredentialError::Empty)));
        assert!(matches!(of(command("echo x; exit 3")).await, Err(CredentialError::Failed(_))));
        let endless = of(command("yes")).await;
        assert!(matches!(endless, Err(CredentialError::TooLong)));
        assert!(matches!(of(command("printf 'a\\000b'")).await, Err(CredentialError::Nul)));
        assert!(matches!(of(Source::None).await, Err(CredentialError::NoSource)));
    }

    #[tokio::test]
    async fn keys_are_derived_once_for_each_password_and_salt() {
        let credential = Credential::new(Source::None);
        let (one, two) = (Secret::new("one"), Secret::new("two"));
        let first = credential.keys(&one, b"salt", 4096).await;
        assert_eq!(credential.keys(&one, b"salt", 4096).await, first);
        assert_eq!(credential.lock().len(), 1);
        assert_ne!(credential.keys(&two, b"salt", 4096).await, first);
        assert_ne!(credential.keys(&one, b"pepper", 4096).await, first);
        assert_ne!(credential.keys(&one, b"salt", 10_001).await, first);
        credential.keys(&two, b"pepper", 1).await;
        assert_eq!(credential.lock().len(), CACHED_MAX);
    }
}
