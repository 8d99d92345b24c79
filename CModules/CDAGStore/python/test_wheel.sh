#!/usr/bin/env bash
# Builds the wheel, installs it into a fresh virtual environment, and reads a block with it.
#
#     test_wheel.sh [LIBRARY]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

listing() { find "$here" -type f | sort | xargs sha256sum; }
listing >"$work/before"
wheel=$("$here/build_wheel.sh" "$work/wheels" "$@" | tail -1)
listing >"$work/after"
diff "$work/before" "$work/after" || { echo "test_wheel.sh: the build changed the source tree" >&2; exit 1; }

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check --no-index "$work/wheels/$wheel"
cd "$work"
env -u DAGSTORE_LIBRARY -u PYTHONPATH -u LD_LIBRARY_PATH "$work/venv/bin/python" "$here/tests/smoke.py" "$work/store"
echo "wheel: $wheel, $(stat -c %s "$work/wheels/$wheel") bytes"
