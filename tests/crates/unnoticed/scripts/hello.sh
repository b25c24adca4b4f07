#!/bin/sh
cat "$(dirname "$0")/words.txt"
