-- DataGrip 2023 and 2024 (and the database tools of its siblings): what it is known to send when it connects
-- and introspects. Written down from server logs people have published; short of the exact texts, in their
-- shapes. Each runs on PostgreSQL 15.

-- name: start-up: pgjdbc
-- needs: none
SET extra_float_digits = 3

-- name: start-up: application name
-- needs: none
SET application_name = 'DataGrip 2024.1'

-- name: start-up: names
select current_database() as a, current_schemas(false) as b

-- name: start-up: version
select version()

-- name: start-up: server version number
SHOW server_version_num

-- name: start-up: time of start
select round(extract(epoch from pg_postmaster_start_time() at time zone 'UTC')) as startup_time

-- name: start-up: own connection is encrypted
select usesysid, ssl from pg_catalog.pg_stat_activity a left join pg_catalog.pg_stat_ssl s on s.pid = a.pid where a.pid = pg_catalog.pg_backend_pid()

-- name: start-up: recovery and transaction age
select case when pg_catalog.pg_is_in_recovery() then null else (pg_catalog.txid_current() % 4294967296)::varchar::bigint end as current_txid

-- name: start-up: is superuser
select usesuper from pg_catalog.pg_user where usename = current_user

-- name: start-up: time zones
select name, is_dst from pg_catalog.pg_timezone_names union distinct select abbrev as name, is_dst from pg_catalog.pg_timezone_abbrevs

-- name: databases
select N.oid::bigint as id, datname as name, D.description, datistemplate as is_template, datallowconn as allow_connections, pg_catalog.pg_get_userbyid(N.datdba) as "owner"
from pg_catalog.pg_database N left join pg_catalog.pg_shdescription D on N.oid = D.objoid
order by case when datname = pg_catalog.current_database() then -1::bigint else N.oid::bigint end

-- name: schemas
select N.oid::bigint as id, N.xmin as state_number, nspname as name, D.description, pg_catalog.pg_get_userbyid(N.nspowner) as "owner"
from pg_catalog.pg_namespace N left join pg_catalog.pg_description D on N.oid = D.objoid
order by case when nspname = pg_catalog.current_schema() then -1::bigint else N.oid::bigint end

-- name: roles
select R.oid::bigint as role_id, rolname as role_name, rolsuper is_super, rolinherit is_inherit, rolcreaterole can_createrole, rolcreatedb can_createdb, rolcanlogin can_login, rolreplication is_replication, rolconnlimit conn_limit, rolvaliduntil valid_until, rolbypassrls bypass_rls, rolconfig config, D.description
from pg_catalog.pg_roles R left join pg_catalog.pg_shdescription D on D.objoid = R.oid

-- name: role memberships
select member id, roleid role_id, admin_option from pg_catalog.pg_auth_members order by id, roleid::text

-- name: tablespaces
select T.oid::bigint as id, T.spcname as name, T.xmin as state_number, pg_catalog.pg_get_userbyid(T.spcowner) as owner, pg_catalog.pg_tablespace_location(T.oid) as location, T.spcoptions as options, D.description as comment
from pg_catalog.pg_tablespace T left join pg_catalog.pg_shdescription D on D.objoid = T.oid

-- name: state of the schema
select L.transactionid::varchar::bigint as transaction_id from pg_catalog.pg_locks L where L.transactionid is not null order by pg_catalog.age(L.transactionid) desc limit 1

-- name: changed since
select max(xmin::text::bigint) from pg_catalog.pg_class where relnamespace = 2200::oid

-- name: tables
select T.relkind as table_kind, T.relname as table_name, T.oid as table_id, T.xmin as table_state_number, false as table_with_oids, T.reltablespace as tablespace_id, T.reloptions as options, T.relpersistence as persistence,
  (select pg_catalog.array_agg(inhparent::bigint order by inhseqno)::varchar from pg_catalog.pg_inherits where T.oid = inhrelid) as ancestors,
  (select pg_catalog.array_agg(inhrelid::bigint order by inhrelid)::varchar from pg_catalog.pg_inherits where T.oid = inhparent) as successors,
  T.relispartition as is_partition, pg_catalog.pg_get_partkeydef(T.oid) as partition_key, pg_catalog.pg_get_expr(T.relpartbound, T.oid) as partition_expression, T.relam am_id, pg_catalog.pg_get_userbyid(T.relowner) as "owner"
