//! Tables and what belongs to them: columns, constraints, indexes, triggers, policies, rules, partitions, sequences.

use super::{Query, query};

pub(super) const QUERIES: &[Query] = &[
    query(RELATIONS),
    query(PRIVILEGES),
    query(COLUMNS),
    query(NOT_NULL),
    query(CONSTRAINTS),
    query(INDEXES),
    query(INDEX_COLUMNS),
    query(TRIGGERS),
    query(POLICIES),
    query(VIEWS),
    query(RULES),
    query(SEQUENCES),
    query(STATISTICS),
    Query { since: 14, sql: STATISTICS_EXPRESSIONS },
];

const RELATIONS: &str = "
    SELECT CASE r.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence' WHEN 'f' THEN 'foreign table'
                WHEN 'c' THEN 'composite type' ELSE 'table' END || ' ' || r.name || ': ' || concat_ws(', ',
           'owner ' || r.relowner::regrole,
           CASE r.relpersistence WHEN 'u' THEN 'unlogged' END,
           CASE WHEN NOT r.relispopulated THEN 'not populated' END,
           'access method ' || m.amname,
           'tablespace ' || s.spcname,
           CASE WHEN r.reloftype <> 0 THEN 'of type ' || r.reloftype::regtype END,
           CASE WHEN r.relrowsecurity THEN 'row security' END, CASE WHEN r.relforcerowsecurity THEN 'row security forced on its owner' END,
           CASE WHEN r.relkind IN ('r', 'p') AND r.relreplident <> 'd' THEN 'replica identity ' || r.relreplident::text END,
           CASE WHEN r.relkind = 'p' THEN 'partition by ' || pg_get_partkeydef(r.oid) END,
           (SELECT string_agg(CASE WHEN r.relispartition THEN 'partition of ' ELSE 'inherits ' END || i.inhparent::regclass
                              || CASE WHEN (to_jsonb(i) ->> 'inhdetachpending')::bool THEN ' (detach pending)' ELSE '' END, ', '
                              ORDER BY i.inhseqno) FROM pg_inherits i WHERE i.inhrelid = r.oid),
           pg_get_expr(r.relpartbound, r.oid),
           (SELECT 'with ' || string_agg(o, ' ' ORDER BY o) FROM unnest(r.reloptions) o),
           (SELECT 'toast with ' || string_agg(o, ' ' ORDER BY o) FROM pg_class t, unnest(t.reloptions) o WHERE t.oid = r.reltoastrelid))
    FROM relation r LEFT JOIN pg_am m ON m.oid = r.relam LEFT JOIN pg_tablespace s ON s.oid = r.reltablespace";

