//! What each statement node is and does. Every one the server has stands here.

use pg_query::protobuf::{self as pg, node::Node as N};

use crate::kernel::sql::{
    reading::{Access, RawName, StatementKind as Kind},
    server_grammar::{
        Reader,
        objects::{dropped_kind, object_kind},
        relations::name_of,
        settings::constant,
        walk::{self, Visit},
    },
};

/// Statements that need no more than their kind, and Define on every table they name.
macro_rules! defining {
    ($($kind:ident: $($method:ident $node:ident),+;)+) => {
        $($(
            fn $method(&mut self, n: &pg::$node) {
                self.statement(Kind::$kind, Access::Define, |s| walk::$method(s, n));
            }
        )+)+
    };
}

impl Visit for Reader {
    fn unexpected(&mut self, what: &'static str) {
        self.unexpected = Some(what);
    }

    // Names.

    fn range_var(&mut self, n: &pg::RangeVar) {
        if self.access == Access::Read {
            if self.is_cte(n) {
                self.query_known_as(n.alias.as_ref().map_or(&n.relname, |a| &a.aliasname));
            } else {
                self.known_as(n);
            }
            self.source(n, Access::Read);
        } else {
            self.known_as(n);
            self.relation(n, self.access);
        }
    }

    fn column_ref(&mut self, n: &pg::ColumnRef) {
        self.column(n);
    }

    fn a_indirection(&mut self, n: &pg::AIndirection) {
        self.fields(n);
        walk::a_indirection(self, n);
    }

    fn join_expr(&mut self, n: &pg::JoinExpr) {
        self.joined(n);
        walk::join_expr(self, n);
    }

    fn range_function(&mut self, n: &pg::RangeFunction) {
        self.function_in_from(n);
        walk::range_function(self, n);
    }

    fn range_subselect(&mut self, n: &pg::RangeSubselect) {
        if let Some(alias) = &n.alias {
            self.query_known_as(&alias.aliasname);
        }
        walk::range_subselect(self, n);
    }

    fn func_call(&mut self, n: &pg::FuncCall) {
        self.call(n);
    }

    fn a_expr(&mut self, n: &pg::AExpr) {
        self.expression(n);
    }

    fn a_array_expr(&mut self, n: &pg::AArrayExpr) {
        self.reading.makes_arrays = true;
        walk::a_array_expr(self, n);
    }

    fn json_value_expr(&mut self, n: &pg::JsonValueExpr) {
        self.reading.makes_json = true;
        walk::json_value_expr(self, n);
    }

    fn json_scalar_expr(&mut self, n: &pg::JsonScalarExpr) {
        self.reading.makes_json = true;
        walk::json_scalar_expr(self, n);
    }

    fn json_array_query_constructor(&mut self, n: &pg::JsonArrayQueryConstructor) {
        self.reading.makes_json = true;
        walk::json_array_query_constructor(self, n);
    }

    fn case_expr(&mut self, n: &pg::CaseExpr) {
        // `CASE x WHEN y` compares.
        if n.arg.is_some() {
            self.reading.operators.insert("=".to_owned());
        }
        walk::case_expr(self, n);
    }

    fn sub_link(&mut self, n: &pg::SubLink) {
        use pg::SubLinkType as K;
        self.reading.makes_arrays |= matches!(K::try_from(n.sub_link_type), Ok(K::ArraySublink));
        if matches!(K::try_from(n.sub_link_type), Ok(K::AnySublink)) && n.oper_name.is_empty() {
            self.reading.operators.insert("=".to_owned());
        }
        self.operator(&n.oper_name);
        walk::sub_link(self, n);
    }

    fn sort_by(&mut self, n: &pg::SortBy) {
        self.operator(&n.use_op);
        walk::sort_by(self, n);
    }

    fn type_name(&mut self, n: &pg::TypeName) {
        let name = name_of(&n.names);
        if !name.0.is_empty() {
            self.reading.types.insert(name);
        }
        walk::type_name(self, n);
    }