from pg_catalog.pg_class T
where relnamespace = 2200::oid and relkind in ('r', 'm', 'v', 'f', 'p')
order by table_kind, table_id

-- name: columns
with T as ( select distinct T.oid as table_id, T.relname as table_name
            from pg_catalog.pg_class T, pg_catalog.pg_attribute A
            where T.relnamespace = 2200::oid and T.relkind in ('r', 'm', 'v', 'f', 'p') and A.attrelid = T.oid )
select T.table_id, C.attnum as column_position, C.attname as column_name, C.xmin as column_state_number, C.atttypmod as type_mod, C.attndims as dimensions_number, pg_catalog.format_type(C.atttypid, C.atttypmod) as type_spec, C.atttypid as type_id, C.attnotnull as mandatory, pg_catalog.pg_get_expr(D.adbin, D.adrelid) as column_default_expression, not C.attislocal as column_is_inherited, C.attfdwoptions as options, C.attisdropped as column_is_dropped, C.attidentity as identity_kind, C.attgenerated as generated
from T join pg_catalog.pg_attribute C on T.table_id = C.attrelid left join pg_catalog.pg_attrdef D on (C.attrelid, C.attnum) = (D.adrelid, D.adnum)
where attnum > 0
order by table_id, attnum

-- name: indexes
select tab.oid table_id, tab.relkind table_kind, ind_stor.relname index_name, ind_head.indexrelid index_id, ind_stor.xmin state_number, ind_head.indisunique is_unique, ind_head.indisprimary is_primary, ind_head.indnullsnotdistinct nulls_not_distinct, pg_catalog.pg_get_expr(ind_head.indpred, ind_head.indrelid) as condition, (select pg_catalog.array_agg(inhparent::bigint order by inhseqno)::varchar from pg_catalog.pg_inherits where ind_stor.oid = inhrelid) as ancestors, ind_stor.reltablespace tablespace_id, opcmethod as access_method_id
from pg_catalog.pg_class tab join pg_catalog.pg_index ind_head on ind_head.indrelid = tab.oid join pg_catalog.pg_class ind_stor on tab.relnamespace = ind_stor.relnamespace and ind_stor.oid = ind_head.indexrelid left join pg_catalog.pg_opclass on pg_opclass.oid = ANY(indclass)
where tab.relnamespace = 2200::oid and tab.relkind in ('r', 'm', 'v', 'p') and ind_stor.relkind in ('i', 'I')

-- name: index columns
select ind_head.indexrelid index_id, k col_idx, k <= indnkeyatts in_key, ind_head.indkey[k-1] column_position, ind_head.indoption[k-1] column_options, ind_head.indcollation[k-1] as collation, colln.nspname as collation_schema, collname as collation_str, ind_head.indclass[k-1] as opclass, case when opcdefault then null else opcn.nspname end as opclass_schema, case when opcdefault then null else opcname end as opclass_str, case when indexprs is null then null when ind_head.indkey[k-1] = 0 then chr(27) || pg_catalog.pg_get_indexdef(ind_head.indexrelid, k::int, true) else pg_catalog.pg_get_indexdef(ind_head.indexrelid, k::int, true) end as expression, amcanorder can_order
from pg_catalog.pg_index ind_head join pg_catalog.pg_class ind_stor on ind_stor.oid = ind_head.indexrelid cross join unnest(ind_head.indkey) with ordinality u(u, k) left join pg_catalog.pg_collation on pg_collation.oid = ind_head.indcollation[k-1] left join pg_catalog.pg_namespace colln on collnamespace = colln.oid cross join pg_catalog.pg_indexam_has_property(ind_stor.relam, 'can_order') amcanorder left join pg_catalog.pg_opclass on pg_opclass.oid = ind_head.indclass[k-1] left join pg_catalog.pg_namespace opcn on opcnamespace = opcn.oid
where ind_stor.relnamespace = 2200::oid
order by index_id, k

-- name: constraints
select T.oid table_id, relkind table_kind, C.oid::bigint con_id, C.xmin::varchar::bigint con_state_id, conname con_name, contype con_kind, conkey con_columns, conindid index_id, confrelid ref_table_id, condeferrable is_deferrable, condeferred is_init_deferred, confupdtype on_update, confdeltype on_delete, connoinherit no_inherit, pg_catalog.pg_get_expr(conbin, T.oid) con_expression, confkey ref_columns, conexclop::int[] excl_operators
from pg_catalog.pg_constraint C join pg_catalog.pg_class T on C.conrelid = T.oid
where relkind in ('r', 'v', 'f', 'p') and relnamespace = 2200::oid and contype in ('p', 'u', 'f', 'c', 'x') and connamespace = 2200::oid

