#!/bin/sh
# Compile better-sqlite3 with what a card in the basement needs, from the sources that its npm package brings, and
# put it where the package looks before its prebuilt binary (or at the path given as the first argument):
#   HAVE_FDATASYNC=1                  one flush a commit instead of two, less than half of the bytes to the card
#   SQLITE_POWERSAFE_OVERWRITE=0      a sector that was being written when the power went may come back as garbage
#   SQLITE_DEFAULT_WAL_SYNCHRONOUS=2  FULL also where nobody asked for it
# Needs a C++ compiler, make and python3; takes about two minutes. Nothing is downloaded: the headers are those of the
# Node that comes with us.
set -eu
cd "$(dirname "$0")/.."
root=$PWD
case $(uname -m) in x86_64) arch=x64 ;; aarch64) arch=arm64 ;; *) arch=$(uname -m) ;; esac
out=${1:-$root/node_modules/better-sqlite3/build/Release/better_sqlite3.node}
gyp=$(node -p "require('node:path').join(require('node:path').dirname(require('node:fs').realpathSync(process.argv[1])), '../node_modules/node-gyp/bin/node-gyp.js')" "$(command -v npm)")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r node_modules/better-sqlite3 "$work/better-sqlite3"
mkdir -p "$work/node_modules"
cp -r node_modules/node-addon-api "$work/node_modules/"
rm -rf "$work/better-sqlite3/prebuilds"
sed -i "s/'SQLITE_DEFAULT_WAL_SYNCHRONOUS=1'/'SQLITE_DEFAULT_WAL_SYNCHRONOUS=2', 'HAVE_FDATASYNC=1', 'SQLITE_POWERSAFE_OVERWRITE=0'/" \
  "$work/better-sqlite3/deps/defines.gypi"
grep -q SQLITE_POWERSAFE_OVERWRITE=0 "$work/better-sqlite3/deps/defines.gypi"
(cd "$work/better-sqlite3" && node "$gyp" rebuild --release --force_build=1 --nodedir="$root/node_modules/node-linux-$arch" -j "$(nproc)" >"$work/log" 2>&1) ||
  { tail -n 40 "$work/log" >&2; echo 'linli: better-sqlite3 did not compile; its log ends above' >&2; exit 1; }
mkdir -p "$(dirname "$out")"
cp "$work/better-sqlite3/build/Release/better_sqlite3.node" "$out.new"
mv "$out.new" "$out"
echo "linli: built $out"
