#!/usr/bin/env bash
# Judges what has changed since SINCE, and tells GitHub: annotations in the log, the summary, the outputs, the comment, the labels. Ends with
# the exit code of `lockkeeper lint`.
set -euo pipefail

here=$PWD
cd -- "$WORKING_DIRECTORY"
out=${RUNNER_TEMP:?}/lockkeeper
mkdir -p "$out"

lint=(lint --format github --output "json=$out/report.json" --output "markdown=$out/comment.md")
tell=(github --report "$out/report.json" --comment "$out/comment.md")

case "$SINCE" in
  '' | *[!0]*) ;;
  # A branch that is new has nothing before it.
  *) SINCE= ;;
esac
if [ -n "$SINCE" ]; then
  # actions/checkout brings one commit, and what has changed is seen from where the branches part. Of the past no texts are needed.
  if [ "$(git rev-parse --is-shallow-repository)" = true ]; then
    git fetch --quiet --no-tags --filter=blob:none --unshallow origin "$(git rev-parse HEAD)" "$SINCE" ||
      echo "::notice title=lockkeeper::the history could not be fetched; with 'fetch-depth: 0' actions/checkout brings it"
  fi
  lint+=("--since=$SINCE")
fi
[ -z "$CONFIG" ] || lint+=("--config=$CONFIG")
[ -z "$POSTGRES" ] || lint+=("--postgres=$POSTGRES")
[ -z "$FAIL_ON" ] || lint+=("--fail-on=$FAIL_ON")
if [ "$UPLOAD_SARIF" = true ] && [ -z "$SARIF" ]; then SARIF=$out/lockkeeper.sarif; fi
if [ -n "$SARIF" ]; then
  lint+=(--output "sarif=$SARIF")
  case "$SARIF" in
    /*) echo "sarif=$SARIF" ;;
    *) echo "sarif=$PWD/$SARIF" ;;
  esac >>"$GITHUB_OUTPUT"
fi
if [ "$LABELS" = true ]; then
  lint+=(--output "github-labels=$out/labels.txt")
  tell+=(--labels "$out/labels.txt")
fi
if [ "$SUGGESTIONS" = true ]; then
  lint+=(--output "github-review=$out/review.json")
  tell+=(--suggestions "$out/review.json")
fi
[ "$COMMENT" = true ] || tell+=(--no-comment)

named=()
while IFS= read -r path; do [ -z "$path" ] || named+=("$path"); done <<<"$PATHS"

# The token is for the second one alone.
code=0
env -u GITHUB_TOKEN lockkeeper "${lint[@]}" -- ${named[@]+"${named[@]}"} || code=$?
if [ -f "$out/report.json" ]; then
  (cd -- "$here" && lockkeeper "${tell[@]}")
fi
exit "$code"
