# Sourced by scripts/run, scripts/test and .ci/run: makes .venv in the repository with the pinned packages of
# deploy/constraints.txt, and puts it on PATH. Does nothing when nothing has changed since the last time.
# Leaves the shell in the repository's root.

cd -P "$(dirname "${BASH_SOURCE[0]}")/.."
mkdir -p .cache

say() { echo "seawall: $*" >&2; }
fail() { say "$*"; exit 1; }

setup_log=.cache/setup.log
setup_stamp=.venv/seawall.stamp
needs="Seawall runs on x86-64 Linux with glibc 2.35 or later"

check_machine() {
  [[ "$(uname -s)" == Linux && "$(uname -m)" == x86_64 ]] || fail "$needs; this is $(uname -s) on $(uname -m)."
  local libc version
  libc=$(getconf GNU_LIBC_VERSION 2>/dev/null) || fail "$needs; this one has another C library. Use the container images."
  version=${libc#glibc }
  (( ${version%%.*} > 2 || ${version#*.} >= 35 )) || fail "$needs; this one has $version. Use the container images."
}

supported() { # python $1
  "$1" -c 'import sys; sys.exit((3, 11) > sys.version_info[:2] or sys.version_info[:2] > (3, 12))' 2>/dev/null
}

find_python() { # sets $python
  for python in python3.12 python3.11 python3; do
    if supported "$python"; then return; fi
  done
  fail "Python 3.11 or 3.12 is needed, and none of python3.12, python3.11 and python3 on PATH is one. Install one and try again."
}

# Everything that decides what is in .venv. The path is part of it because a virtual environment cannot be moved.
fingerprint() {
  { pwd; .venv/bin/python -V; cat pyproject.toml protos/pyproject.toml deploy/constraints.txt scripts/setup.sh; } 2>/dev/null | sha256sum
}

up_to_date() {
  [[ -x .venv/bin/python && -f $setup_stamp && "$(<$setup_stamp)" == "$(fingerprint)" ]]
}

step() { # description $1, then the command; its output goes to the log
  local what=$1
  shift
  say "$what"
  if ! "$@" >>$setup_log 2>&1; then
    if grep -qiE 'no space left|errno 28' $setup_log; then
      fail "the disk is full: free about 3 GB and try again."
    elif grep -qiE 'ensurepip is not available|No module named (venv|ensurepip)' $setup_log; then
      fail "$python has no venv module: install it (on Debian and Ubuntu: apt install $python-venv) and try again."
    elif grep -qiE 'name resolution|NewConnectionError|connection (refused|reset|aborted|broken)|timed out|unreachable' $setup_log; then
      fail "the package index cannot be reached: check the network (or PIP_INDEX_URL) and try again."
    fi
    fail "$what failed: $(grep -iE 'error' $setup_log | tail -n 1 || tail -n 1 $setup_log) (whole log: $setup_log)"
  fi
}

setup() {
  check_machine
  : >$setup_log || fail "$PWD/$setup_log cannot be written."
  if ! supported .venv/bin/python || ! grep -qF " $PWD/.venv" .venv/pyvenv.cfg; then
    local python
    find_python
    step "making .venv with $("$python" -V)" "$python" -m venv --clear .venv
  fi
  local pip=(.venv/bin/python -m pip install --disable-pip-version-check --no-input --retries 3 --progress-bar off)
  step "installing pinned packages (about 1.2 GB; some minutes the first time)" \
    "${pip[@]}" -c deploy/constraints.txt -e protos -e '.[local,dev,bench]'
  step "installing the Triton server" \
    "${pip[@]}" --no-deps "$(grep '^nvidia-pytriton==' deploy/constraints.txt)"
  fingerprint >$setup_stamp
}

if ! up_to_date; then
  # One set-up at a time: a second one waits, and then finds the work done.
  exec 9>.cache/setup.lock
  flock 9 2>/dev/null || true
  up_to_date || setup
  exec 9>&-
fi
PATH="$PWD/.venv/bin:$PATH"
