#!/bin/sh
# Strip the types into dist/, which is what a box runs: the same program takes 35 MB less memory than from its sources,
# because neither of its threads loads a compiler. Done again only when something changed.
set -eu
cd "$(dirname "$0")/.."
stamp=dist/.built
if [ -e "$stamp" ] && [ -z "$(find gateway drivers config package.json tsconfig.json tsconfig.build.json -newer "$stamp" -print -quit)" ]; then exit 0; fi
rm -rf dist
node node_modules/typescript/bin/tsc -p tsconfig.build.json
cp package.json dist/
cp -R config dist/config
touch "$stamp"
