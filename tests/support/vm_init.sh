#!/bin/busybox sh
# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=dash
# The first process of a guest (vm_image.py packs it): loads the modules, makes the host's root its
# own under a writable layer, and becomes the agent that runs the commands of vm.py.

PATH=/bin:/sbin:/usr/bin:/usr/sbin
export PATH

# A request is a line `NUMBER SCRIPT`, its answer a line `NUMBER STATUS OUTPUT`, script and output
# in base64. The first line says that the guest is up.
agent() {
	exec 3<>"$(echo /dev/vport*p1)"
	echo "0 0 " >&3
	while read -r number script <&3; do
		echo "$script" | base64 -d >/run/agent.script
		sh /run/agent.script </dev/null >/run/agent.output 2>&1 3>&-
		echo "$number $? $(base64 -w 0 </run/agent.output)" >&3
	done
	echo "agent: the host has gone" >&2
	poweroff -f
}

prepare_root() {
	mount -t tmpfs none /upper
	mkdir /upper/data /upper/work
	mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=512000,cache=loose root /lower
	mount -t overlay -o lowerdir=/lower,upperdir=/upper/data,workdir=/upper/work overlay /root
	mount --move /dev /root/dev
	mount -t proc none /root/proc
	mount -t sysfs none /root/sys
	for directory in run tmp dev/shm; do
		mkdir -p "/root/$directory"
		mount -t tmpfs none "/root/$directory"
	done
	cp /init /root/run/agent
}

# Directories that the host's root has on other file systems; the kernel's command line names them.
mount_shares() {
	number=0
	read -r words </proc/cmdline
	for word in $words; do
		case $word in vm.share=*) ;; *) continue ;; esac
		directory=${word#vm.share=}
		mkdir -p "$directory"
		mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=512000,cache=loose \
			"share$number" "$directory"
		number=$((number + 1))
	done
}

if [ "$1" = agent ]; then
	mount_shares
	ip link set lo up
	agent
fi

/bin/busybox --install -s /bin
mount -t devtmpfs none /dev
while read -r module; do
	insmod "/modules/$module" || echo "agent: cannot load $module" >&2
done </modules/order
prepare_root
exec switch_root /root /bin/busybox sh /run/agent agent
