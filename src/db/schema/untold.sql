-- What has no statement here, in the server's words.
SELECT pg_describe_object(o.classid, o.oid, 0)
FROM (SELECT 'pg_proc'::regclass AS classid, p.oid FROM pg_proc p JOIN own_schema s ON s.oid = p.pronamespace WHERE p.prokind = 'a'
      UNION ALL SELECT 'pg_operator'::regclass, o.oid FROM pg_operator o JOIN own_schema s ON s.oid = o.oprnamespace
      UNION ALL SELECT 'pg_opclass'::regclass, o.oid FROM pg_opclass o JOIN own_schema s ON s.oid = o.opcnamespace
      UNION ALL SELECT 'pg_conversion'::regclass, c.oid FROM pg_conversion c JOIN own_schema s ON s.oid = c.connamespace
      UNION ALL SELECT 'pg_ts_config'::regclass, t.oid FROM pg_ts_config t JOIN own_schema s ON s.oid = t.cfgnamespace
      UNION ALL SELECT 'pg_ts_dict'::regclass, t.oid FROM pg_ts_dict t JOIN own_schema s ON s.oid = t.dictnamespace
      UNION ALL SELECT 'pg_type'::regclass, t.oid FROM pg_type t JOIN own_schema s ON s.oid = t.typnamespace
                WHERE t.typtype = 'b' AND (t.typelem = 0 OR t.typlen <> -1)
      UNION ALL SELECT 'pg_cast'::regclass, c.oid FROM pg_cast c WHERE c.oid >= 16384
      UNION ALL SELECT 'pg_language'::regclass, l.oid FROM pg_language l WHERE l.oid >= 16384
      UNION ALL SELECT 'pg_event_trigger'::regclass, g.oid FROM pg_event_trigger g
      UNION ALL SELECT 'pg_subscription'::regclass, u.oid FROM pg_subscription u
                WHERE u.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())) o
WHERE NOT EXISTS (SELECT FROM of_extension e WHERE e.classid = o.classid AND e.objid = o.oid)
  -- The cast of a multirange comes with its type.
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = o.classid AND d.objid = o.oid AND d.deptype = 'i')
ORDER BY 1
