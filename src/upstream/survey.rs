//! Reads what a database holds that gives somebody power, for what a grant leaves behind: one list,
//! in one snapshot, over the control connection. Works for servers 13 to 18 and for a log-in without
//! any privilege, which sees less: no digest of passwords, no options of user mappings.
//!
//! Objects of sessions' own (`pg_temp`) don't outlive them and are left out. Names are quoted where two
//! could otherwise look like one: a role may be called `all roles`, or `bob in admins`.

use super::{
    UpstreamError,
    control::{Control, Row},
};
use crate::kernel::access::Holding;

/// The most of them that are looked at.
const HOLDINGS_MAX: usize = 500_000;

/// A survey that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum SurveyError {
    /// The server can't be asked.
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
    /// There is too much to remember.
    #[error("the database has more than {HOLDINGS_MAX} roles, privileges and routines")]
    TooMany,
}

impl SurveyError {
    /// # Errors
    /// There is too much to remember.
    pub(super) fn check(holdings: usize) -> Result<(), Self> {
        if holdings > HOLDINGS_MAX { Err(Self::TooMany) } else { Ok(()) }
    }
}

/// Reads all of them.
///
/// # Errors
/// [`SurveyError`]; the control connection is outside a transaction if it is still of use.
pub async fn read(control: &mut Control) -> Result<Vec<Holding>, SurveyError> {
    let read = read_snapshot(control).await;
    if control.is_ready() {
        control.simple_query("ROLLBACK").await?;
    }
    let rows = read?;
    SurveyError::check(rows.len())?;
    Ok(rows.into_iter().map(holding).collect())
}

async fn read_snapshot(control: &mut Control) -> Result<Vec<Row>, UpstreamError> {
    control.simple_query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    // From here on every name below means the server's own, and names print with their schema.
    control.simple_query(OWN_PATH).await?;
    let server = control.simple_query(SERVER).await?;
    let cell = |index: usize| server.first().and_then(|row| row.get(index)).cloned().flatten();
    let is = |index: usize| cell(index).as_deref() == Some("t");
    let version: u32 = cell(0).and_then(|text| text.parse().ok()).unwrap_or(0);
    let mut rows = Vec::new();
    let mut parts = vec![ROLES, SETTINGS, PRIVILEGES, OWNERS, CODE, HOOKS, FOREIGN, REPLICATION];
    parts.push(if version >= 160_000 { MEMBERS_16 } else { MEMBERS });
    if version >= 150_000 {
        parts.push(PARAMETER_PRIVILEGES);
    }
    if is(1) {
        parts.push(PASSWORDS);
    }
    if is(2) {
        parts.push(SERVER_SETTINGS);
    }
    for part in parts {
        rows.extend(control.simple_query(part).await?);
    }
    Ok(rows)
}

fn holding(row: Row) -> Holding {
    let mut cells = row.into_iter();
    let mut next = || cells.next().flatten();
    Holding {
        kind: next().unwrap_or_default(),
        name: next().unwrap_or_default(),
        detail: next().unwrap_or_default(),
        hidden: next().unwrap_or_default(),
        extension: next(),
    }
}

const OWN_PATH: &str = "SELECT pg_catalog.set_config('search_path', 'pg_catalog', true), \
    pg_catalog.set_config('statement_timeout', '0', true)";

const SERVER: &str = "
SELECT current_setting('server_version_num'),
       has_column_privilege('pg_authid', 'rolpassword', 'SELECT'),
       has_function_privilege('pg_show_all_file_settings()', 'EXECUTE')";

/// Roles, databases and tablespaces.
const ROLES: &str = "
SELECT 'role', rolname::text,
       concat_ws(', ', CASE WHEN rolsuper THEN 'superuser' END,
           CASE WHEN rolcreaterole THEN 'may create roles' END,
           CASE WHEN rolcreatedb THEN 'may create databases' END,
           CASE WHEN rolcanlogin THEN 'may log in' END,
           CASE WHEN rolreplication THEN 'may replicate' END,
           CASE WHEN rolbypassrls THEN 'bypasses row security' END,
           CASE WHEN NOT rolinherit THEN 'does not inherit' END,
           CASE WHEN rolconnlimit >= 0 THEN format('%s connections', rolconnlimit) END,
           CASE WHEN rolvaliduntil IS NOT NULL THEN format('until %s', rolvaliduntil) END)
FROM pg_roles
UNION ALL
SELECT 'database', datname::text, format('owner %s', pg_get_userbyid(datdba)) FROM pg_database
UNION ALL
SELECT 'tablespace', spcname::text, format('owner %s', pg_get_userbyid(spcowner))
FROM pg_tablespace";

