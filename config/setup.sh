#!/bin/sh
# Install what package-lock.json names, once, and again when the lock changes. Only the npm registry is asked:
# no install script runs but epoll's (onoff), which is compiled against the headers of the Node that comes with
# us; where there is no compiler that one is left out, and sysfs GPIO with it.
set -eu
cd "$(dirname "$0")/.."
if cmp -s package-lock.json node_modules/.linli-installed; then exit 0; fi
echo 'linli: installing packages from the npm registry (once) ...' >&2
npm install --no-save --ignore-scripts --no-audit --no-fund --loglevel=error >&2
arch=$(uname -m)
case $arch in x86_64) arch=x64 ;; aarch64) arch=arm64 ;; esac
if [ ! -x "node_modules/node-linux-$arch/bin/node" ]; then
  echo "linli: Node 24 for $(uname -s) on $arch is not among the packages: x86_64 and arm64 Linux are" >&2
  exit 1
fi
# Not every npm links a program called node; without the link scripts would run on the system's Node.
mkdir -p node_modules/.bin
ln -sf "../node-linux-$arch/bin/node" node_modules/.bin/node
npm_config_nodedir="$PWD/node_modules/node-linux-$arch" npm rebuild epoll --loglevel=error >/dev/null 2>&1 ||
  echo 'linli: epoll was not compiled (no C++ compiler?): GPIO through sysfs will not be there, the rest is whole' >&2
cp package-lock.json node_modules/.linli-installed
