//! People and services, and the secrets they log in with.

use std::{num::NonZeroU32, time::Duration};

use serde_json::json;

use crate::{
    kernel::{
        access::{Duty, ScramVerifier},
        ids::{Principal, RoleName},
        secret::Secret,
        time::Timestamp,
    },
    store::{
        Actor, Error, Store,
        db::{Row, values},
        outbox::Act,
        schema::random,
        snapshot::meta,
    },
    wire::pg::scram::MockSecret,
};

/// RFC 7677's minimum and Postgres's default. The secrets have 130 random bits: no number of
/// iterations makes guessing them harder than that already is, and clients pay for each.
const ITERATIONS: NonZeroU32 = match NonZeroU32::new(4096) {
    Some(iterations) => iterations,
    None => NonZeroU32::MIN,
};

const OWNER: &[Duty] = &[Duty::Owner];

/// A principal, as people see it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PrincipalInfo {
    /// Its name.
    pub name: Principal,
    /// Its roles.
    pub roles: Vec<RoleName>,
    /// It can't log in.
    pub disabled: bool,
    /// Since when it exists.
    pub created: Timestamp,
    /// Its secrets that are still accepted.
    pub secrets: Vec<SecretInfo>,
}

/// One log-in secret, without anything secret.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SecretInfo {
    /// Its number.
    pub id: u64,
    /// Since when it exists.
    pub created: Timestamp,
    /// From when on it isn't accepted, if that is set.
    pub expires: Option<Timestamp>,
}

impl Store {
    /// Makes a principal and its first secret, which is in nobody's hands but the caller's.
    pub async fn principal_add(
        &self,
        actor: &Actor,
        now: Timestamp,
        name: &str,
        roles: &[RoleName],
    ) -> Result<Secret, Error> {
        let name = checked_name(name)?;
        let mut act = self.act(actor, now).await?;
        act.require(OWNER, "the duty owner").await?;
        act.check_roles(roles)?;
        let sql = "SELECT name FROM principals WHERE name = $1";
        if act.tx.row(sql, values![name.as_str()]).await?.is_some() {
            return Err(Error::PrincipalExists(name));
        }
        // Of the same making as the salt of a name that nobody has.
        let salt = MockSecret::new(meta(&mut act.tx, "mock_secret").await.map(Secret::new)?)
            .salt(name.as_str().as_bytes());
        let sql = "INSERT INTO principals (name, roles, disabled, salt, iterations, created) \
             VALUES ($1, $2, 0, $3, $4, $5)";
        let iterations = i64::from(ITERATIONS.get());
        let values = values![name.as_str(), roles_text(roles), salt.clone(), iterations, act.now];
        act.tx.execute(sql, values).await?;
        let secret = act.add_secret(&name, &salt, ITERATIONS).await?;
        act.event("principal_added", json!({"principal": name, "roles": roles})).await?;
        act.commit().await?;
        Ok(secret)
    }

    /// All principals, by name.
    pub async fn principals(&self, now: Timestamp) -> Result<Vec<PrincipalInfo>, Error> {
        let mut tx = self.database.begin_read().await?;
        let sql = "SELECT id, principal, created, expires FROM secrets \
             WHERE expires IS NULL OR expires > $1 ORDER BY id";
        let secrets = tx.rows(sql, values![now]).await?;
        let rows = tx.rows("SELECT * FROM principals ORDER BY name", values![]).await?;
        let mut list = Vec::new();
        for row in rows {
            let name = row.text("name")?;
            let mut own = Vec::new();
            for secret in &secrets {
                if secret.text("principal")? == name {
                    own.push(SecretInfo {
                        id: secret.count("id")?,
                        created: secret.time("created")?,
                        expires: secret.time_or_null("expires")?,
                    });
                }
            }
            list.push(PrincipalInfo {
                name: Principal::new(name),
                roles: roles_of(&row)?,
                disabled: row.truth("disabled")?,
                created: row.time("created")?,
                secrets: own,
            });
        }
        Ok(list)
    }

    /// Switches a principal off (its sessions end) or on again. Its grants stay as they are.
    pub async fn principal_set_disabled(
        &self,
        actor: &Actor,
        now: Timestamp,
        name: &Principal,
        disabled: bool,
    ) -> Result<(), Error> {
        let mut act = self.act(actor, now).await?;
        act.require(OWNER, "the duty owner").await?;
        act.principal_row(name).await?;
        let sql = "UPDATE principals SET disabled = $2 WHERE name = $1";
        act.tx.execute(sql, values![name.as_str(), disabled]).await?;
        let kind = if disabled { "principal_disabled" } else { "principal_enabled" };
        act.event(kind, json!({"principal": name})).await?;
        act.commit().await
    }