    fn param_ref(&mut self, n: &pg::ParamRef) {
        let number = u16::try_from(n.number).unwrap_or(u16::MAX);
        self.reading.parameters = self.reading.parameters.max(number);
    }

    // Places inside of definitions that only refer.

    fn table_like_clause(&mut self, n: &pg::TableLikeClause) {
        self.with_access(Access::Refer, |s| walk::table_like_clause(s, n));
    }

    fn constraint(&mut self, n: &pg::Constraint) {
        self.with_access(Access::Refer, |s| walk::constraint(s, n));
    }

    // Tables named in these are locked, not read: see `row_locks`.
    fn locking_clause(&mut self, _n: &pg::LockingClause) {}

    // Queries.

    fn select_stmt(&mut self, n: &pg::SelectStmt) {
        let values = !n.values_lists.is_empty();
        let wraps_only = |k: &Kind| {
            matches!(
                k,
                Kind::Explain
                    | Kind::ExplainAnalyze
                    | Kind::Prepare
                    | Kind::Declare
                    | Kind::CopyToClient
                    | Kind::CopyServer
                    | Kind::CreateTableAs
            )
        };
        if !values {
            if self.top.is_none() && arms_into(n) {
                self.kind(Kind::CreateTableAs);
            }
            self.kind(Kind::Select);
        } else if self.top.is_none() || self.reading.kinds.iter().all(wraps_only) {
            self.kind(Kind::Values);
        }
        self.with_access(Access::Read, |s| {
            s.in_scope(n.with_clause.as_ref(), |s| {
                walk::select_stmt(s, n);
                s.row_locks(&n.from_clause, &n.locking_clause);
                s.stars(&n.target_list, &n.from_clause);
            });
        });
    }

    // Visited by `in_scope`, before the rest of its statement.
    fn with_clause(&mut self, _n: &pg::WithClause) {}

    fn into_clause(&mut self, n: &pg::IntoClause) {
        self.kind(Kind::CreateTableAs);
        self.with_access(Access::Define, |s| walk::into_clause(s, n));
    }

    fn insert_stmt(&mut self, n: &pg::InsertStmt) {
        self.kind(Kind::Insert);
        self.returns(n.relation.as_ref(), n.returning_clause.as_ref());
        self.changes_rows(n.relation.as_ref(), n.with_clause.as_ref(), |s| {
            let pg::InsertStmt {
                relation: _,
                cols,
                select_stmt,
                on_conflict_clause,
                returning_clause,
                with_clause: _,
                r#override: _,
            } = n;
            walk::nodes(s, cols);
            if let Some(q) = select_stmt {
                walk::node(s, q);
            }
            if let (Some(c), Some(target)) = (on_conflict_clause, &n.relation) {
                s.target_known_as(target, "excluded");
                s.assigns(&c.target_list);
                s.on_conflict_clause(c);
            }
            if let Some(c) = returning_clause {
                s.returning_clause(c);
            }
        });
    }

    fn update_stmt(&mut self, n: &pg::UpdateStmt) {
        self.kind(Kind::Update);
        self.returns(n.relation.as_ref(), n.returning_clause.as_ref());
        self.changes_rows(n.relation.as_ref(), n.with_clause.as_ref(), |s| {
            let pg::UpdateStmt {
                relation: _,
                target_list,
                where_clause,
                from_clause,
                returning_clause,
                with_clause: _,
            } = n;
            s.assigns(target_list);
            walk::nodes(s, target_list);
            if let Some(e) = where_clause {
                walk::node(s, e);
            }
            walk::nodes(s, from_clause);
            if let Some(c) = returning_clause {
                s.returning_clause(c);
            }
        });
    }

    fn delete_stmt(&mut self, n: &pg::DeleteStmt) {
        self.kind(Kind::Delete);
        self.returns(n.relation.as_ref(), n.returning_clause.as_ref());
        self.changes_rows(n.relation.as_ref(), n.with_clause.as_ref(), |s| {
            let pg::DeleteStmt {
                relation: _,
                using_clause,
                where_clause,
                returning_clause,
                with_clause: _,
            } = n;
            walk::nodes(s, using_clause);
            if let Some(e) = where_clause {
                walk::node(s, e);
            }
            if let Some(c) = returning_clause {
                s.returning_clause(c);
            }
        });
    }

