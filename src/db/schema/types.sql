SELECT 'schema ' || s.oid AS key, 0 AS rank, s.nspname::text AS name, 'CREATE SCHEMA IF NOT EXISTS ' || quote_ident(s.nspname) AS sql
FROM own_schema s
WHERE NOT EXISTS (SELECT FROM of_extension e WHERE e.classid = 'pg_namespace'::regclass AND e.objid = s.oid)

UNION ALL
SELECT 'extension ' || e.oid, 1, e.extname::text,
       'CREATE EXTENSION IF NOT EXISTS ' || quote_ident(e.extname) || ' WITH SCHEMA ' || quote_ident(n.nspname)
FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace

UNION ALL
SELECT 'collation ' || c.oid, 5, s.nspname || '.' || c.collname,
       'CREATE COLLATION ' || quote_ident(s.nspname) || '.' || quote_ident(c.collname) || ' ('
       || CASE c.collprovider WHEN 'c' THEN 'provider = libc, lc_collate = ' || quote_literal(c.collcollate)
                                            || ', lc_ctype = ' || quote_literal(c.collctype)
               ELSE 'provider = ' || CASE c.collprovider WHEN 'i' THEN 'icu' ELSE 'builtin' END || ', locale = '
                    || quote_literal(coalesce(to_jsonb(c) ->> 'colllocale', to_jsonb(c) ->> 'colliculocale', c.collcollate)) END
       || CASE WHEN c.collisdeterministic THEN '' ELSE ', deterministic = false' END || ')'
FROM pg_collation c JOIN own_schema s ON s.oid = c.collnamespace
WHERE NOT EXISTS (SELECT FROM of_extension e WHERE e.classid = 'pg_collation'::regclass AND e.objid = c.oid)

UNION ALL
SELECT 'type ' || t.oid, 10, format_type(t.oid, NULL),
       CASE t.typtype
           WHEN 'e' THEN 'CREATE TYPE ' || format_type(t.oid, NULL) || ' AS ENUM ('
               || coalesce((SELECT string_agg(quote_literal(l.enumlabel), ', ' ORDER BY l.enumsortorder)
                            FROM pg_enum l WHERE l.enumtypid = t.oid), '') || ')'
           WHEN 'd' THEN 'CREATE DOMAIN ' || format_type(t.oid, NULL) || ' AS ' || format_type(t.typbasetype, t.typtypmod)
               || coalesce((SELECT ' COLLATE ' || quote_ident(n.nspname) || '.' || quote_ident(c.collname)
                            FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace JOIN pg_type b ON b.oid = t.typbasetype
                            WHERE c.oid = t.typcollation AND t.typcollation <> b.typcollation), '')
               || coalesce(' DEFAULT ' || t.typdefault, '') || CASE WHEN t.typnotnull THEN ' NOT NULL' ELSE '' END
               || coalesce((SELECT string_agg(' CONSTRAINT ' || quote_ident(k.conname) || ' ' || pg_get_constraintdef(k.oid), '' ORDER BY k.conname)
                            FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c' AND k.convalidated), '')
           WHEN 'r' THEN 'CREATE TYPE ' || format_type(t.oid, NULL) || ' AS RANGE (subtype = ' || format_type(r.rngsubtype, NULL)
               || CASE WHEN o.opcdefault THEN '' ELSE ', subtype_opclass = ' || quote_ident(os.nspname) || '.' || quote_ident(o.opcname) END
               || CASE WHEN r.rngcollation = b.typcollation THEN ''
                       ELSE (SELECT ', collation = ' || quote_ident(n.nspname) || '.' || quote_ident(c.collname)
                             FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace WHERE c.oid = r.rngcollation) END
               || CASE WHEN r.rngsubdiff = 0 THEN '' ELSE ', subtype_diff = ' || r.rngsubdiff END
               || coalesce(', multirange_type_name = ' || format_type((to_jsonb(r) ->> 'rngmultitypid')::oid, NULL), '') || ')'
           ELSE 'CREATE TYPE ' || format_type(t.oid, NULL) || ' AS ('
               || coalesce((SELECT string_agg(concat_ws(' ', quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
                                                 (SELECT 'COLLATE ' || quote_ident(n.nspname) || '.' || quote_ident(l.collname)
                                                  FROM pg_collation l JOIN pg_namespace n ON n.oid = l.collnamespace
                                                  WHERE l.oid = a.attcollation AND a.attcollation <> at.typcollation)), ', ' ORDER BY a.attnum)
                            FROM pg_attribute a JOIN pg_type at ON at.oid = a.atttypid WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped), '') || ')'
       END
FROM pg_type t JOIN own_schema s ON s.oid = t.typnamespace
     LEFT JOIN pg_class c ON c.oid = t.typrelid
     LEFT JOIN pg_range r ON r.rngtypid = t.oid
     LEFT JOIN pg_type b ON b.oid = r.rngsubtype
     LEFT JOIN pg_opclass o ON o.oid = r.rngsubopc
     LEFT JOIN pg_namespace os ON os.oid = o.opcnamespace
WHERE (t.typtype IN ('e', 'd', 'r') OR t.typtype = 'c' AND c.relkind = 'c')
  AND NOT EXISTS (SELECT FROM of_extension e WHERE e.classid = 'pg_type'::regclass AND e.objid = t.oid)

UNION ALL
SELECT 'constraint ' || k.oid, 11, format_type(k.contypid, NULL),
       'ALTER DOMAIN ' || format_type(k.contypid, NULL) || ' ADD CONSTRAINT ' || quote_ident(k.conname) || ' ' || pg_get_constraintdef(k.oid)
FROM pg_constraint k JOIN pg_type t ON t.oid = k.contypid JOIN own_schema s ON s.oid = t.typnamespace
WHERE k.contype = 'c' AND NOT k.convalidated
  AND NOT EXISTS (SELECT FROM of_extension e WHERE e.classid = 'pg_type'::regclass AND e.objid = t.oid)

UNION ALL
SELECT 'function ' || p.oid, 20, p.oid::regprocedure::text, pg_get_functiondef(p.oid)
FROM pg_proc p JOIN own_schema s ON s.oid = p.pronamespace
WHERE p.prokind <> 'a'
  -- The constructors of a range type come with it.
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'i')
  AND NOT EXISTS (SELECT FROM of_extension e WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid)

UNION ALL
SELECT 'wrapper ' || w.oid, 21, w.fdwname::text, 'CREATE FOREIGN DATA WRAPPER ' || quote_ident(w.fdwname)
       || CASE WHEN w.fdwhandler = 0 THEN '' ELSE ' HANDLER ' || w.fdwhandler::regproc END
       || CASE WHEN w.fdwvalidator = 0 THEN '' ELSE ' VALIDATOR ' || w.fdwvalidator::regproc END
FROM pg_foreign_data_wrapper w
WHERE NOT EXISTS (SELECT FROM of_extension e WHERE e.classid = 'pg_foreign_data_wrapper'::regclass AND e.objid = w.oid)

UNION ALL
-- Without its options: they say where the other server is.
SELECT 'server ' || f.oid, 22, f.srvname::text,
       'CREATE SERVER ' || quote_ident(f.srvname) || ' FOREIGN DATA WRAPPER ' || quote_ident(w.fdwname)
FROM pg_foreign_server f JOIN pg_foreign_data_wrapper w ON w.oid = f.srvfdw
