SELECT 'replica identity ' || r.oid AS key, 80 AS rank, r.name,
       'ALTER TABLE ONLY ' || r.name || ' REPLICA IDENTITY '
       || CASE r.relreplident WHEN 'f' THEN 'FULL' WHEN 'n' THEN 'NOTHING'
               ELSE 'USING INDEX ' || (SELECT quote_ident(c.relname) FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid
                                       WHERE x.indrelid = r.oid AND x.indisreplident) END AS sql
FROM rel r WHERE r.relkind IN ('r', 'p', 'm') AND r.relreplident <> 'd'

UNION ALL
SELECT 'clustered ' || r.oid, 81, r.name, 'ALTER TABLE ' || r.name || ' CLUSTER ON ' || quote_ident(c.relname)
FROM rel r JOIN pg_index x ON x.indrelid = r.oid AND x.indisclustered JOIN pg_class c ON c.oid = x.indexrelid

UNION ALL
SELECT 'kept ' || r.oid || ' ' || a.attnum, 82, r.name || '.' || a.attname,
       'ALTER TABLE ONLY ' || r.name || ' ALTER COLUMN ' || quote_ident(a.attname) || ' SET STORAGE '
       || CASE a.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END
FROM rel r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped JOIN pg_type t ON t.oid = a.atttypid
WHERE r.relkind IN ('r', 'p', 'm') AND a.attstorage <> t.typstorage

UNION ALL
SELECT 'counted ' || r.oid || ' ' || a.attnum, 83, r.name || '.' || a.attname,
       'ALTER TABLE ONLY ' || r.name || ' ALTER COLUMN ' || quote_ident(a.attname) || ' SET STATISTICS ' || a.attstattarget
FROM rel r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE r.relkind IN ('r', 'p', 'm') AND a.attstattarget >= 0

UNION ALL
SELECT 'publication ' || p.oid, 85, p.pubname::text,
       'CREATE PUBLICATION ' || quote_ident(p.pubname) || CASE WHEN p.puballtables THEN ' FOR ALL TABLES' ELSE '' END
FROM pg_publication p

UNION ALL
SELECT 'published ' || m.oid, 86, p.pubname || ' ' || r.name,
       'ALTER PUBLICATION ' || quote_ident(p.pubname) || ' ADD TABLE ONLY ' || r.name
       || coalesce(' (' || (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
                            FROM pg_attribute a
                            WHERE a.attrelid = r.oid AND to_jsonb(m) -> 'prattrs' @> to_jsonb(a.attnum)) || ')', '')
       || coalesce(' WHERE (' || (to_jsonb(v) ->> 'rowfilter') || ')', '')
FROM pg_publication_rel m JOIN pg_publication p ON p.oid = m.prpubid JOIN rel r ON r.oid = m.prrelid
     JOIN pg_class c ON c.oid = r.oid JOIN pg_namespace n ON n.oid = c.relnamespace
     LEFT JOIN pg_publication_tables v ON v.pubname = p.pubname AND v.schemaname = n.nspname AND v.tablename = c.relname

UNION ALL
SELECT 'owner ' || r.oid, 90, r.name,
       CASE r.relkind WHEN 'S' THEN 'ALTER SEQUENCE ' WHEN 'v' THEN 'ALTER VIEW ' WHEN 'm' THEN 'ALTER MATERIALIZED VIEW '
                      WHEN 'f' THEN 'ALTER FOREIGN TABLE ' ELSE 'ALTER TABLE ' END || r.name || ' OWNER TO ' || quote_ident(o.rolname)
FROM rel r JOIN pg_roles o ON o.oid = r.relowner
WHERE r.relkind IN ('r', 'p', 'f', 'v', 'm', 'S') AND o.rolname <> current_user
  -- The owner of the column owns its sequence.
  AND NOT EXISTS (SELECT FROM counted i WHERE i.sequence = r.oid)

UNION ALL
SELECT 'grant ' || r.oid || ' ' || g.grantee || ' ' || g.is_grantable, 91, r.name,
       'GRANT ' || string_agg(g.privilege_type, ', ' ORDER BY g.privilege_type) || ' ON '
       || CASE r.relkind WHEN 'S' THEN 'SEQUENCE ' ELSE 'TABLE ' END || r.name || ' TO ' || coalesce(quote_ident(o.rolname), 'PUBLIC')
       || CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
