#!/usr/bin/env bash
# Lets each migration tool that is installed run its fixture on a throw-away PostgreSQL, and holds what lockkeeper says of the files against
# what the server saw: the order, and which statements share a transaction. A tool that is not installed is named and counted.
#
#   tests/tools/run.sh                  all tools
#   tests/tools/run.sh sqlx dbmate      only these
#   tests/tools/run.sh --measure        no lockkeeper: tells what the tools do
#   tests/tools/run.sh --record         also writes that into fixtures/tools/measured.json
#
# Programs are looked for in PATH and in LOCKKEEPER_TOOLS (folders, with colons between); packages of Node.js in the node_modules beside
# them. fixtures/tools/README.md says how each tool is installed. Needs Python 3.9 and what `cargo build` needs.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
if [ -z "${LOCKKEEPER:-}" ] && [[ " $* " != *" --measure "* ]]; then
  (cd "$root" && cargo build -q --bin lockkeeper)
  LOCKKEEPER=${CARGO_TARGET_DIR:-$root/target}/debug/lockkeeper
fi
export LOCKKEEPER=${LOCKKEEPER:-} PYTHONDONTWRITEBYTECODE=1
exec python3 "$here/run.py" "$@"
