-- Which of the things needs which: pg_depend by the keys of the other queries.
-- What has no statement of its own stands for what it comes with: a row type for its table, an array for its element, an index for its
-- constraint, whatever an extension brought for the extension.
, element AS (
    SELECT t.oid, coalesce(r.rngtypid, CASE WHEN t.typelem <> 0 AND t.typlen = -1 THEN t.typelem ELSE t.oid END) AS of
    FROM pg_type t LEFT JOIN pg_range r ON (to_jsonb(r) ->> 'rngmultitypid')::oid = t.oid),
thing AS MATERIALIZED (
    SELECT e.classid, e.objid, 'extension ' || e.extension AS key FROM of_extension e
    UNION ALL
    SELECT 'pg_class'::regclass, c.oid,
           CASE c.relkind
               WHEN 'c' THEN 'type ' || c.reltype
               WHEN 'S' THEN 'relation ' || coalesce((SELECT i.relation FROM counted i WHERE i.sequence = c.oid AND i.deptype = 'i'), c.oid)
               WHEN 'i' THEN coalesce(constrained.key, 'relation ' || c.oid)
               WHEN 'I' THEN coalesce(constrained.key, 'relation ' || c.oid)
               ELSE 'relation ' || c.oid END
    FROM pg_class c
         LEFT JOIN LATERAL (SELECT 'constraint ' || k.oid AS key FROM pg_index x JOIN pg_constraint k
                              ON k.conindid = x.indexrelid AND k.conrelid = x.indrelid AND k.contype IN ('p', 'u', 'x')
                            WHERE x.indexrelid = c.oid LIMIT 1) constrained ON c.relkind IN ('i', 'I')
    UNION ALL
    SELECT 'pg_type'::regclass, t.oid, CASE WHEN c.relkind <> 'c' THEN 'relation ' || c.oid ELSE 'type ' || b.oid END
    FROM pg_type t JOIN element e ON e.oid = t.oid JOIN pg_type b ON b.oid = e.of LEFT JOIN pg_class c ON c.oid = b.typrelid
    UNION ALL
    SELECT 'pg_attrdef'::regclass, d.oid, CASE WHEN a.attgenerated <> '' THEN 'relation ' || d.adrelid ELSE 'default ' || d.oid END
    FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
    UNION ALL
    SELECT 'pg_constraint'::regclass, k.oid,
           CASE WHEN k.contypid <> 0 AND k.convalidated THEN 'type ' || k.contypid
                WHEN k.contype = 'n' AND k.convalidated THEN 'relation ' || k.conrelid ELSE 'constraint ' || k.oid END
    FROM pg_constraint k
    UNION ALL
    SELECT 'pg_rewrite'::regclass, w.oid, CASE WHEN w.rulename = '_RETURN' THEN 'relation ' || w.ev_class ELSE 'rule ' || w.oid END
    FROM pg_rewrite w
    UNION ALL SELECT 'pg_proc'::regclass, oid, 'function ' || oid FROM pg_proc
    UNION ALL SELECT 'pg_trigger'::regclass, oid, 'trigger ' || oid FROM pg_trigger
    UNION ALL SELECT 'pg_namespace'::regclass, oid, 'schema ' || oid FROM pg_namespace
    UNION ALL SELECT 'pg_extension'::regclass, oid, 'extension ' || oid FROM pg_extension
    UNION ALL SELECT 'pg_collation'::regclass, oid, 'collation ' || oid FROM pg_collation
    UNION ALL SELECT 'pg_policy'::regclass, oid, 'policy ' || oid FROM pg_policy
    UNION ALL SELECT 'pg_statistic_ext'::regclass, oid, 'statistics ' || oid FROM pg_statistic_ext
    UNION ALL SELECT 'pg_foreign_data_wrapper'::regclass, oid, 'wrapper ' || oid FROM pg_foreign_data_wrapper
    UNION ALL SELECT 'pg_foreign_server'::regclass, oid, 'server ' || oid FROM pg_foreign_server)
SELECT DISTINCT t.key, n.key AS needs
FROM pg_depend d
     JOIN thing t ON t.classid = d.classid AND t.objid = d.objid
     JOIN thing n ON n.classid = d.refclassid AND n.objid = d.refobjid
WHERE d.deptype <> 'e' AND t.key <> n.key AND d.objid >= 16384
  -- A sequence is there before the column that owns it; that it is owned is said later.
  AND NOT EXISTS (SELECT FROM counted i WHERE d.classid = 'pg_class'::regclass AND i.sequence = d.objid AND i.relation = d.refobjid)
UNION
SELECT 'owned ' || i.sequence, 'relation ' || oid FROM counted i, LATERAL unnest(ARRAY[i.sequence, i.relation]) oid WHERE i.deptype = 'a'
UNION
SELECT 'numbers ' || i.sequence, 'relation ' || i.relation FROM counted i WHERE i.deptype = 'i'
UNION
SELECT 'attach ' || h.inhrelid, t.key
FROM pg_inherits h JOIN thing t ON t.classid = 'pg_class'::regclass AND t.objid IN (h.inhrelid, h.inhparent)
UNION
SELECT 'attach ' || h.inhrelid, 'constraint ' || k.oid
FROM pg_inherits h JOIN pg_constraint k ON k.conrelid IN (h.inhrelid, h.inhparent) AND k.contype = 'c'