/// Who may do what; what was never granted or revoked is what the owner has by default.
const PRIVILEGES: &str = "
    SELECT 'privileges on ' || r.name || ': ' || coalesce(string_agg(a::text, ', ' ORDER BY a::text), 'none')
    FROM relation r
         LEFT JOIN LATERAL unnest(coalesce(r.relacl, acldefault(CASE r.relkind WHEN 'S' THEN 's' ELSE 'r' END::\"char\", r.relowner))) a ON true
    WHERE r.relkind <> 'c' GROUP BY r.oid, r.name
    UNION ALL
    SELECT format('privileges on %s.%I: ', r.name, t.attname) || string_agg(a::text, ', ' ORDER BY a::text)
    FROM relation r JOIN pg_attribute t ON t.attrelid = r.oid AND NOT t.attisdropped CROSS JOIN unnest(t.attacl) a
    GROUP BY r.name, t.attname";

/// From 15.20 on the server notes in the options of a column when it was made: that is no part of what the column is.
const COLUMNS: &str = "
    SELECT format('column %s.%I: ', r.name, a.attname) || concat_ws(', ',
           format_type(a.atttypid, a.atttypmod),
           CASE WHEN a.attcollation <> t.typcollation THEN
               (SELECT format('collate %I.%I', n.nspname, c.collname) FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace
                WHERE c.oid = a.attcollation) END,
           CASE WHEN a.attnotnull THEN 'not null' END,
           CASE a.attgenerated WHEN '' THEN 'default ' WHEN 's' THEN 'generated stored ' ELSE 'generated virtual ' END
               || pg_get_expr(d.adbin, d.adrelid),
           CASE a.attidentity WHEN 'a' THEN 'identity always' WHEN 'd' THEN 'identity by default' END,
           CASE WHEN a.attstorage <> t.typstorage THEN 'storage ' || a.attstorage::text END,
           'compression ' || nullif(to_jsonb(a) ->> 'attcompression', ''),
           'statistics ' || nullif(to_jsonb(a) ->> 'attstattarget', '-1'),
           (SELECT 'with ' || string_agg(o, ' ') FROM unnest(a.attoptions) o WHERE o NOT LIKE 'pg_attver=%'),
           'options ' || array_to_string(a.attfdwoptions, ' '),
           CASE WHEN a.attinhcount > 0 THEN CASE WHEN a.attislocal THEN 'inherited and its own' ELSE 'inherited' END END)
    FROM relation r JOIN pg_attribute a ON a.attrelid = r.oid JOIN pg_type t ON t.oid = a.atttypid
         LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE r.relkind <> 'S' AND a.attnum > 0 AND NOT a.attisdropped";

/// Since 18 a NOT NULL is a constraint. Its name counts if somebody has thought of it: what the server calls one by itself ends so.
const NOT_NULL: &str = "
    SELECT format('not null %s.%I: ', r.name, a.attname) || concat_ws(', ',
           CASE WHEN k.conname !~ '_not_null[0-9]*$' THEN 'called ' || k.conname END,
           CASE WHEN k.convalidated THEN 'validated' ELSE 'not valid' END,
           CASE WHEN k.connoinherit THEN 'no inherit' END,
           CASE WHEN k.coninhcount > 0 THEN CASE WHEN k.conislocal THEN 'inherited and its own' ELSE 'inherited' END END)
    FROM pg_constraint k JOIN relation r ON r.oid = k.conrelid JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = k.conkey[1]
    WHERE k.contype = 'n'";

/// The triggers behind a foreign key can be switched off with all others of the table; nothing else shows it.
const CONSTRAINTS: &str = "
    SELECT format('constraint %s.%I: ', r.name, k.conname) || concat_ws(', ',
           pg_get_constraintdef(k.oid),
           CASE WHEN k.convalidated THEN 'validated' ELSE 'not valid' END,
           CASE WHEN NOT (to_jsonb(k) ->> 'conenforced')::bool THEN 'not enforced' END,
           CASE WHEN k.condeferrable THEN 'deferrable' END, CASE WHEN k.condeferred THEN 'deferred' END,
           CASE WHEN k.connoinherit AND k.contype = 'c' THEN 'no inherit' END,
           CASE WHEN k.coninhcount > 0 THEN CASE WHEN k.conislocal THEN 'inherited and its own' ELSE 'inherited' END END,
           'of constraint ' || p.conrelid::regclass || '.' || p.conname,
           CASE WHEN k.conindid <> 0 THEN 'index ' || k.conindid::regclass END,
           (SELECT 'triggers ' || string_agg(DISTINCT g.tgenabled::text, '') FROM pg_trigger g WHERE g.tgconstraint = k.oid AND g.tgenabled <> 'O'))
    FROM pg_constraint k JOIN relation r ON r.oid = k.conrelid LEFT JOIN pg_constraint p ON p.oid = k.conparentid
    WHERE k.contype IN ('p', 'u', 'c', 'x', 'f', 't')";

const INDEXES: &str = "
    SELECT format('index %I.%I: ', n.nspname, c.relname) || concat_ws(', ',
           pg_get_indexdef(x.indexrelid),
           CASE WHEN x.indisvalid THEN 'valid' ELSE 'not valid' END,
           CASE WHEN NOT x.indisready THEN 'not ready' END, CASE WHEN NOT x.indislive THEN 'not live' END,
           CASE WHEN x.indisprimary THEN 'primary' END, CASE WHEN NOT x.indimmediate THEN 'deferrable' END,
           CASE WHEN x.indisclustered THEN 'clustered' END, CASE WHEN x.indisreplident THEN 'replica identity' END,
           'tablespace ' || s.spcname, 'owner ' || c.relowner::regrole, CASE c.relpersistence WHEN 'u' THEN 'unlogged' END,
           (SELECT 'attached to ' || i.inhparent::regclass FROM pg_inherits i WHERE i.inhrelid = c.oid))
    FROM pg_index x JOIN relation r ON r.oid = x.indrelid JOIN pg_class c ON c.oid = x.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
         LEFT JOIN pg_tablespace s ON s.oid = c.reltablespace";

/// ALTER INDEX ... ALTER COLUMN 1 SET STATISTICS 500
const INDEX_COLUMNS: &str = "
    SELECT format('index column %s.%s: statistics ', x.indexrelid::regclass, a.attnum) || a.attstattarget
    FROM pg_index x JOIN relation r ON r.oid = x.indrelid JOIN pg_attribute a ON a.attrelid = x.indexrelid WHERE a.attstattarget >= 0";

const TRIGGERS: &str = "
    SELECT format('trigger %s.%I: ', r.name, g.tgname) || concat_ws(', ', pg_get_triggerdef(g.oid),
           CASE g.tgenabled WHEN 'O' THEN 'enabled' WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'on replicas' ELSE 'always' END)
    FROM pg_trigger g JOIN relation r ON r.oid = g.tgrelid WHERE NOT g.tgisinternal";

const POLICIES: &str = "
    SELECT format('policy %s.%I: ', r.name, p.polname) || concat_ws(', ',
           CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END, 'for ' || p.polcmd::text,
           'to ' || (SELECT string_agg(CASE o WHEN 0 THEN 'public' ELSE o::regrole::text END, ' ' ORDER BY o::regrole::text) FROM unnest(p.polroles) o),
           'using ' || pg_get_expr(p.polqual, p.polrelid), 'check ' || pg_get_expr(p.polwithcheck, p.polrelid))
    FROM pg_policy p JOIN relation r ON r.oid = p.polrelid";

const VIEWS: &str = "
    SELECT format('query of %s: ', r.name) || pg_get_viewdef(r.oid) FROM relation r WHERE r.relkind IN ('v', 'm')";

const RULES: &str = "
    SELECT format('rule %s.%I: ', r.name, w.rulename) || pg_get_ruledef(w.oid)
           || CASE w.ev_enabled WHEN 'O' THEN '' ELSE ', enabled ' || w.ev_enabled::text END
    FROM pg_rewrite w JOIN relation r ON r.oid = w.ev_class WHERE w.rulename <> '_RETURN'";

const SEQUENCES: &str = "
    SELECT format('numbers of %s: ', r.name) || concat_ws(', ', format_type(s.seqtypid, NULL),
           'start ' || s.seqstart, 'increment ' || s.seqincrement, 'min ' || s.seqmin, 'max ' || s.seqmax, 'cache ' || s.seqcache,
           CASE WHEN s.seqcycle THEN 'cycle' END,
           CASE d.deptype WHEN 'i' THEN 'identity of ' WHEN 'a' THEN 'owned by ' END || d.refobjid::regclass || '.' || quote_ident(a.attname))
    FROM pg_sequence s JOIN relation r ON r.oid = s.seqrelid
         LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = r.oid AND d.deptype IN ('a', 'i')
                   AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0
         LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid";

/// The columns stand by their numbers in pg_get_statisticsobjdef, so it would tell their order.
const STATISTICS: &str = "
    SELECT format('statistics %I.%I: ', n.nspname, s.stxname) || concat_ws(', ', 'on ' || s.stxrelid::regclass,
           (SELECT string_agg(a.attname, ' ' ORDER BY a.attname) FROM pg_attribute a WHERE a.attrelid = s.stxrelid AND a.attnum = ANY (s.stxkeys)),
           'kinds ' || (SELECT string_agg(k::text, '' ORDER BY k::text) FROM unnest(s.stxkind) k), 'owner ' || s.stxowner::regrole,
           'target ' || nullif(to_jsonb(s) ->> 'stxstattarget', '-1'))
    FROM pg_statistic_ext s JOIN space n ON n.oid = s.stxnamespace";

const STATISTICS_EXPRESSIONS: &str = "
    SELECT format('statistics expressions %I.%I: ', n.nspname, s.stxname) || array_to_string(pg_get_statisticsobjdef_expressions(s.oid), ', ')
    FROM pg_statistic_ext s JOIN space n ON n.oid = s.stxnamespace WHERE s.stxexprs IS NOT NULL";