    fn merge_stmt(&mut self, n: &pg::MergeStmt) {
        self.kind(Kind::Merge);
        self.returns(n.relation.as_ref(), n.returning_clause.as_ref());
        self.changes_rows(n.relation.as_ref(), n.with_clause.as_ref(), |s| {
            let pg::MergeStmt {
                relation: _,
                source_relation,
                join_condition,
                merge_when_clauses,
                returning_clause,
                with_clause: _,
            } = n;
            if let Some(r) = source_relation {
                walk::node(s, r);
            }
            if let Some(e) = join_condition {
                walk::node(s, e);
            }
            walk::nodes(s, merge_when_clauses);
            if let Some(c) = returning_clause {
                s.returning_clause(c);
            }
        });
    }

    fn merge_when_clause(&mut self, n: &pg::MergeWhenClause) {
        // Of an INSERT too: nothing hangs on it there.
        self.assigns(&n.target_list);
        walk::merge_when_clause(self, n);
    }

    fn copy_stmt(&mut self, n: &pg::CopyStmt) {
        let kind = if n.is_program || !n.filename.is_empty() {
            Kind::CopyServer
        } else if n.is_from {
            Kind::CopyFromClient
        } else {
            Kind::CopyToClient
        };
        let access = if n.is_from { Access::Write } else { Access::Read };
        if !n.is_from {
            self.copied(n);
        }
        self.statement(kind, access, |s| walk::copy_stmt(s, n));
    }

    // Statements around statements.

    fn explain_stmt(&mut self, n: &pg::ExplainStmt) {
        let analyze = n.options.iter().any(|o| match &o.node {
            Some(N::DefElem(o)) if o.defname.eq_ignore_ascii_case("analyze") => is_on(o),
            _ => false,
        });
        let kind = if analyze { Kind::ExplainAnalyze } else { Kind::Explain };
        self.statement(kind, Access::Read, |s| walk::explain_stmt(s, n));
    }

    fn prepare_stmt(&mut self, n: &pg::PrepareStmt) {
        self.object(&n.name);
        self.inner(n.query.as_deref());
        self.statement(Kind::Prepare, Access::Read, |s| walk::prepare_stmt(s, n));
    }

    fn declare_cursor_stmt(&mut self, n: &pg::DeclareCursorStmt) {
        self.object(&n.portalname);
        self.reading.holds |= n.options & CURSOR_OPT_HOLD != 0;
        self.inner(n.query.as_deref());
        self.statement(Kind::Declare, Access::Read, |s| walk::declare_cursor_stmt(s, n));
    }

    fn create_table_as_stmt(&mut self, n: &pg::CreateTableAsStmt) {
        self.statement(Kind::CreateTableAs, Access::Define, |s| walk::create_table_as_stmt(s, n));
    }

    fn execute_stmt(&mut self, n: &pg::ExecuteStmt) {
        self.object(&n.name);
        self.statement(Kind::Execute, Access::Read, |s| walk::execute_stmt(s, n));
    }

    // The session's own things.

    fn deallocate_stmt(&mut self, n: &pg::DeallocateStmt) {
        self.kind(Kind::Deallocate);
        self.object(if n.isall { "*" } else { &n.name });
    }

    fn fetch_stmt(&mut self, n: &pg::FetchStmt) {
        self.kind(if n.ismove { Kind::Move } else { Kind::Fetch });
        self.object(&n.portalname);
    }

    fn close_portal_stmt(&mut self, n: &pg::ClosePortalStmt) {
        self.kind(Kind::Close);
        self.object(if n.portalname.is_empty() { "*" } else { &n.portalname });
    }

    fn listen_stmt(&mut self, n: &pg::ListenStmt) {
        self.kind(Kind::Listen);
        self.object(&n.conditionname);
    }

