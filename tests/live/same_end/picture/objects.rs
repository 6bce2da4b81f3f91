//! What is no relation: schemas, types, functions, publications, comments, settings, and the rest by its name.

use super::{Query, query};

pub(super) const QUERIES: &[Query] = &[
    query(SCHEMAS),
    query(TYPES),
    query(DOMAIN_CHECKS),
    query(FUNCTIONS),
    query(FUNCTION_RIGHTS),
    query(PUBLICATIONS),
    query(COMMENTS),
    query(DEFAULT_PRIVILEGES),
    query(SETTINGS),
    query(EXTENSIONS),
    query(REST),
];

const SCHEMAS: &str = "
    SELECT format('schema %I: ', n.nspname) || concat_ws(', ', 'owner ' || m.nspowner::regrole,
           (SELECT string_agg(a::text, ', ' ORDER BY a::text) FROM unnest(coalesce(m.nspacl, acldefault('n', m.nspowner))) a))
    FROM space n JOIN pg_namespace m ON m.oid = n.oid";

/// Arrays and the row types of tables come and go with what they belong to.
const TYPES: &str = "
    SELECT format('type %I.%I: ', n.nspname, t.typname) || concat_ws(', ',
           CASE t.typtype WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' WHEN 'r' THEN 'range' WHEN 'm' THEN 'multirange' WHEN 'c' THEN 'composite'
                ELSE 'base' END,
           (SELECT string_agg(quote_literal(e.enumlabel), ' ' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid),
           CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) END,
           CASE WHEN t.typtype = 'd' AND t.typcollation <> b.typcollation THEN
               (SELECT format('collate %I.%I', s.nspname, c.collname) FROM pg_collation c JOIN pg_namespace s ON s.oid = c.collnamespace
                WHERE c.oid = t.typcollation) END,
           CASE WHEN t.typnotnull THEN 'not null' END, 'default ' || t.typdefault, 'of ' || format_type(g.rngsubtype, NULL),
           'owner ' || t.typowner::regrole,
           (SELECT string_agg(a::text, ', ' ORDER BY a::text) FROM unnest(coalesce(t.typacl, acldefault('T', t.typowner))) a))
    FROM pg_type t JOIN space n ON n.oid = t.typnamespace LEFT JOIN pg_class c ON c.oid = t.typrelid LEFT JOIN pg_type b ON b.oid = t.typbasetype
         LEFT JOIN pg_range g ON g.rngtypid = t.oid
    WHERE (t.typrelid = 0 OR c.relkind = 'c') AND t.typcategory <> 'A'
      AND NOT EXISTS (SELECT FROM member WHERE classid = 'pg_type'::regclass AND objid = t.oid)";

const DOMAIN_CHECKS: &str = "
    SELECT format('domain constraint %I.%I.%I: ', n.nspname, t.typname, k.conname) || pg_get_constraintdef(k.oid)
           || CASE WHEN k.convalidated THEN ', validated' ELSE ', not valid' END
    FROM pg_constraint k JOIN pg_type t ON t.oid = k.contypid JOIN space n ON n.oid = t.typnamespace WHERE k.contype = 'c'";

const FUNCTIONS: &str = "
    SELECT format('function %s: ', p.oid::regprocedure) || pg_get_functiondef(p.oid)
    FROM pg_proc p JOIN space n ON n.oid = p.pronamespace
    WHERE p.prokind <> 'a' AND NOT EXISTS (SELECT FROM member WHERE classid = 'pg_proc'::regclass AND objid = p.oid)";

const FUNCTION_RIGHTS: &str = "
    SELECT format('privileges on function %s: ', p.oid::regprocedure) || concat_ws(', ', 'owner ' || p.proowner::regrole,
           (SELECT string_agg(a::text, ', ' ORDER BY a::text) FROM unnest(coalesce(p.proacl, acldefault('f', p.proowner))) a))
    FROM pg_proc p JOIN space n ON n.oid = p.pronamespace
    WHERE NOT EXISTS (SELECT FROM member WHERE classid = 'pg_proc'::regclass AND objid = p.oid)";

