#!/bin/sh
# Runs $MOLAR_BROWSER with its arguments under an unprivileged uid, and then removes, as that uid, what it left in its
# two folders: to remove a stranger's files as root, a link at the right moment would do to remove others.
as="setpriv --reuid=$MOLAR_UID --regid=$MOLAR_UID --clear-groups --"
browser=$MOLAR_BROWSER downloads=$MOLAR_DOWNLOADS
unset MOLAR_UID MOLAR_BROWSER MOLAR_DOWNLOADS
# Its worker's pipes are left to the browser alone: so each learns at once when the other is gone.
$as "$browser" "$@" --user-data-dir="$HOME/profile" 3<&3 4>&4 &
exec 3<&- 4>&-
wait $!
status=$?
cd /
$as rm -rf "$HOME" "$downloads" 2>/dev/null # what is in them: the folder above is root's
rmdir "$HOME" "$downloads" "${HOME%/*}" 2>/dev/null
exit $status