    /// Makes a new secret. Those there are go on for `overlap`, or less if they end before that.
    pub async fn principal_rotate(
        &self,
        actor: &Actor,
        now: Timestamp,
        name: &Principal,
        overlap: Duration,
    ) -> Result<Secret, Error> {
        let mut act = self.act(actor, now).await?;
        act.require(OWNER, "the duty owner").await?;
        let row = act.principal_row(name).await?;
        let iterations = iterations_of(&row)?;
        let salt = row.bytes("salt")?;
        let end = act.now.plus(overlap);
        let sql = "UPDATE secrets SET expires = $2 \
             WHERE principal = $1 AND (expires IS NULL OR expires > $2)";
        act.tx.execute(sql, values![name.as_str(), end]).await?;
        let sql = "DELETE FROM secrets WHERE principal = $1 AND expires <= $2";
        act.tx.execute(sql, values![name.as_str(), act.now]).await?;
        let secret = act.add_secret(name, &salt, iterations).await?;
        let fields = json!({"principal": name, "old_secrets_end": end.to_string()});
        act.event("principal_rotated", fields).await?;
        act.commit().await?;
        Ok(secret)
    }

    /// Replaces a principal's roles.
    pub async fn principal_set_roles(
        &self,
        actor: &Actor,
        now: Timestamp,
        name: &Principal,
        roles: &[RoleName],
    ) -> Result<(), Error> {
        let mut act = self.act(actor, now).await?;
        act.require(OWNER, "the duty owner").await?;
        act.check_roles(roles)?;
        let before = roles_of(&act.principal_row(name).await?)?;
        let sql = "UPDATE principals SET roles = $2 WHERE name = $1";
        act.tx.execute(sql, values![name.as_str(), roles_text(roles)]).await?;
        let fields = json!({"principal": name, "roles": roles, "roles_before": before});
        act.event("principal_roles_set", fields).await?;
        act.commit().await
    }
}

impl Act<'_> {
    pub(super) async fn principal_row(&mut self, name: &Principal) -> Result<Row, Error> {
        let sql = "SELECT * FROM principals WHERE name = $1";
        let row = self.tx.row(sql, values![name.as_str()]).await?;
        row.ok_or_else(|| Error::NoSuchPrincipal(name.clone()))
    }

    /// Refuses names that aren't a principal's, or are those of one that is switched off.
    pub(super) async fn require_enabled(&mut self, name: &Principal) -> Result<(), Error> {
        if self.principal_row(name).await?.truth("disabled")? {
            return Err(Error::PrincipalDisabled(name.clone()));
        }
        Ok(())
    }

    fn check_roles(&self, roles: &[RoleName]) -> Result<(), Error> {
        let known = || self.rules.roles.iter().map(|r| r.name.as_str());
        match roles.iter().find(|role| !known().any(|k| k == role.as_str())) {
            None => Ok(()),
            Some(role) => Err(Error::NoSuchRole {
                name: role.to_string(),
                known: known().collect::<Vec<_>>().join(", "),
            }),
        }
    }

    async fn add_secret(
        &mut self,
        name: &Principal,
        salt: &[u8],
        iterations: NonZeroU32,
    ) -> Result<Secret, Error> {
        let secret = new_secret()?;
        let verifier = ScramVerifier::derive(&secret, salt, iterations);
        let id = self.next_id("secret").await?;
        // A digest that nobody asks for is one that nobody can lose.
        let native = verifier.native_digest.filter(|_| self.rules.native_passwords);
        let sql = "INSERT INTO secrets (id, principal, stored_key, server_key, sha2_digest, \
             native_digest, created, expires) VALUES ($1, $2, $3, $4, $5, $6, $7, NULL)";
        let values = values![
            id,
            name.as_str(),
            &verifier.stored_key[..],
            &verifier.server_key[..],
            &verifier.sha2_digest[..],
            native.map(|digest| digest.to_vec()),
            self.now,
        ];
        self.tx.execute(sql, values).await?;
        Ok(secret)
    }
}

/// `hp_` (so that scanners for lost secrets can know it) and 130 random bits.
fn new_secret() -> Result<Secret, Error> {
    // Crockford's base 32: no letter looks like another or like a digit.
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let mut text = b"hp_".to_vec();
    text.extend(random(26)?.into_iter().map(|byte| ALPHABET[usize::from(byte & 31)]));
    Ok(Secret::new(text))
}

/// Letters, digits, `.`, `_`, `-`, `+` and `@`, at most 63, beginning with a letter or digit: names
/// and mail addresses. No `:` (that is for `os:root`) and no `/` (`alice/psql`).
fn checked_name(name: &str) -> Result<Principal, Error> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'+' | b'@');
    let fits = (1..=63).contains(&name.len())
        && name.bytes().all(plain)
        && name.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
    if fits {
        return Ok(Principal::new(name));
    }
    Err(Error::Invalid {
        field: "name",
        reason: "letters, digits, `.`, `_`, `-`, `+` and `@`, at most 63, beginning with a letter \
                 or digit",
    })
}

fn roles_text(roles: &[RoleName]) -> String {
    roles.iter().map(RoleName::as_str).collect::<Vec<_>>().join(",")
}

pub(super) fn roles_of(row: &Row) -> Result<Vec<RoleName>, Error> {
    let text = row.text("roles")?;
    Ok(text.split(',').filter(|name| !name.is_empty()).map(RoleName::new).collect())
}

pub(super) fn iterations_of(row: &Row) -> Result<NonZeroU32, Error> {
    u32::try_from(row.int("iterations")?)
        .ok()
        .and_then(NonZeroU32::new)
        .ok_or_else(|| Error::corrupt("iterations"))
}