const PASSWORDS: &str = "
SELECT 'password', rolname::text, NULL, md5(rolpassword) FROM pg_authid WHERE rolpassword IS NOT NULL";

const MEMBERS: &str = "
SELECT 'membership', format('%I in %I', pg_get_userbyid(member), pg_get_userbyid(roleid)),
       CASE WHEN bool_or(admin_option) THEN 'may give it on' END
FROM pg_auth_members GROUP BY member, roleid";

const MEMBERS_16: &str = "
SELECT 'membership', format('%I in %I', pg_get_userbyid(member), pg_get_userbyid(roleid)),
       concat_ws(', ', CASE WHEN bool_or(admin_option) THEN 'may give it on' END,
           CASE WHEN NOT bool_or(inherit_option) THEN 'does not inherit' END,
           CASE WHEN NOT bool_or(set_option) THEN 'may not become it' END)
FROM pg_auth_members GROUP BY member, roleid";

/// Settings of roles and databases.
const SETTINGS: &str = "
SELECT 'setting',
       concat_ws(' ', CASE WHEN setrole = 0 THEN 'all roles' ELSE quote_ident(pg_get_userbyid(setrole)) END,
           CASE WHEN setdatabase <> 0 THEN format('in database %s', coalesce(
               (SELECT quote_ident(datname) FROM pg_database d WHERE d.oid = setdatabase),
               setdatabase::text)) END),
       array_to_string(setconfig, ', ')
FROM pg_db_role_setting";

/// Settings of the server, from its files: `ALTER SYSTEM` writes one of them.
const SERVER_SETTINGS: &str = "
SELECT 'server setting', name, setting FROM pg_file_settings f
WHERE name IS NOT NULL
    AND seqno = (SELECT max(seqno) FROM pg_file_settings l WHERE l.name = f.name)";

/// What others than the owner may do; a column's is the column's.
const PRIVILEGES: &str = "
WITH acl (object, owner, acl) AS (
    SELECT format('%s %I.%I', CASE relkind WHEN 'S' THEN 'sequence' WHEN 'v' THEN 'view' ELSE 'table' END,
               nspname, relname), relowner, relacl
    FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
    WHERE relacl IS NOT NULL AND nspname !~ '^pg_(toast_)?temp_'
    UNION ALL
    SELECT format('column %I.%I.%I', nspname, relname, attname), relowner, attacl
    FROM pg_attribute JOIN pg_class c ON c.oid = attrelid JOIN pg_namespace n ON n.oid = relnamespace
    WHERE attacl IS NOT NULL AND NOT attisdropped AND nspname !~ '^pg_(toast_)?temp_'
    UNION ALL
    SELECT format('routine %s', p.oid::regprocedure), proowner, proacl
    FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace
    WHERE proacl IS NOT NULL AND nspname !~ '^pg_(toast_)?temp_'
    UNION ALL
    SELECT format('schema %I', nspname), nspowner, nspacl FROM pg_namespace
    WHERE nspacl IS NOT NULL AND nspname !~ '^pg_(toast_)?temp_'
    UNION ALL
    SELECT format('database %I', datname), datdba, datacl FROM pg_database WHERE datacl IS NOT NULL
    UNION ALL
    SELECT format('type %s', t.oid::regtype), typowner, typacl
    FROM pg_type t JOIN pg_namespace n ON n.oid = typnamespace
    WHERE typacl IS NOT NULL AND nspname !~ '^pg_(toast_)?temp_'
    UNION ALL
    SELECT format('language %I', lanname), lanowner, lanacl FROM pg_language WHERE lanacl IS NOT NULL
    UNION ALL
    SELECT format('foreign-data wrapper %I', fdwname), fdwowner, fdwacl FROM pg_foreign_data_wrapper
    WHERE fdwacl IS NOT NULL
    UNION ALL
    SELECT format('server %I', srvname), srvowner, srvacl FROM pg_foreign_server WHERE srvacl IS NOT NULL
    UNION ALL
    SELECT format('tablespace %I', spcname), spcowner, spcacl FROM pg_tablespace
    WHERE spcacl IS NOT NULL
    UNION ALL
    SELECT format('large object %s', oid), lomowner, lomacl FROM pg_largeobject_metadata
    WHERE lomacl IS NOT NULL
    UNION ALL
    SELECT format('%s that %s makes%s',
               CASE defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences'
                   WHEN 'f' THEN 'routines' WHEN 'T' THEN 'types' WHEN 'n' THEN 'schemas'
                   ELSE 'objects of kind ' || defaclobjtype::text END,
               quote_ident(pg_get_userbyid(defaclrole)),
               CASE WHEN defaclnamespace <> 0 THEN format(' in %s', defaclnamespace::regnamespace) END),
           defaclrole, defaclacl
    FROM pg_default_acl)