/// What a publication says of itself, and of each table. Generated columns are none of all columns before 18, so they count as a list.
const PUBLICATIONS: &str = "
    SELECT format('publication %I: ', p.pubname) || (to_jsonb(p) - '{oid,pubname,pubowner}'::text[])::text || ', owner ' || p.pubowner::regrole
    FROM pg_publication p
    UNION ALL
    SELECT format('published by %I %I.%I: ', t.pubname, t.schemaname, t.tablename)
           || concat_ws(', ', (SELECT CASE WHEN count(*) = (SELECT count(*) FROM pg_attribute c WHERE c.attnum > 0 AND NOT c.attisdropped
                                                             AND c.attrelid = format('%I.%I', t.schemaname, t.tablename)::regclass)
                                           THEN 'all columns' ELSE string_agg(a, ' ' ORDER BY a) END
                               FROM jsonb_array_elements_text(nullif(to_jsonb(t) -> 'attnames', 'null')) a),
                        'where ' || (to_jsonb(t) ->> 'rowfilter'))
    FROM pg_publication_tables t";

/// Of everything that a user has made, and of the schema public. What is called by a number (an internal trigger) has none.
const COMMENTS: &str = "
    SELECT format('comment on %s %s: ', i.type, i.identity) || d.description
    FROM pg_description d CROSS JOIN LATERAL pg_identify_object(d.classoid, d.objoid, d.objsubid) i
    WHERE (d.objoid >= 16384 OR (d.classoid = 'pg_namespace'::regclass AND d.objoid = 'public'::regnamespace))
      AND NOT EXISTS (SELECT FROM member WHERE classid = d.classoid AND objid = d.objoid)";

const DEFAULT_PRIVILEGES: &str = "
    SELECT format('default privileges of %s in %s for %s: ', d.defaclrole::regrole, coalesce(n.nspname, 'all schemas'), d.defaclobjtype)
           || coalesce((SELECT string_agg(a::text, ', ' ORDER BY a::text) FROM unnest(d.defaclacl) a), 'none')
    FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace";

const SETTINGS: &str = "
    SELECT format('settings of %s: ', coalesce(nullif(s.setrole, 0)::regrole::text, 'everybody')) || array_to_string(s.setconfig, ', ')
    FROM pg_db_role_setting s WHERE s.setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())";

const EXTENSIONS: &str = "
    SELECT format('extension %I: ', x.extname) || x.extversion || ' in ' || x.extnamespace::regnamespace FROM pg_extension x";

/// Things that migrations seldom make, by name alone.
const REST: &str = "
    SELECT format('%s %s', i.type, i.identity)
    FROM (SELECT 'pg_cast'::regclass, oid FROM pg_cast UNION ALL SELECT 'pg_operator'::regclass, oid FROM pg_operator
          UNION ALL SELECT 'pg_opclass'::regclass, oid FROM pg_opclass UNION ALL SELECT 'pg_collation'::regclass, oid FROM pg_collation
          UNION ALL SELECT 'pg_conversion'::regclass, oid FROM pg_conversion UNION ALL SELECT 'pg_language'::regclass, oid FROM pg_language
          UNION ALL SELECT 'pg_ts_config'::regclass, oid FROM pg_ts_config UNION ALL SELECT 'pg_ts_dict'::regclass, oid FROM pg_ts_dict
          UNION ALL SELECT 'pg_foreign_server'::regclass, oid FROM pg_foreign_server
          UNION ALL SELECT 'pg_foreign_data_wrapper'::regclass, oid FROM pg_foreign_data_wrapper
          UNION ALL SELECT 'pg_event_trigger'::regclass, oid FROM pg_event_trigger
          UNION ALL SELECT 'pg_proc'::regclass, oid FROM pg_proc WHERE prokind = 'a') made (class, id)
         CROSS JOIN LATERAL pg_identify_object(made.class, made.id, 0) i
    WHERE made.id >= 16384 AND NOT EXISTS (SELECT FROM member WHERE classid = made.class AND objid = made.id)";
