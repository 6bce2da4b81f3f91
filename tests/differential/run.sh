#!/usr/bin/env bash
# Compares how lockkeeper cuts and reads SQL with PostgreSQL's own grammar (pglast, which carries it).
#
#   tests/differential/run.sh                  over PostgreSQL 15's regression tests, fetched as a Debian source package
#   tests/differential/run.sh FILE|FOLDER...   over your own SQL instead
#
# Everything that is fetched goes to $LOCKKEEPER_CACHE, else ~/.cache/lockkeeper; the system is not changed.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${LOCKKEEPER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/lockkeeper}/differential
pglast=8.7 # PostgreSQL 18's grammar

fetch_oracle() {
    "$cache/venv/bin/python" -c "import pglast, sys; sys.exit(pglast.__version__ != 'v$pglast')" 2>/dev/null && return
    python3 -m venv "$cache/venv"
    "$cache/venv/bin/pip" install --quiet "pglast==$pglast"
}

# apt with its own lists: the places that offer postgresql-15 as a package are asked for its source.
fetch_regression_tests() {
    [ -d "$cache/regress" ] && return
    local apt="$cache/apt"
    mkdir -p "$apt/state/lists/partial" "$apt/cache/archives/partial" "$apt/parts"
    apt-cache madison postgresql-15 | awk -F'|' '{ split($3, w, " "); split(w[2], s, "/"); print "deb-src", w[1], s[1], s[2] }' | sort -u >"$apt/sources.list"
    local options=(-o "Dir::Etc::sourcelist=$apt/sources.list" -o "Dir::Etc::sourceparts=$apt/parts" -o "Dir::State=$apt/state" -o "Dir::Cache=$apt/cache" -o APT::Sandbox::User=)
    apt-get -qq "${options[@]}" update
    # A mirror may list a version that it no longer holds, so the older ones are tried, too.
    local version
    for version in $(apt-cache "${options[@]}" showsrc postgresql-15 | awk '$1 == "Version:" { print $2 }' | sort --reverse --version-sort --unique); do
        (cd "$apt" && apt-get -qq "${options[@]}" source --download-only --tar-only "postgresql-15=$version") && break
    done
    mkdir -p "$cache/unpacked"
    tar --extract --file "$(ls "$apt"/postgresql-15_*.orig.tar.* | tail -n 1)" --directory "$cache/unpacked" --strip-components 1 --wildcards '*/src/test/regress/sql/*.sql'
    mv "$cache/unpacked/src/test/regress/sql" "$cache/regress"
}

mkdir -p "$cache"
fetch_oracle
if [ $# -eq 0 ]; then
    fetch_regression_tests
    set -- "$cache/regress"
fi
find "$@" -name '*.sql' -type f | sort >"$cache/files"
tr '\n' '\0' <"$cache/files" | (cd "$here/../.." && xargs -0 cargo run --quiet --example recognise --) >"$cache/ours.jsonl"
"$cache/venv/bin/python" "$here/oracle.py" "$cache/ours.jsonl"