-- name: triggers
select T.tgrelid as table_id, T.oid as trigger_id, T.xmin as state_number, T.tgname as trigger_name, T.tgfoid as function_id, pg_catalog.encode(T.tgargs, 'escape') as function_args, T.tgtype as bits, T.tgdeferrable as is_deferrable, T.tginitdeferred as is_init_deferred, T.tgenabled as trigger_fire_mode, T.tgattr as columns, T.tgconstraint != 0 as is_constraint, T.tgoldtable as old_table_name, T.tgnewtable as new_table_name, pg_catalog.pg_get_triggerdef(T.oid, true) as source_code
from pg_catalog.pg_trigger T join pg_catalog.pg_class TAB on TAB.oid = T.tgrelid and TAB.relnamespace = 2200::oid where not T.tgisinternal

-- name: routines
with languages as (select oid as lang_oid, lanname as lang from pg_catalog.pg_language),
     routines as (select proname as r_name, prolang as lang_oid, oid as r_id, xmin as r_state_number, proargnames as arg_names, proargmodes as arg_modes, proargtypes::int[] as in_arg_types, proallargtypes::int[] as all_arg_types, pg_catalog.pg_get_expr(proargdefaults, 0) as arg_defaults, provariadic as arg_variadic_id, prorettype as ret_type_id, proretset as ret_set, prokind as kind, provolatile as volatile_kind, proisstrict as is_strict, prosecdef as is_security_definer, proconfig as configuration_parameters, procost as cost, pg_catalog.pg_get_userbyid(proowner) as "owner", prorows as rows, proleakproof as is_leakproof, proparallel as concurrency_kind
                  from pg_catalog.pg_proc where pronamespace = 2200::oid and not (prokind = 'a'))
select * from routines natural join languages

-- name: routine sources
-- needs: select
with system_languages as (select oid as lang from pg_catalog.pg_language where lanname in ('c', 'internal'))
select PC.oid as id, pg_catalog.pg_get_function_arguments(PC.oid) as arguments_def, pg_catalog.pg_get_function_result(PC.oid) as result_def, PC.prosrc as source_text
from pg_catalog.pg_proc PC where PC.pronamespace = 2200::oid and not PC.prokind = 'a' and PC.prolang not in (select lang from system_languages) and PC.prosrc is not null

-- name: view sources
select T.relkind as view_kind, T.oid as view_id, pg_catalog.pg_get_viewdef(T.oid, true) as source_text
from pg_catalog.pg_class T join pg_catalog.pg_namespace N on T.relnamespace = N.oid
where N.oid = 2200::oid and T.relkind in ('m', 'v')

-- name: rules
select R.ev_class as table_id, R.oid as rule_id, R.xmin as rule_state_number, R.rulename as rule_name, pg_catalog.translate(ev_type,'1234','SUID') as rule_event_code, R.ev_enabled as rule_fire_mode, R.is_instead as rule_is_instead, pg_catalog.pg_get_ruledef(R.oid) as source_code
from pg_catalog.pg_rewrite R where R.ev_class in (select oid from pg_catalog.pg_class where relnamespace = 2200::oid) and R.rulename != '_RETURN'::name

-- name: data types
select T.oid as type_id, T.xmin as type_state_number, T.typname as type_name, T.typtype as type_sub_kind, T.typcategory as type_category, T.typrelid as class_id, T.typbasetype as base_type_id, case when T.typtype in ('c','e') then null else pg_catalog.format_type(T.typbasetype, T.typtypmod) end as type_def, T.typndims as dimensions_number, T.typdefault as default_expression, T.typnotnull as mandatory, pg_catalog.pg_get_userbyid(T.typowner) as "owner"
from pg_catalog.pg_type T left outer join pg_catalog.pg_class C on T.typrelid = C.oid
where T.typnamespace = 2200::oid and (T.typtype in ('d','e') or C.relkind = 'c'::"char" or (T.typtype = 'b' and (T.typelem = 0 OR T.typcategory <> 'A')) or T.typtype = 'p' and not T.typisdefined)
order by 1

