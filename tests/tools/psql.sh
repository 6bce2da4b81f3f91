#!/bin/sh
# What many a project has instead of a tool: psql, file by file. It keeps no account of what has run.
for file in "$1"/*.sql; do
  psql -X -q -v ON_ERROR_STOP=1 -f "$file" || exit 1
done
