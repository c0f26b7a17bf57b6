#!/bin/sh
# What the suite needs of the system: PostGIS, Chromium and Pango, from Debian when missing and permitted.
# Where a part cannot be had, says which tests are skipped; LAPWING_FORBID_SKIPS makes that a failure.
set -eu

missing=""
ls /usr/share/postgresql/*/extension/postgis.control >/dev/null 2>&1 || missing="$missing postgresql postgresql-postgis"
command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
for part in libpango-1.0-0:libpango-1.0.so.0 libpangoft2-1.0-0:libpangoft2-1.0.so.0 libharfbuzz-subset0:libharfbuzz-subset.so.0; do
    ls /usr/lib/*/"${part#*:}" >/dev/null 2>&1 || missing="$missing ${part%%:*}"
done
[ -z "$missing" ] && exit 0

as_root=""
if [ "$(id -u)" -ne 0 ]; then
    if command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then as_root="sudo -n"; else as_root="no"; fi
fi
if command -v apt-get >/dev/null 2>&1 && [ "$as_root" != "no" ]; then
    echo "Installing$missing from Debian ..."
    if $as_root apt-get update -qq >/dev/null \
        && DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null; then
        exit 0
    fi
fi
echo "Not installed:$missing. Tests of PostGIS, of the browser and of prints that need them are skipped." >&2
echo "To run them: apt-get install$missing" >&2
[ -z "${LAPWING_FORBID_SKIPS:-}" ]
