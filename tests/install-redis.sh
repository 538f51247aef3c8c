#!/bin/sh
# The tests run against a real redis-server; this brings one where the package manager can.
command -v redis-server >/dev/null && exit 0
if [ "$(id -u)" = 0 ]; then as_root=""; elif command -v sudo >/dev/null; then as_root="sudo -n"; else as_root="false"; fi
echo "redis-server is not installed; asking the package manager"
if command -v apt-get >/dev/null; then
    $as_root apt-get update -qq && $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq redis-server >/dev/null
elif command -v dnf >/dev/null; then
    $as_root dnf install -y -q redis
elif command -v apk >/dev/null; then
    $as_root apk add -q redis
elif command -v brew >/dev/null; then
    brew install -q redis
fi
command -v redis-server >/dev/null && exit 0
echo "The tests need redis-server, and it could not be installed from here." >&2
echo "Install it yourself (Debian: apt-get install redis-server, Fedora: dnf install redis," >&2
echo "Alpine: apk add redis, macOS: brew install redis) and run this again." >&2
exit 1
