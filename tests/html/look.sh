#!/usr/bin/env bash
# Takes pictures of the HTML page, for somebody to look at: as on a desk and on a phone, light and dark, and as it is printed.
#   tests/html/look.sh [OUT [LOCKKEEPER-ARGUMENTS...]]
# Without arguments it is the page of fixtures/projects/shop. Needs chromium; pdftoppm makes pictures of the printed pages.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
out=$(mkdir -p "${1:-$root/target/html}" && cd "${1:-$root/target/html}" && pwd)
shift || true
chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || { echo "no chromium here"; exit 2; }
lockkeeper=${LOCKKEEPER:-$root/target/debug/lockkeeper}
if [ $# -eq 0 ]; then
  cd "$root/fixtures/projects/shop"
  set -- lint --fail-on never
fi
"$lockkeeper" "$@" --format html > "$out/page.html" || [ -s "$out/page.html" ]

profile=$(mktemp -d)
trap 'rm -rf "$profile"' EXIT
browser() {
  "$chromium" --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$profile" "$@" "file://$out/page.html" 2> "$out/chromium.log"
}
height=${HEIGHT:-3000}
browser --window-size=1280,"$height" --screenshot="$out/desk-light.png"
browser --window-size=1280,"$height" --force-dark-mode --blink-settings=preferredColorScheme=0 --screenshot="$out/desk-dark.png"
# A headless window is never narrower than 500 px; a frame is.
cat > "$out/phone.html" <<'PHONE'
<!DOCTYPE html><meta charset="utf-8"><title>360 px</title><style>body{margin:0}iframe{border:0;width:360px;height:100vh}</style><iframe src="page.html"></iframe>
PHONE
phone() {
  "$chromium" --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$profile" --window-size=500,"$height" "$@" "file://$out/phone.html" 2>> "$out/chromium.log"
}
phone --screenshot="$out/phone-light.png"
phone --blink-settings=preferredColorScheme=0 --screenshot="$out/phone-dark.png"
browser --no-pdf-header-footer --print-to-pdf="$out/print.pdf"
command -v pdftoppm > /dev/null && pdftoppm -r 60 -png "$out/print.pdf" "$out/print"
ls -l "$out"