SELECT 'privilege',
       format('%s to %s', object,
           CASE WHEN grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END),
       string_agg(DISTINCT privilege_type || CASE WHEN is_grantable THEN ' (may give it on)' ELSE '' END,
           ', ' ORDER BY privilege_type || CASE WHEN is_grantable THEN ' (may give it on)' ELSE '' END)
FROM acl, aclexplode(acl) WHERE grantee <> owner GROUP BY object, grantee";

/// Settings belong to the role that set the server up.
const PARAMETER_PRIVILEGES: &str = "
SELECT 'privilege',
       format('setting %s to %s', parname,
           CASE WHEN grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END),
       string_agg(DISTINCT privilege_type, ', ' ORDER BY privilege_type)
FROM pg_parameter_acl, aclexplode(paracl) WHERE grantee <> 10 GROUP BY parname, grantee";

/// Who owns tables, schemas and types.
const OWNERS: &str = "
SELECT 'owner', format('table %I.%I', nspname, relname), pg_get_userbyid(relowner)
FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
WHERE relkind IN ('r', 'v', 'm', 'f', 'p', 'S') AND nspname !~ '^pg_(toast_)?temp_'
UNION ALL
SELECT 'owner', format('schema %I', nspname), pg_get_userbyid(nspowner)
FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp_'
UNION ALL
SELECT 'owner', format('type %s', t.oid::regtype), pg_get_userbyid(typowner)
FROM pg_type t JOIN pg_namespace n ON n.oid = typnamespace
WHERE typrelid = 0 AND typelem = 0 AND nspname !~ '^pg_(toast_)?temp_'";

