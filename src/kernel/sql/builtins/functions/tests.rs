//! The list reads, and knows what must not be on it.

use super::{super::names_are_sorted_and_unique, *};

#[test]
fn every_line_reads() {
    for line in entries(LIST) {
        assert!(parse(&line).is_some(), "{line:?}");
    }
    names_are_sorted_and_unique(LIST);
    assert!(ENTRIES.len() > 2000);
}

#[test]
fn everyday_functions_are_pure() {
    let names = "abs any_value array_agg array_append array_length array_position \
         array_to_string avg btrim bool_and bool_or btrim ceil char_length concat concat_ws \
         corr count cume_dist date_bin date_part date_trunc decode dense_rank encode exp \
         extract first_value float8 floor format gen_random_uuid generate_series initcap int4 \
         json_agg json_array_elements json_build_object jsonb_agg jsonb_array_elements \
         jsonb_build_object jsonb_each jsonb_extract_path_text jsonb_object_agg \
         jsonb_path_exists jsonb_path_query jsonb_pretty jsonb_set jsonb_to_recordset \
         jsonb_typeof justify_interval lag last_value lead left length like_escape ln lower \
         lpad ltrim make_date make_interval max md5 min mod mode now nth_value ntile \
         num_nonnulls numeric overlaps percent_rank percentile_cont percentile_disc pi \
         plainto_tsquery pg_size_pretty pg_typeof position power quote_ident quote_literal \
         random rank regexp_match regexp_matches regexp_replace regexp_split_to_table \
         repeat replace reverse right round row_number row_to_json rpad rtrim sha256 sign \
         similar_to_escape split_part sqrt statement_timestamp stddev string_agg \
         string_to_array string_to_table strpos substr substring sum text timezone to_char \
         to_date to_json to_jsonb to_number to_timestamp to_tsquery to_tsvector translate \
         trunc ts_headline ts_rank unnest upper uuidv7 var_pop variance width_bucket xmlagg \
         xpath";
    for name in names.split_whitespace() {
        assert_eq!(function(name), Some(FunctionRule::Pure), "{name}");
    }
}

#[test]
fn what_tools_ask_the_catalogs_is_info() {
    let names = "_pg_expandarray array_upper pg_advisory_unlock_all col_description current_database \
         current_schema current_schemas current_user format_type has_schema_privilege \
         has_table_privilege inet_server_port obj_description pg_backend_pid \
         pg_blocking_pids pg_client_encoding pg_database_size pg_encoding_to_char \
         pg_function_is_visible pg_get_constraintdef pg_get_expr pg_get_function_arguments \
         pg_get_function_identity_arguments pg_get_function_result pg_get_indexdef \
         pg_get_keywords pg_get_partkeydef pg_get_ruledef pg_get_serial_sequence \
         pg_get_triggerdef pg_get_userbyid pg_get_viewdef pg_has_role pg_is_in_recovery \
         pg_my_temp_schema pg_partition_tree pg_postmaster_start_time pg_relation_size \
         pg_show_all_settings pg_stat_get_numscans pg_table_is_visible pg_table_size \
         pg_tablespace_location pg_timezone_names pg_total_relation_size pg_type_is_visible \
         session_user shobj_description to_regclass txid_current version";
    for name in names.split_whitespace() {
        assert!(matches!(function(name), Some(FunctionRule::Info | FunctionRule::Pure)), "{name}");
    }
}

#[test]
fn dangerous_functions_are_neither_pure_nor_info() {
    let names = "binary_upgrade_set_next_pg_authid_oid brin_summarize_new_values \
         brin_desummarize_range crosstab currtid currtid2 cursor_to_xml cursor_to_xmlschema \
         database_to_xml database_to_xml_and_xmlschema database_to_xmlschema dblink \
         dblink_connect dblink_exec domain_in enum_in fmgr_sql_validator \
         gin_clean_pending_list internal_in lo_close lo_creat lo_create lo_export \
         lo_from_bytea lo_get lo_import lo_lseek lo_open lo_put lo_truncate lo_unlink loread \
         lowrite nextval pg_advisory_lock pg_advisory_xact_lock \
         pg_backup_start pg_backup_stop pg_cancel_backend pg_config \
         pg_copy_logical_replication_slot pg_create_logical_replication_slot \
         pg_create_physical_replication_slot pg_create_restore_point pg_current_logfile \
         pg_drop_replication_slot pg_export_snapshot pg_extension_config_dump pg_file_read \
         pg_file_unlink pg_file_write pg_get_backend_memory_contexts pg_get_functiondef \
         pg_get_function_sqlbody pg_hba_file_rules pg_ident_file_mappings \
         pg_import_system_collations pg_input_error_info pg_input_is_valid \
         pg_log_backend_memory_contexts pg_log_standby_snapshot pg_logical_emit_message \
         pg_logical_slot_get_changes pg_logical_slot_peek_changes pg_ls_archive_statusdir \
         pg_ls_dir pg_ls_logdir pg_ls_tmpdir pg_ls_waldir pg_mcv_list_items pg_nextoid \
         pg_notify pg_prewarm pg_promote pg_read_binary_file pg_read_file pg_read_file_old \
         pg_reload_conf pg_replication_origin_create pg_replication_slot_advance \
         pg_restore_attribute_stats pg_rotate_logfile pg_show_all_file_settings pg_sleep \
         pg_sleep_for pg_sleep_until pg_start_backup pg_stat_file pg_stat_get_activity \
         pg_stat_get_backend_activity pg_stat_get_wal_receiver pg_stat_reset \
         pg_stat_reset_shared pg_stat_reset_single_table_counters pg_stat_statements_reset \
         pg_stop_making_pinned_objects pg_switch_wal pg_terminate_backend \
         pg_try_advisory_lock pg_wal_replay_pause plpgsql_call_handler query_to_xml \
         query_to_xml_and_xmlschema query_to_xmlschema range_in record_in schema_to_xml \
         schema_to_xml_and_xmlschema set_config setval table_to_xml \
         table_to_xml_and_xmlschema table_to_xmlschema ts_rewrite ts_stat array_in \
         multirange_in xpath_table";
    for name in names.split_whitespace() {
        assert!(!matches!(function(name), Some(FunctionRule::Pure | FunctionRule::Info)), "{name}");
    }
}

#[test]
fn texts_that_name_objects_matter() {
    for name in [
        "nextval",
        "setval",
        "currval",
        "set_config",
        "current_setting",
        "to_regclass",
        "has_table_privilege",
        "query_to_xml",
        "nobody_knows",
    ] {
        assert!(text_matters(name), "{name}");
    }
    for name in ["lower", "count", "date_trunc", "jsonb_build_object", "pg_sleep"] {
        assert!(!text_matters(name), "{name}");
    }
}

#[test]
fn names_are_taken_as_the_server_folds_them() {
    assert_eq!(function("Lower"), None);
    assert_eq!(function(""), None);
    assert_eq!(function("# The"), None);
}