    fn unlisten_stmt(&mut self, n: &pg::UnlistenStmt) {
        self.kind(Kind::Unlisten);
        self.object(if n.conditionname.is_empty() { "*" } else { &n.conditionname });
    }

    fn notify_stmt(&mut self, n: &pg::NotifyStmt) {
        self.kind(Kind::Notify);
        self.object(&n.conditionname);
    }

    fn variable_show_stmt(&mut self, n: &pg::VariableShowStmt) {
        self.kind(Kind::Show);
        self.object(&n.name.to_ascii_lowercase());
    }

    fn variable_set_stmt(&mut self, n: &pg::VariableSetStmt) {
        // Inside ALTER ROLE … SET, CREATE FUNCTION … SET and the like it sets nothing here.
        if self.top.is_none() {
            self.set(n);
        }
        walk::variable_set_stmt(self, n);
    }

    fn transaction_stmt(&mut self, n: &pg::TransactionStmt) {
        self.transaction(n);
        walk::transaction_stmt(self, n);
    }

    fn constraints_set_stmt(&mut self, _n: &pg::ConstraintsSetStmt) {
        // It names constraints, which the grammar packs like tables.
        self.kind(Kind::SetConstraints);
    }

    fn discard_stmt(&mut self, n: &pg::DiscardStmt) {
        use pg::DiscardMode as M;
        self.kind(Kind::Discard);
        self.object(match M::try_from(n.target).unwrap_or(M::Undefined) {
            M::Undefined | M::DiscardAll => "all",
            M::DiscardPlans => "plans",
            M::DiscardSequences => "sequences",
            M::DiscardTemp => "temp",
        });
    }

    fn lock_stmt(&mut self, n: &pg::LockStmt) {
        const ACCESS_SHARE: i32 = 1;
        let kind = if n.mode == ACCESS_SHARE { Kind::LockShare } else { Kind::Lock };
        self.statement(kind, Access::LockTable, |s| walk::lock_stmt(s, n));
    }

    fn refresh_mat_view_stmt(&mut self, n: &pg::RefreshMatViewStmt) {
        self.statement(Kind::Refresh, Access::Write, |s| walk::refresh_mat_view_stmt(s, n));
    }

    fn truncate_stmt(&mut self, n: &pg::TruncateStmt) {
        self.statement(Kind::Truncate, Access::Define, |s| walk::truncate_stmt(s, n));
    }

    fn vacuum_stmt(&mut self, n: &pg::VacuumStmt) {
        let kind = if n.is_vacuumcmd { Kind::Maintenance } else { Kind::SchemaChange };
        self.statement(kind, Access::Define, |s| walk::vacuum_stmt(s, n));
    }

    fn call_stmt(&mut self, n: &pg::CallStmt) {
        self.statement(Kind::Call, Access::Read, |s| walk::call_stmt(s, n));
    }

    fn do_stmt(&mut self, n: &pg::DoStmt) {
        self.statement(Kind::Do, Access::Read, |s| walk::do_stmt(s, n));
    }

    // Only inside of a routine's body.
    fn return_stmt(&mut self, n: &pg::ReturnStmt) {
        walk::return_stmt(self, n);
    }

    fn create_foreign_table_stmt(&mut self, n: &pg::CreateForeignTableStmt) {
        let pg::CreateForeignTableStmt { base_stmt, servername: _, options } = n;
        self.statement(Kind::Server, Access::Define, |s| {
            if let Some(base) = base_stmt {
                walk::create_stmt(s, base);
            }
            walk::nodes(s, options);
        });
    }

    // Definitions whose kind depends on the object.

    fn drop_stmt(&mut self, n: &pg::DropStmt) {
        let kind = dropped_kind(n.remove_type);
        for object in &n.objects {
            self.define_named(n.remove_type, object);
        }
        self.statement(kind, Access::Define, |s| walk::drop_stmt(s, n));
    }

