SELECT 'constraint ' || k.oid AS key,
       CASE k.contype WHEN 'f' THEN 60 WHEN 'c' THEN 33 WHEN 'n' THEN 33 ELSE 50 END AS rank,
       r.name || '.' || k.conname AS name,
       'ALTER TABLE ' || CASE WHEN k.contype IN ('p', 'u', 'x') OR k.contype = 'f' AND r.relkind = 'r' THEN 'ONLY ' ELSE '' END || r.name
       || ' ADD CONSTRAINT ' || quote_ident(k.conname) || ' ' || pg_get_constraintdef(k.oid) AS sql
FROM pg_constraint k JOIN rel r ON r.oid = k.conrelid
WHERE k.contype IN ('p', 'u', 'x')
   -- What comes from a parent comes with it; a partition has to have it before it is attached.
   OR k.contype = 'c' AND (k.conislocal OR r.relispartition)
   OR k.contype = 'n' AND NOT k.convalidated AND (k.conislocal OR r.relispartition)
   OR k.contype = 'f' AND k.conparentid = 0

UNION ALL
-- A partition gets its parent's foreign key by the parent's name, but may have had one by another.
SELECT 'renamed ' || k.oid, 61, r.name || '.' || k.conname,
       'ALTER TABLE ' || r.name || ' RENAME CONSTRAINT ' || quote_ident(p.conname) || ' TO ' || quote_ident(k.conname)
FROM pg_constraint k JOIN pg_constraint p ON p.oid = k.conparentid AND p.conrelid <> k.conrelid AND p.conname <> k.conname
     JOIN rel r ON r.oid = k.conrelid
WHERE k.contype = 'f'

UNION ALL
SELECT 'relation ' || i.oid, 51, i.name,
       CASE WHEN NOT x.indisvalid AND i.relkind = 'i' THEN E'-- invalid on the server: its build has failed or is going on\n' ELSE '' END
       || pg_get_indexdef(i.oid)
FROM pg_index x JOIN rel i ON i.oid = x.indexrelid
WHERE NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.oid AND k.conrelid = x.indrelid AND k.contype IN ('p', 'u', 'x'))

UNION ALL
SELECT 'attach ' || i.oid, 55, i.name, 'ALTER INDEX ' || h.inhparent::regclass || ' ATTACH PARTITION ' || i.name
FROM rel i JOIN pg_inherits h ON h.inhrelid = i.oid WHERE i.relkind IN ('i', 'I')

UNION ALL
SELECT 'statistics ' || x.oid, 56, r.name || '.' || x.stxname, pg_get_statisticsobjdef(x.oid)
FROM pg_statistic_ext x JOIN rel r ON r.oid = x.stxrelid

UNION ALL
SELECT 'rule ' || w.oid, 65, r.name || '.' || w.rulename, pg_get_ruledef(w.oid)
FROM pg_rewrite w JOIN rel r ON r.oid = w.ev_class WHERE w.rulename <> '_RETURN'

UNION ALL
SELECT 'trigger ' || g.oid, 70, r.name || '.' || g.tgname, pg_get_triggerdef(g.oid)
FROM pg_trigger g JOIN rel r ON r.oid = g.tgrelid
WHERE NOT g.tgisinternal AND coalesce((to_jsonb(g) ->> 'tgparentid')::oid, 0) = 0

UNION ALL
SELECT 'firing ' || g.oid, 71, r.name || '.' || g.tgname,
       'ALTER TABLE ' || r.name || CASE g.tgenabled WHEN 'D' THEN ' DISABLE' WHEN 'R' THEN ' ENABLE REPLICA' ELSE ' ENABLE ALWAYS' END
       || ' TRIGGER ' || quote_ident(g.tgname)
FROM pg_trigger g JOIN rel r ON r.oid = g.tgrelid WHERE NOT g.tgisinternal AND g.tgenabled <> 'O'

UNION ALL
SELECT 'row security ' || r.oid, 72, r.name, 'ALTER TABLE ' || r.name || ' ENABLE ROW LEVEL SECURITY'
FROM rel r WHERE r.relrowsecurity

UNION ALL
SELECT 'forced ' || r.oid, 72, r.name, 'ALTER TABLE ' || r.name || ' FORCE ROW LEVEL SECURITY' FROM rel r WHERE r.relforcerowsecurity

UNION ALL
SELECT 'policy ' || p.oid, 73, r.name || '.' || p.polname,
       'CREATE POLICY ' || quote_ident(p.polname) || ' ON ' || r.name || CASE WHEN p.polpermissive THEN '' ELSE ' AS RESTRICTIVE' END
       || CASE p.polcmd WHEN 'r' THEN ' FOR SELECT' WHEN 'a' THEN ' FOR INSERT' WHEN 'w' THEN ' FOR UPDATE' WHEN 'd' THEN ' FOR DELETE' ELSE '' END
       || CASE WHEN p.polroles = '{0}' THEN '' ELSE ' TO ' || (SELECT string_agg(coalesce(quote_ident(o.rolname), 'PUBLIC'), ', ')
                                                               FROM unnest(p.polroles) u LEFT JOIN pg_roles o ON o.oid = u) END
       || coalesce(' USING (' || pg_get_expr(p.polqual, p.polrelid) || ')', '')
       || coalesce(' WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')', '')
FROM pg_policy p JOIN rel r ON r.oid = p.polrelid
