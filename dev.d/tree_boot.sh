#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Boots the systemd of a tree as the first process there. Called by package_check.py as root, in mount, PID,
# cgroup, network, IPC and host name namespaces of its own: all of it ends with the first process. The kernel
# is the host's, so that its settings (/proc/sys, /sys) can only be read in there, and the devices are few.
#   tree_boot.sh TREE

set -eu
tree=$1

mount --bind "$tree" "$tree"
cd "$tree"
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -o remount,bind,ro sys
mount -t tmpfs -o mode=0755 tmpfs dev
mount -t tmpfs -o mode=0755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mkdir dev/net dev/pts dev/shm
for device in null zero full random urandom tty net/tun; do
	: >"dev/$device"
	mount --bind "/dev/$device" "dev/$device"
done
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts dev/pts
ln -s pts/ptmx dev/ptmx
mount -t tmpfs -o mode=1777 tmpfs dev/shm
mkdir run/host
pivot_root . run/host
cd /
umount -l /run/host
rmdir /run/host
mount --make-rshared / # as systemd does on a real machine: services see mounts that are made after their start
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --log-target=console
