#!/bin/sh
# A complete DAG on a generated data set in a minute: first a dry run, then every stage, then nothing to do.
# Usage: tiny.sh FOLDER_OF_PROGRAMS [FOLDER_FOR_THE_RESULTS]
set -eu
bin=${1:-.venv/bin}
work=${2:-$(mktemp -d)}
"$bin/python" tests/workflow/make_tiny.py "$work"
run() {
  "$bin/snakemake" all --cores 2 --quiet rules --configfile "$work/tiny.yaml" "$@"
}
run --dry-run
run
run --dry-run | grep -q "Nothing to be done" || { echo "a second run would not be empty" >&2; exit 1; }
if grep -rlF "$work" "$work/results" "$work/data" --exclude-dir=logs; then
  echo "these files name a folder of this machine" >&2
  exit 1
fi
"$bin/python" -m elcrec table headline --config "$work/tiny.yaml"
echo "tiny DAG: ok ($work)"
