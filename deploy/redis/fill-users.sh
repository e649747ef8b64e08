#!/bin/sh
# Writes the ACL file that Redis reads: in the template $1 each #REDIS_<USER>_PASSWORD becomes the SHA-256 of the
# variable of that name. A template that is not filled is refused by Redis, for no placeholder is a hash.
set -eu

program=
for name in $(grep -o 'REDIS_[A-Z]*_PASSWORD' "$1" | sort -u); do
  eval "password=\${$name:-}"
  if [ -z "$password" ]; then
    echo "$name is not set" >&2
    exit 1
  fi
  hash=$(printf %s "$password" | sha256sum)
  program="$program;s/#$name/#${hash%% *}/"
done
sed "$program" "$1"