    fn comment_stmt(&mut self, n: &pg::CommentStmt) {
        if let Some(object) = &n.object {
            self.define_named(n.objtype, object);
        }
        self.statement(Kind::SchemaChange, Access::Define, |s| walk::comment_stmt(s, n));
    }

    fn sec_label_stmt(&mut self, n: &pg::SecLabelStmt) {
        if let Some(object) = &n.object {
            self.define_named(n.objtype, object);
        }
        self.statement(Kind::Privileges, Access::Define, |s| walk::sec_label_stmt(s, n));
    }

    // Roles: whose they change counts too.

    fn alter_role_stmt(&mut self, n: &pg::AlterRoleStmt) {
        self.changes_role(n.role.as_ref());
        self.changes_members(&n.options);
        self.statement(Kind::Privileges, Access::Define, |s| walk::alter_role_stmt(s, n));
    }

    fn alter_role_set_stmt(&mut self, n: &pg::AlterRoleSetStmt) {
        self.changes_role(n.role.as_ref());
        self.statement(Kind::Privileges, Access::Define, |s| walk::alter_role_set_stmt(s, n));
    }

    fn create_role_stmt(&mut self, n: &pg::CreateRoleStmt) {
        self.changes_members(&n.options);
        self.statement(Kind::Privileges, Access::Define, |s| walk::create_role_stmt(s, n));
    }

    fn drop_role_stmt(&mut self, n: &pg::DropRoleStmt) {
        self.changes_roles(&n.roles);
        self.statement(Kind::Privileges, Access::Define, |s| walk::drop_role_stmt(s, n));
    }

    fn grant_role_stmt(&mut self, n: &pg::GrantRoleStmt) {
        self.changes_roles(&n.granted_roles);
        self.changes_roles(&n.grantee_roles);
        self.statement(Kind::Privileges, Access::Define, |s| walk::grant_role_stmt(s, n));
    }

    fn drop_owned_stmt(&mut self, n: &pg::DropOwnedStmt) {
        self.changes_roles(&n.roles);
        self.statement(Kind::Privileges, Access::Define, |s| walk::drop_owned_stmt(s, n));
    }

    fn reassign_owned_stmt(&mut self, n: &pg::ReassignOwnedStmt) {
        self.changes_roles(&n.roles);
        self.statement(Kind::Privileges, Access::Define, |s| walk::reassign_owned_stmt(s, n));
    }

    fn rename_stmt(&mut self, n: &pg::RenameStmt) {
        let kind = object_kind(n.rename_type);
        if pg::ObjectType::try_from(n.rename_type) == Ok(pg::ObjectType::ObjectRole) {
            self.changes_named(&n.subname);
        }
        self.renames(n);
        self.statement(kind, Access::Define, |s| walk::rename_stmt(s, n));
    }

    fn alter_object_schema_stmt(&mut self, n: &pg::AlterObjectSchemaStmt) {
        self.sets_schema(n);
        let kind = object_kind(n.object_type);
        self.statement(kind, Access::Define, |s| walk::alter_object_schema_stmt(s, n));
    }

    fn define_stmt(&mut self, n: &pg::DefineStmt) {
        use pg::ObjectType as O;
        // A base type is made of routines.
        let kind = match O::try_from(n.kind) {
            Ok(O::ObjectType) if !n.definition.is_empty() => Kind::CreateCode,
            _ => object_kind(n.kind),
        };
        self.statement(kind, Access::Define, |s| walk::define_stmt(s, n));
    }

    fn create_stmt(&mut self, n: &pg::CreateStmt) {
        self.makes_part(n);
        self.statement(Kind::SchemaChange, Access::Define, |s| walk::create_stmt(s, n));
    }

    fn alter_table_stmt(&mut self, n: &pg::AlterTableStmt) {
        self.joins_tables(n);
        self.statement(Kind::SchemaChange, Access::Define, |s| walk::alter_table_stmt(s, n));
    }

