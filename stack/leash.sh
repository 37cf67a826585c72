#!/bin/sh
# Kills every process group it was told about as soon as its standard input ends, which is when its owner is gone, however it went.
# Input: "+ PGID" for a started child, "- PGID" for one that ended. It ignores signals meant for its owner.
trap '' HUP INT TERM
groups=' '
while read -r sign group; do
  case $sign in
    +) groups="$groups$group " ;;
    -) rest=${groups#* "$group" }; [ "$rest" = "$groups" ] || groups="${groups%%" $group "*} $rest" ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done
