#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Makes a tree the root and runs a command in it. Called by trees.py as root, in mount and PID
# namespaces of its own: the mounts end with the last process in there, whichever way that ends.
#   tree_enter.sh TREE DIRECTORY COMMAND [ARGUMENT...]

set -eu
tree=$1 directory=$2
shift 2

# A root that is a mount, unlike chroot's, lets unprivileged processes make namespaces (podman).
mount --bind "$tree" "$tree"
cd "$tree"
mount --rbind /dev dev
mount --rbind /sys sys
mount -t proc proc proc
mount -t tmpfs -o mode=0755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mkdir -p run/host
pivot_root . run/host
cd /
umount -l /run/host
rmdir /run/host
cd "$directory"
exec "$@"