-- name: enumeration labels
with types as (select distinct T.oid as type_id from pg_catalog.pg_type T join pg_catalog.pg_enum E on T.oid = E.enumtypid where T.typnamespace = 2200::oid)
select T.type_id as enum_id, pg_catalog.array_agg(E.enumlabel::varchar order by E.enumsortorder) as enum_labels from types T join pg_catalog.pg_enum E on T.type_id = E.enumtypid group by T.type_id

-- name: sequences
select cls.xmin as sequence_state_number, sq.seqrelid as sequence_id, cls.relname as sequence_name, pg_catalog.format_type(sq.seqtypid, null) as data_type, sq.seqstart as next_value, sq.seqincrement as inc_value, sq.seqmin as min_value, sq.seqmax as max_value, sq.seqcache as cache_size, sq.seqcycle as cycle_option, pg_catalog.pg_get_userbyid(cls.relowner) as "owner"
from pg_catalog.pg_sequence sq join pg_class cls on sq.seqrelid = cls.oid where cls.relnamespace = 2200::oid

-- name: aggregates
select P.oid as aggregate_id, P.xmin as state_number, P.proname as aggregate_name, P.proargnames as arg_names, P.proargmodes as arg_modes, P.proargtypes::int[] as in_arg_types, A.aggtransfn::oid as transition_function_id, A.aggtransfn::regproc::text as transition_function_name, A.aggtranstype as transition_type, A.aggfinalfn::oid as final_function_id, A.agginitval as initial_value, A.aggsortop as sort_operator_id
from pg_catalog.pg_aggregate A join pg_catalog.pg_proc P on A.aggfnoid = P.oid where P.pronamespace = 2200::oid order by P.oid

-- name: operators
select O.oid as op_id, O.xmin as state_number, oprname as op_name, oprkind as op_kind, oprleft as arg_left_type_id, oprright as arg_right_type_id, oprresult as arg_result_type_id, oprcode as func_main, pg_catalog.pg_get_userbyid(O.oprowner) as "owner" from pg_catalog.pg_operator O where oprnamespace = 2200::oid

-- name: descriptions
select D.objoid id, case when 'pg_catalog.pg_class'::regclass = classoid then C.relkind end as kind, D.objsubid sub_id, D.description
from pg_catalog.pg_description D left join pg_catalog.pg_class C on D.objoid = C.oid where C.relnamespace = 2200::oid order by 4, 1

-- name: dependencies
select distinct D.objid as dependent_id, D.refobjid as owner_id, D.refobjsubid as owner_subobject_id from pg_depend D where D.deptype in ('a', 'i') and D.refobjsubid != 0

-- name: access control
select T.oid as object_id, T.relacl as acl from pg_catalog.pg_class T where T.relnamespace = 2200::oid

-- name: extensions
select E.oid as id, E.xmin as state_number, extname as name, extversion as version, extnamespace as schema_id, nspname as schema_name, array(select unnest from pg_catalog.unnest(available_versions) where unnest > extversion) as available_updates
from pg_catalog.pg_extension E join pg_namespace N on E.extnamespace = N.oid left join (select name, array_agg(version) as available_versions from pg_catalog.pg_available_extension_versions group by name) V on E.extname = V.name

-- name: foreign servers
select srv.oid as id, srv.srvfdw as fdw_id, srv.xmin as state_number, srv.srvname as name, srv.srvtype as type, srv.srvversion as version, srv.srvoptions as options, pg_catalog.pg_get_userbyid(srv.srvowner) as "owner" from pg_catalog.pg_foreign_server as srv

-- name: user mappings without their options
select umid as id, srvid as server_id, usename as "user" from pg_catalog.pg_user_mappings order by server_id

-- name: casts
select C.oid, C.xmin as state_number, C.castsource as castsource_id, pg_catalog.quote_ident(SN.nspname) || '.' || pg_catalog.quote_ident(S.typname) as castsource_name, C.casttarget as casttarget_id, C.castfunc as castfunc_id, C.castcontext, C.castmethod
from pg_cast C left outer join pg_catalog.pg_type S on C.castsource::oid = S.oid left outer join pg_catalog.pg_namespace SN on S.typnamespace = SN.oid

-- name: sessions of the database
select pid, usename, application_name, client_addr, backend_start, state, wait_event_type, wait_event from pg_catalog.pg_stat_activity where datname = current_database()

-- name: keep-alive
select 1