FROM rel r CROSS JOIN LATERAL aclexplode(r.relacl) g LEFT JOIN pg_roles o ON o.oid = g.grantee
WHERE g.grantee <> r.relowner AND (g.grantee = 0 OR o.oid IS NOT NULL)
GROUP BY r.oid, r.name, r.relkind, g.grantee, g.is_grantable, o.rolname

UNION ALL
SELECT 'grant ' || r.oid || ' ' || a.attnum || ' ' || g.grantee || ' ' || g.is_grantable, 92, r.name || '.' || a.attname,
       'GRANT ' || string_agg(g.privilege_type || ' (' || quote_ident(a.attname) || ')', ', ' ORDER BY g.privilege_type) || ' ON TABLE '
       || r.name || ' TO ' || coalesce(quote_ident(o.rolname), 'PUBLIC') || CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
FROM rel r JOIN pg_attribute a ON a.attrelid = r.oid AND NOT a.attisdropped
     CROSS JOIN LATERAL aclexplode(a.attacl) g LEFT JOIN pg_roles o ON o.oid = g.grantee
WHERE g.grantee = 0 OR o.oid IS NOT NULL
GROUP BY r.oid, r.name, a.attnum, a.attname, g.grantee, g.is_grantable, o.rolname

UNION ALL
SELECT 'grants to come ' || d.oid || ' ' || g.grantee || ' ' || g.is_grantable, 93, o.rolname || coalesce(' ' || s.nspname, ''),
       'ALTER DEFAULT PRIVILEGES FOR ROLE ' || quote_ident(o.rolname) || coalesce(' IN SCHEMA ' || quote_ident(s.nspname), '')
       || ' GRANT ' || string_agg(g.privilege_type, ', ' ORDER BY g.privilege_type) || ' ON '
       || CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS' WHEN 'T' THEN 'TYPES' ELSE 'SCHEMAS' END
       || ' TO ' || coalesce(quote_ident(t.rolname), 'PUBLIC') || CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
FROM pg_default_acl d JOIN pg_roles o ON o.oid = d.defaclrole LEFT JOIN own_schema s ON s.oid = d.defaclnamespace
     CROSS JOIN LATERAL aclexplode(d.defaclacl) g LEFT JOIN pg_roles t ON t.oid = g.grantee
WHERE g.grantee <> d.defaclrole AND (g.grantee = 0 OR t.oid IS NOT NULL) AND (d.defaclnamespace = 0 OR s.oid IS NOT NULL)
  AND d.defaclobjtype IN ('r', 'S', 'f', 'T', 'n')
GROUP BY d.oid, o.rolname, s.nspname, d.defaclobjtype, g.grantee, t.rolname, g.is_grantable

UNION ALL
SELECT 'comment ' || r.oid || ' ' || c.objsubid, 95, r.name,
       'COMMENT ON ' || CASE WHEN c.objsubid > 0 THEN 'COLUMN ' || r.name || '.' || quote_ident(a.attname)
                             ELSE CASE r.relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW'
                                       WHEN 'i' THEN 'INDEX' WHEN 'I' THEN 'INDEX' WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END || ' ' || r.name END
       || ' IS ' || quote_literal(c.description)
FROM pg_description c JOIN rel r ON r.oid = c.objoid LEFT JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = c.objsubid
WHERE c.classoid = 'pg_class'::regclass

UNION ALL
SELECT 'comment ' || k.oid, 96, r.name || '.' || k.conname,
       'COMMENT ON CONSTRAINT ' || quote_ident(k.conname) || ' ON ' || r.name || ' IS ' || quote_literal(c.description)
FROM pg_description c JOIN pg_constraint k ON k.oid = c.objoid JOIN rel r ON r.oid = k.conrelid
WHERE c.classoid = 'pg_constraint'::regclass

UNION ALL
SELECT 'comment ' || g.oid, 97, r.name || '.' || g.tgname,
       'COMMENT ON TRIGGER ' || quote_ident(g.tgname) || ' ON ' || r.name || ' IS ' || quote_literal(c.description)
FROM pg_description c JOIN pg_trigger g ON g.oid = c.objoid JOIN rel r ON r.oid = g.tgrelid
WHERE c.classoid = 'pg_trigger'::regclass