    fn alter_table_cmd(&mut self, n: &pg::AlterTableCmd) {
        use pg::AlterTableType as T;
        match T::try_from(n.subtype) {
            Ok(T::AtChangeOwner) => self.kind(Kind::Privileges),
            // A trigger that is switched off or on is where somebody with admin has put it: what writes
            // its table is judged as if it fired, and DROP TRIGGER takes away more.
            Ok(
                T::AtEnableRule
                | T::AtEnableAlwaysRule
                | T::AtEnableReplicaRule
                | T::AtDisableRule
                | T::AtEnableRowSecurity
                | T::AtDisableRowSecurity
                | T::AtForceRowSecurity
                | T::AtNoForceRowSecurity,
            ) => self.kind(Kind::CreateCode),
            _ => {}
        }
        walk::alter_table_cmd(self, n);
    }

    fn create_extension_stmt(&mut self, n: &pg::CreateExtensionStmt) {
        self.reading.wanted_extension = n.if_not_exists.then(|| n.extname.clone());
        self.statement(Kind::CreateCode, Access::Define, |s| walk::create_extension_stmt(s, n));
    }

    defining! {
        SchemaChange:
            alter_collation_stmt AlterCollationStmt,
            alter_domain_stmt AlterDomainStmt,
            alter_enum_stmt AlterEnumStmt,
            alter_seq_stmt AlterSeqStmt,
            alter_stats_stmt AlterStatsStmt,
            alter_ts_configuration_stmt AlterTsConfigurationStmt,
            alter_ts_dictionary_stmt AlterTsDictionaryStmt,
            composite_type_stmt CompositeTypeStmt,
            create_domain_stmt CreateDomainStmt,
            create_enum_stmt CreateEnumStmt,
            create_range_stmt CreateRangeStmt,
            create_schema_stmt CreateSchemaStmt,
            create_seq_stmt CreateSeqStmt,
            create_stats_stmt CreateStatsStmt,
            index_stmt IndexStmt,
            reindex_stmt ReindexStmt,
            replica_identity_stmt ReplicaIdentityStmt,
            view_stmt ViewStmt;
        CreateCode:
            alter_event_trig_stmt AlterEventTrigStmt,
            alter_extension_contents_stmt AlterExtensionContentsStmt,
            alter_extension_stmt AlterExtensionStmt,
            alter_function_stmt AlterFunctionStmt,
            alter_object_depends_stmt AlterObjectDependsStmt,
            alter_op_family_stmt AlterOpFamilyStmt,
            alter_operator_stmt AlterOperatorStmt,
            alter_policy_stmt AlterPolicyStmt,
            alter_type_stmt AlterTypeStmt,
            create_am_stmt CreateAmStmt,
            create_cast_stmt CreateCastStmt,
            create_conversion_stmt CreateConversionStmt,
            create_event_trig_stmt CreateEventTrigStmt,
            create_function_stmt CreateFunctionStmt,
            create_op_class_stmt CreateOpClassStmt,
            create_op_family_stmt CreateOpFamilyStmt,
            create_p_lang_stmt CreatePLangStmt,
            create_policy_stmt CreatePolicyStmt,
            create_transform_stmt CreateTransformStmt,
            create_trig_stmt CreateTrigStmt,
            rule_stmt RuleStmt;
        Privileges:
            alter_default_privileges_stmt AlterDefaultPrivilegesStmt,
            alter_owner_stmt AlterOwnerStmt,
            grant_stmt GrantStmt;
        Server:
            alter_database_refresh_coll_stmt AlterDatabaseRefreshCollStmt,
            alter_database_set_stmt AlterDatabaseSetStmt,
            alter_database_stmt AlterDatabaseStmt,
            alter_fdw_stmt AlterFdwStmt,
            alter_foreign_server_stmt AlterForeignServerStmt,
            alter_publication_stmt AlterPublicationStmt,
            alter_subscription_stmt AlterSubscriptionStmt,
            alter_system_stmt AlterSystemStmt,
            alter_table_move_all_stmt AlterTableMoveAllStmt,
            alter_table_space_options_stmt AlterTableSpaceOptionsStmt,
            alter_user_mapping_stmt AlterUserMappingStmt,
            check_point_stmt CheckPointStmt,
            create_fdw_stmt CreateFdwStmt,
            create_foreign_server_stmt CreateForeignServerStmt,
            create_publication_stmt CreatePublicationStmt,
            create_subscription_stmt CreateSubscriptionStmt,
            create_table_space_stmt CreateTableSpaceStmt,
            create_user_mapping_stmt CreateUserMappingStmt,
            createdb_stmt CreatedbStmt,
            drop_subscription_stmt DropSubscriptionStmt,
            drop_table_space_stmt DropTableSpaceStmt,
            drop_user_mapping_stmt DropUserMappingStmt,
            dropdb_stmt DropdbStmt,
            import_foreign_schema_stmt ImportForeignSchemaStmt,
            load_stmt LoadStmt;
        Maintenance:
            cluster_stmt ClusterStmt;
    }
}

