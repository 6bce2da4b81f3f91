SELECT 'relation ' || r.oid AS key, 15 AS rank, r.name,
       'CREATE ' || CASE r.relpersistence WHEN 'u' THEN 'UNLOGGED ' ELSE '' END || 'SEQUENCE '
       || concat_ws(' ', r.name, CASE WHEN c.seqtypid <> 'int8'::regtype THEN 'AS ' || format_type(c.seqtypid, NULL) END,
                    nullif(c.words, '')) AS sql
FROM rel r JOIN counting c ON c.oid = r.oid
WHERE r.relkind = 'S' AND NOT EXISTS (SELECT FROM counted i WHERE i.sequence = r.oid AND i.deptype = 'i')

UNION ALL
SELECT 'relation ' || r.oid, 30, r.name,
       'CREATE ' || CASE WHEN r.relkind = 'f' THEN 'FOREIGN ' WHEN r.relpersistence = 'u' THEN 'UNLOGGED ' ELSE '' END
       || 'TABLE ' || r.name || ' (' || coalesce(E'\n    ' || of.columns || E'\n', '') || ')'
       || coalesce(' INHERITS (' || parents.names || ')', '')
       || CASE WHEN r.relkind = 'p' THEN ' PARTITION BY ' || pg_get_partkeydef(r.oid) ELSE '' END
       || coalesce(' USING ' || quote_ident(m.amname), '')
       || CASE WHEN r.relkind = 'f' THEN ' SERVER ' || quote_ident(f.srvname) ELSE coalesce(' WITH (' || options.words || ')', '') END
       || coalesce(' TABLESPACE ' || quote_ident(space.spcname), '')
FROM rel r
     LEFT JOIN LATERAL (
         SELECT string_agg(concat_ws(' ', quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
             (SELECT 'COLLATE ' || quote_ident(n.nspname) || '.' || quote_ident(c.collname)
              FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace
              WHERE c.oid = a.attcollation AND a.attcollation <> t.typcollation),
             CASE WHEN a.attgenerated <> '' THEN 'GENERATED ALWAYS AS (' || pg_get_expr(d.adbin, d.adrelid) || ')'
                      || CASE a.attgenerated WHEN 's' THEN ' STORED' ELSE ' VIRTUAL' END END,
             -- A partition counts by the sequence of its parent.
             CASE WHEN i.sequence IS NOT NULL THEN 'GENERATED ' || CASE a.attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END
                      || ' AS IDENTITY (' || concat_ws(' ', 'SEQUENCE NAME ' || i.sequence::regclass, nullif(n.words, '')) || ')' END,
             CASE WHEN a.attnotnull AND coalesce(k.convalidated, true)
                  THEN CASE WHEN k.conname <> r.relname || '_' || a.attname || '_not_null' OR k.shared
                            THEN 'CONSTRAINT ' || quote_ident(k.conname) || ' ' ELSE '' END
                       || 'NOT NULL' || CASE WHEN k.connoinherit THEN ' NO INHERIT' ELSE '' END END),
             E',\n    ' ORDER BY a.attnum) AS columns
         FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
              LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
              LEFT JOIN counted i ON i.relation = a.attrelid AND i.attnum = a.attnum AND i.deptype = 'i'
              LEFT JOIN counting n ON n.oid = i.sequence
              LEFT JOIN not_null k ON k.conrelid = a.attrelid AND k.attnum = a.attnum
         WHERE a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped AND (a.attislocal OR r.relispartition)) of ON true
     LEFT JOIN LATERAL (
         SELECT string_agg(i.inhparent::regclass::text, ', ' ORDER BY i.inhseqno) AS names
         FROM pg_inherits i WHERE i.inhrelid = r.oid AND NOT r.relispartition) parents ON true
     LEFT JOIN pg_am m ON m.oid = r.relam AND m.amname <> 'heap'
     LEFT JOIN pg_tablespace space ON space.oid = r.reltablespace
     LEFT JOIN pg_foreign_table t ON t.ftrelid = r.oid
     LEFT JOIN pg_foreign_server f ON f.oid = t.ftserver
     LEFT JOIN LATERAL (
         SELECT string_agg(split_part(o, '=', 1) || ' = ' || quote_literal(substr(o, strpos(o, '=') + 1)), ', ') AS words
         FROM unnest(r.reloptions) o) options ON true
