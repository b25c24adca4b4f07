#!/bin/sh
set -e
mkdir "running/$1"
ls running | wc -l >> most
: > "arrived/$1"
tries=0
while [ "$(ls arrived | wc -l)" -lt 3 ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 600 ] || { echo "$1 is alone" >&2; exit 1; }
    sleep 0.1
done
rmdir "running/$1"
