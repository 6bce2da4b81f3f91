#!/usr/bin/env bash
# Puts `lockkeeper` on the PATH of the steps to come: the release VERSION of REPOSITORY, whose archive has to have its checksum, or a build of
# the files at ACTION_PATH.
set -euo pipefail

bin=${RUNNER_TEMP:?}/lockkeeper-bin
mkdir -p "$bin"

build() {
  echo "building lockkeeper from source"
  cargo build --release --locked --no-default-features --features github --manifest-path "$ACTION_PATH/Cargo.toml" --target-dir "$bin/target"
  cp "$bin/target/release/lockkeeper" "$bin/"
}

target() {
  case "$(uname -s)-$(uname -m)" in
    Linux-x86_64) echo x86_64-unknown-linux-gnu ;;
    Linux-aarch64) echo aarch64-unknown-linux-gnu ;;
    Darwin-arm64) echo aarch64-apple-darwin ;;
    Darwin-x86_64) echo x86_64-apple-darwin ;;
    *) return 1 ;;
  esac
}

checksum() {
  if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d ' ' -f 1
}

# 0: it is there; 1: there is no such release; anything else ends the run.
download() {
  local status
  status=$(curl --silent --show-error --location --retry 3 --output "$2" --write-out '%{http_code}' "$1")
  case "$status" in
    200) return 0 ;;
    404) return 1 ;;
    *) echo "::error title=lockkeeper::$1 answers $status" && exit 1 ;;
  esac
}

release() {
  local name url archive published wanted
  name=lockkeeper-$VERSION-$(target) || return 1
  url=${GITHUB_SERVER_URL:-https://github.com}/$REPOSITORY/releases/download/$VERSION/$name.tar.gz
  archive=$bin/lockkeeper.tar.gz
  download "$url" "$archive" || return 1
  wanted=${SHA256:-}
  if [ -z "$wanted" ]; then
    published=$bin/lockkeeper.sha256
    download "$url.sha256" "$published" || { echo "::error title=lockkeeper::no checksum is published beside $url" && exit 1; }
    wanted=$(cut -d ' ' -f 1 "$published")
  fi
  if [ "$(checksum "$archive")" != "$wanted" ]; then
    echo "::error title=lockkeeper::the archive of $VERSION does not have the checksum $wanted, and is not run"
    exit 1
  fi
  tar -xzf "$archive" -C "$bin" lockkeeper
}

if [ "$VERSION" = source ]; then
  build
elif ! [[ $VERSION =~ ^v[0-9A-Za-z.+-]+$ ]]; then
  echo "::error title=lockkeeper::the version of a release is written v0.1.0; 'source' builds it"
  exit 1
elif ! release; then
  echo "::notice title=lockkeeper::there is no archive of $VERSION for this machine; building it instead, which takes some minutes"
  build
fi
echo "$bin" >>"$GITHUB_PATH"
"$bin/lockkeeper" --version