WHERE r.relkind IN ('r', 'p', 'f')

UNION ALL
-- Of a column whose type has changed: its identity makes a sequence of the column's type.
SELECT 'numbers ' || r.oid, 31, r.name, concat_ws(' ', 'ALTER SEQUENCE', r.name, 'AS', format_type(c.seqtypid, NULL), nullif(c.words, ''))
FROM rel r JOIN counting c ON c.oid = r.oid JOIN counted i ON i.sequence = r.oid AND i.deptype = 'i'
     JOIN pg_attribute a ON a.attrelid = i.relation AND a.attnum = i.attnum
WHERE c.seqtypid <> a.atttypid

UNION ALL
-- Typed tables follow their type.
SELECT 'typed ' || r.oid, 31, r.name, 'ALTER TABLE ' || r.name || ' OF ' || format_type(c.reloftype, NULL)
FROM rel r JOIN pg_class c ON c.oid = r.oid WHERE c.reloftype <> 0

UNION ALL
SELECT 'relation ' || r.oid, 40, r.name,
       'CREATE ' || CASE r.relkind WHEN 'v' THEN 'VIEW ' ELSE 'MATERIALIZED VIEW ' END || r.name
       || coalesce(' WITH (' || (SELECT string_agg(split_part(o, '=', 1) || ' = ' || quote_literal(substr(o, strpos(o, '=') + 1)), ', ')
                                 FROM unnest(r.reloptions) o) || ')', '')
       || E' AS\n' || rtrim(pg_get_viewdef(r.oid), '; ')
       || CASE WHEN r.relkind = 'm' AND NOT r.relispopulated THEN E'\n  WITH NO DATA' ELSE '' END
FROM rel r WHERE r.relkind IN ('v', 'm')

UNION ALL
-- A column that comes from a parent in which it may be NULL.
SELECT 'not null ' || r.oid || ' ' || a.attnum, 34, r.name,
       'ALTER TABLE ' || r.name || ' ALTER COLUMN ' || quote_ident(a.attname) || ' SET NOT NULL'
FROM rel r JOIN pg_attribute a ON a.attrelid = r.oid
WHERE r.relkind IN ('r', 'f') AND NOT r.relispartition AND a.attnum > 0 AND NOT a.attisdropped AND a.attnotnull AND NOT a.attislocal
  AND NOT EXISTS (SELECT FROM pg_inherits i JOIN pg_attribute p ON p.attrelid = i.inhparent AND p.attname = a.attname
                  WHERE i.inhrelid = r.oid AND p.attnotnull)

UNION ALL
SELECT 'default ' || d.oid, 36, r.name,
       CASE r.relkind WHEN 'v' THEN 'ALTER VIEW ' WHEN 'f' THEN 'ALTER FOREIGN TABLE ' ELSE 'ALTER TABLE ONLY ' END || r.name
       || ' ALTER COLUMN ' || quote_ident(a.attname) || ' SET DEFAULT ' || pg_get_expr(d.adbin, d.adrelid)
FROM rel r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
     JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum

UNION ALL
SELECT 'owned ' || r.oid, 37, r.name,
       'ALTER SEQUENCE ' || r.name || ' OWNED BY ' || t.name || '.' || quote_ident(a.attname)
FROM rel r JOIN counted i ON i.sequence = r.oid AND i.deptype = 'a'
     JOIN rel t ON t.oid = i.relation JOIN pg_attribute a ON a.attrelid = i.relation AND a.attnum = i.attnum

UNION ALL
-- Partitions are made as tables and attached when they have what their parent has, so that nothing is called by a name that is chosen.
SELECT 'attach ' || r.oid, 35, r.name,
       'ALTER TABLE ONLY ' || i.inhparent::regclass || ' ATTACH PARTITION ' || r.name || ' ' || pg_get_expr(r.relpartbound, r.oid)
FROM rel r JOIN pg_inherits i ON i.inhrelid = r.oid
WHERE r.relispartition AND r.relkind IN ('r', 'p', 'f')
