-- What the other queries choose from: the schemas and relations of the users, without what extensions brought along.
-- Columns that only newer servers have are read through to_jsonb, which knows no column that is not there.
WITH own_schema AS MATERIALIZED (
    SELECT oid, nspname FROM pg_namespace
    WHERE nspname NOT IN ('pg_catalog', 'information_schema', 'lockkeeper') AND nspname !~ '^pg_(toast|temp)'),
of_extension AS MATERIALIZED (
    SELECT classid, objid, refobjid AS extension FROM pg_depend WHERE deptype = 'e' AND refclassid = 'pg_extension'::regclass),
rel AS MATERIALIZED (
    SELECT c.oid, c.oid::regclass::text AS name, c.relname, c.relkind, c.relowner, c.relacl, c.relpersistence, c.reloptions, c.relam,
           c.relispartition, c.relpartbound, c.relrowsecurity, c.relforcerowsecurity, c.relreplident, c.relispopulated, c.reltablespace
    FROM pg_class c JOIN own_schema s ON s.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S', 'i', 'I')
      AND NOT EXISTS (SELECT FROM of_extension e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid)
      -- An index has no entry of its own there: it is its table's.
      AND NOT EXISTS (SELECT FROM pg_index x JOIN of_extension e ON e.classid = 'pg_class'::regclass AND e.objid = x.indrelid
                      WHERE x.indexrelid = c.oid)),
-- How a sequence counts, as far as it is not what the server would choose.
counting AS (
    SELECT q.seqrelid AS oid, concat_ws(' ',
               CASE WHEN q.seqincrement <> 1 THEN 'INCREMENT BY ' || q.seqincrement END,
               CASE WHEN q.seqmin <> CASE WHEN q.seqincrement > 0 THEN 1 ELSE b.least END THEN 'MINVALUE ' || q.seqmin END,
               CASE WHEN q.seqmax <> CASE WHEN q.seqincrement > 0 THEN b.most ELSE -1 END THEN 'MAXVALUE ' || q.seqmax END,
               CASE WHEN q.seqstart <> CASE WHEN q.seqincrement > 0 THEN q.seqmin ELSE q.seqmax END THEN 'START WITH ' || q.seqstart END,
               CASE WHEN q.seqcache <> 1 THEN 'CACHE ' || q.seqcache END,
               CASE WHEN q.seqcycle THEN 'CYCLE' END) AS words,
           q.seqtypid
    FROM pg_sequence q
         CROSS JOIN LATERAL (SELECT CASE q.seqtypid WHEN 'int2'::regtype THEN -32768 WHEN 'int4'::regtype THEN -2147483648
                                                    ELSE -9223372036854775808 END AS least,
                                    CASE q.seqtypid WHEN 'int2'::regtype THEN 32767 WHEN 'int4'::regtype THEN 2147483647
                                                    ELSE 9223372036854775807 END AS most) b),
-- The columns that sequences count for: `i` of identity, `a` by OWNED BY.
counted AS (
    SELECT d.objid AS sequence, d.refobjid AS relation, d.refobjsubid AS attnum, d.deptype
    FROM pg_depend d JOIN pg_class c ON c.oid = d.objid AND c.relkind = 'S'
    WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')),
-- NOT NULL as a constraint, which it is since 18.
not_null AS (
    SELECT k.conrelid, k.conkey[1] AS attnum, k.conname, k.convalidated, k.connoinherit,
           -- Then it is not the name that the server would choose.
           EXISTS (SELECT FROM pg_constraint o WHERE o.connamespace = k.connamespace AND o.conname = k.conname AND o.oid <> k.oid) AS shared
    FROM pg_constraint k WHERE k.contype = 'n' AND k.conrelid <> 0)
