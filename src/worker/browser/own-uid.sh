#!/bin/sh
# Runs $MOLAR_BROWSER with its arguments under an unprivileged uid, and then removes, as that uid, what it left in its
# two folders: to remove a stranger's files as root, a link at the right moment would do to remove others.
cd / # the worker's folder may be one that others reach by this way alone
if [ -z "$MOLAR_WATCHED" ]; then
  export MOLAR_WATCHED=1
  exec setpriv --pdeathsig=TERM /bin/sh "$0" "$@" # told when its worker dies
fi
as="setpriv --reuid=$MOLAR_UID --regid=$MOLAR_UID --clear-groups --"
browser=$MOLAR_BROWSER folder=${HOME%/*} orphan=
unset MOLAR_WATCHED MOLAR_UID MOLAR_BROWSER
trap 'orphan=1' TERM
# Its worker's pipes are left to the browser alone: so each learns at once when the other is gone.
$as "$browser" "$@" --user-data-dir="$HOME/profile" 3<&3 4>&4 &
child=$!
exec 3<&- 4>&-
wait $child
status=$?
if [ -n "$orphan" ]; then
  { sleep 3; kill -9 0; } & # this script, too, should it hang
  while kill -0 $child 2>/dev/null; do wait $child; done # each thread of the worker that dies wakes it
  kill $!
  sleep 1 # its last processes end
  rm -rf "$folder/artifacts" # the worker's own
fi
$as rm -rf "$folder/home" "$folder/downloads" 2>/dev/null # what is in them: the folder above is root's
rmdir "$folder/home" "$folder/downloads" "$folder" 2>/dev/null
exit $status