impl Reader {
    fn statement(&mut self, kind: Kind, access: Access, inside: impl FnOnce(&mut Self)) {
        self.kind(kind);
        self.with_access(access, inside);
    }

    fn changes_rows(
        &mut self,
        target: Option<&pg::RangeVar>,
        with: Option<&pg::WithClause>,
        inside: impl FnOnce(&mut Self),
    ) {
        // The target is a table even if a CTE has its name.
        if let Some(target) = target {
            self.known_as(target);
            self.relation(target, Access::Write);
        }
        self.with_access(Access::Read, |s| s.in_scope(with, inside));
    }

    /// SET a = …, (b, c) = …
    fn assigns(&mut self, targets: &[pg::Node]) {
        let names = targets.iter().filter_map(|n| match &n.node {
            Some(N::ResTarget(target)) => Some(target.name.clone()),
            _ => None,
        });
        self.reading.assigned.extend(names);
    }

    fn object(&mut self, name: &str) {
        if self.top.is_none() || self.reading.object.is_none() {
            self.reading.object = Some(name.to_owned());
        }
    }

    /// The statement inside PREPARE or DECLARE, read alone.
    fn inner(&mut self, query: Option<&pg::Node>) {
        let Some(query) = query else { return };
        let mut reader = Self::new(self.reading.span.clone());
        walk::node(&mut reader, query);
        match reader.finish() {
            Ok(inner) => self.reading.inner = Some(Box::new(inner)),
            Err(_) => self.unexpected = Some("statement inside"),
        }
    }

    /// DROP, COMMENT and SECURITY LABEL name objects by lists of strings.
    fn define_named(&mut self, object_type: i32, object: &pg::Node) {
        use pg::ObjectType as O;
        let Some(N::List(list)) = &object.node else { return };
        let mut name = name_of(&list.items);
        match O::try_from(object_type) {
            Ok(
                O::ObjectTable
                | O::ObjectView
                | O::ObjectMatview
                | O::ObjectSequence
                | O::ObjectIndex
                | O::ObjectForeignTable,
            ) => {}
            Ok(
                O::ObjectColumn
                | O::ObjectTrigger
                | O::ObjectRule
                | O::ObjectPolicy
                | O::ObjectTabconstraint,
            ) => {
                name.0.pop();
            }
            _ => name = RawName(Vec::new()),
        }
        self.named(name, Access::Define);
    }
}

/// SELECT … INTO in any arm.
fn arms_into(n: &pg::SelectStmt) -> bool {
    n.into_clause.is_some() || [&n.larg, &n.rarg].into_iter().flatten().any(|arm| arms_into(arm))
}

/// An option of EXPLAIN. Fail closed: what isn't plainly off is on.
fn is_on(option: &pg::DefElem) -> bool {
    let Some(value) = option.arg.as_deref() else { return true };
    let off = ["0", "off", "false"];
    !constant(value).is_some_and(|v| off.iter().any(|o| v.eq_ignore_ascii_case(o)))
}

/// `CURSOR_OPT_HOLD` of `parsenodes.h`.
const CURSOR_OPT_HOLD: i32 = 0x0020;