/// Code, and what makes the server call it. A member of an extension in C came with its library;
/// one in another language may have been added by anybody, and is told.
const CODE: &str = "
WITH member (classid, objid, extension) AS (
    SELECT classid, objid, extname::text
    FROM pg_depend JOIN pg_extension e ON e.oid = refobjid
    WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e')
SELECT 'routine', p.oid::regprocedure::text,
       concat_ws(', ', format('in %s', lanname),
           CASE WHEN prosecdef THEN 'runs with the rights of its owner' END,
           format('owner %s', pg_get_userbyid(proowner))),
       md5((to_jsonb(p) - 'proacl' - 'oid')::text),
       CASE WHEN lanname IN ('c', 'internal') THEN extension END
FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace JOIN pg_language l ON l.oid = prolang
LEFT JOIN member ON classid = 'pg_proc'::regclass AND objid = p.oid
WHERE nspname !~ '^pg_(toast_)?temp_'
UNION ALL
SELECT 'extension', extname::text,
       format('version %s, in %s, with %s objects', extversion, extnamespace::regnamespace,
           (SELECT count(*) FROM member m WHERE m.extension = extname)),
       NULL, NULL
FROM pg_extension
UNION ALL
SELECT 'language', lanname::text, format('owner %s', pg_get_userbyid(lanowner)),
       (to_jsonb(l) - 'lanacl' - 'oid')::text, extension
FROM pg_language l LEFT JOIN member ON classid = 'pg_language'::regclass AND objid = l.oid
UNION ALL
SELECT 'cast', format('%s as %s', castsource::regtype, casttarget::regtype),
       CASE WHEN castfunc <> 0 THEN format('by %s', castfunc::regprocedure) END,
       castcontext::text || castmethod::text, extension
FROM pg_cast c LEFT JOIN member ON classid = 'pg_cast'::regclass AND objid = c.oid
UNION ALL
SELECT 'operator', o.oid::regoperator::text, format('calls %s', oprcode),
       concat_ws(' ', oprrest, oprjoin, oprowner), extension
FROM pg_operator o JOIN pg_namespace n ON n.oid = oprnamespace
LEFT JOIN member ON classid = 'pg_operator'::regclass AND objid = o.oid
WHERE nspname !~ '^pg_(toast_)?temp_'
UNION ALL
SELECT 'operator class', format('%I.%I for %s', nspname, opcname, amname),
       CASE WHEN opcdefault THEN format('the default of %s', opcintype::regtype) END,
       concat_ws(' ', opcfamily, opcowner), extension
FROM pg_opclass o JOIN pg_namespace n ON n.oid = opcnamespace JOIN pg_am a ON a.oid = opcmethod
LEFT JOIN member ON classid = 'pg_opclass'::regclass AND objid = o.oid
WHERE nspname !~ '^pg_(toast_)?temp_'
UNION ALL
SELECT 'access method', amname::text, format('handled by %s', amhandler), NULL, extension
FROM pg_am a LEFT JOIN member ON classid = 'pg_am'::regclass AND objid = a.oid
UNION ALL
SELECT 'conversion', format('%I.%I', nspname, conname),
       format('%s to %s by %s', pg_encoding_to_char(conforencoding), pg_encoding_to_char(contoencoding),
           conproc), condefault::text, NULL
FROM pg_conversion JOIN pg_namespace n ON n.oid = connamespace";

/// Code that runs when others do something: triggers, rules, row security.
const HOOKS: &str = "
SELECT 'trigger', format('%I on %s', tgname, tgrelid::regclass),
       concat_ws(', ', format('calls %s', tgfoid::regprocedure),
           CASE tgenabled WHEN 'D' THEN 'disabled' WHEN 'A' THEN 'always' WHEN 'R' THEN 'on replicas' END),
       pg_get_triggerdef(t.oid)
FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid JOIN pg_namespace n ON n.oid = relnamespace
WHERE NOT tgisinternal AND nspname !~ '^pg_(toast_)?temp_'
UNION ALL
SELECT 'event trigger', evtname::text,
       concat_ws(', ', format('on %s calls %s', evtevent, evtfoid::regprocedure),
           CASE WHEN evtenabled = 'D' THEN 'disabled' END),
       concat_ws(' ', evtowner, evtenabled, array_to_string(evttags, ' '))
FROM pg_event_trigger
UNION ALL
SELECT 'rule', format('%I on %s', rulename, ev_class::regclass),
       CASE WHEN ev_enabled = 'D' THEN 'disabled' END,
       concat_ws(' ', ev_type, ev_enabled, is_instead, md5(ev_qual::text), md5(ev_action::text))
FROM pg_rewrite r JOIN pg_class c ON c.oid = ev_class JOIN pg_namespace n ON n.oid = relnamespace
WHERE rulename <> '_RETURN' AND nspname !~ '^pg_(toast_)?temp_'
UNION ALL
SELECT 'policy', format('%I on %s', polname, polrelid::regclass),
       format('for %s',
           (SELECT string_agg(CASE WHEN r = 0 THEN 'everybody' ELSE pg_get_userbyid(r) END, ', ')
            FROM unnest(polroles) r)),
       concat_ws(' ', polcmd, polpermissive, md5(polqual::text), md5(polwithcheck::text))
FROM pg_policy
UNION ALL
SELECT 'row security', c.oid::regclass::text,
       concat_ws(', ', CASE WHEN relrowsecurity THEN 'on' END,
           CASE WHEN relforcerowsecurity THEN 'for its owner too' END), NULL
FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE (relrowsecurity OR relforcerowsecurity) AND nspname !~ '^pg_(toast_)?temp_'";

/// Ways to other servers.
const FOREIGN: &str = "
SELECT 'foreign-data wrapper', fdwname::text, format('owner %s', pg_get_userbyid(fdwowner)),
       concat_ws(' ', fdwhandler, fdwvalidator, md5(array_to_string(fdwoptions, ' ')))
FROM pg_foreign_data_wrapper
UNION ALL
SELECT 'server', srvname::text,
       format('of %s, owner %s', (SELECT fdwname FROM pg_foreign_data_wrapper f WHERE f.oid = srvfdw),
           pg_get_userbyid(srvowner)),
       md5(concat_ws(' ', srvtype, srvversion, array_to_string(srvoptions, ' ')))
FROM pg_foreign_server
UNION ALL
SELECT 'user mapping', format('%s on %I', CASE WHEN umuser = 0 THEN 'PUBLIC' ELSE quote_ident(usename) END, srvname),
       NULL, md5(array_to_string(umoptions, ' '))
FROM pg_user_mappings";

/// Ways of rows to and from other servers, and what waits to be committed.
const REPLICATION: &str = "
SELECT 'subscription', subname::text,
       format('of %s%s', array_to_string(subpublications, ', '),
           CASE WHEN NOT subenabled THEN ', disabled' END),
       concat_ws(' ', subowner, subslotname, subsynccommit)
FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
UNION ALL
SELECT 'publication', pubname::text,
       CASE WHEN puballtables THEN 'of all tables' ELSE format('of %s',
           (SELECT string_agg(format('%I.%I', schemaname, tablename), ', ' ORDER BY schemaname, tablename)
            FROM pg_publication_tables t WHERE t.pubname = p.pubname)) END,
       concat_ws(' ', pubowner, pubinsert, pubupdate, pubdelete, pubtruncate)
FROM pg_publication p
UNION ALL
SELECT 'replication slot', slot_name::text, coalesce(plugin::text, slot_type), NULL
FROM pg_replication_slots WHERE NOT temporary
UNION ALL
SELECT 'prepared transaction', gid, format('of %s', owner), NULL
FROM pg_prepared_xacts WHERE database = current_database()";
