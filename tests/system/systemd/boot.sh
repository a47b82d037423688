#!/bin/bash
# Boots the machine's own systemd in namespaces of its own, on a copy of the root file system that lives in memory,
# with nothing in it but the journal and the hub, installed as systemd/README.md says. Nothing of it outlives the
# process but the empty control group linli-systemd-test-PID. The network is the machine's, so that the hub can be reached.
#
#   boot.sh FOLDER   holds hub.yaml, secrets/ and drop-in.conf; needs root
set -euo pipefail
folder=$(realpath "$1")
repository=$(realpath "$(dirname "$0")/../../..")

if [ "${2:-}" != inside ]; then
  group=/sys/fs/cgroup/unified
  [ -d "$group" ] || group=/sys/fs/cgroup
  mkdir "$group/linli-systemd-test-$$"
  echo $$ > "$group/linli-systemd-test-$$/cgroup.procs"
  exec unshare --mount --pid --fork --kill-child --uts --ipc --cgroup --propagation private "$0" "$folder" inside
fi

mount -t tmpfs tmpfs "$folder/tree"
mkdir "$folder/tree/upper" "$folder/tree/work" "$folder/tree/root"
root="$folder/tree/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/tree/upper,workdir=$folder/tree/work" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 none "$root/sys/fs/cgroup"
for place in run tmp var/lib; do mount -t tmpfs -o mode=755 tmpfs "$root/$place"; done
chmod 1777 "$root/tmp"

# A /dev of its own: the usual ones, and of serial ports one that no hardware stands behind.
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0; do
  IFS=: read -r name major minor <<< "$device"
  mknod -m 666 "$root/dev/$name" c "$major" "$minor"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
mount -t tmpfs tmpfs "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"

# The steps of systemd/README.md.
mkdir -p "$root/opt/linli-hub"
mount --rbind "$repository" "$root/opt/linli-hub"
rm -rf "$root"/etc/systemd/system/*.wants "$root/etc/systemd/system/default.target"
install -D -m 644 "$repository/systemd/linli-hub.service" "$root/etc/systemd/system/linli-hub.service"
install -D -m 644 "$repository/systemd/linli-hub.sysusers.conf" "$root/usr/lib/sysusers.d/linli-hub.conf"
install -D -m 644 "$repository/systemd/linli-hub.tmpfiles.conf" "$root/usr/lib/tmpfiles.d/linli-hub.conf"
chroot "$root" systemd-sysusers linli-hub.conf
chroot "$root" systemd-tmpfiles --create linli-hub.conf
install -m 644 "$folder/hub.yaml" "$root/etc/linli-hub/hub.yaml"
for secret in "$folder"/secrets/*; do install -m 600 "$secret" "$root/etc/linli-hub/secrets/"; done
install -D -m 644 "$folder/drop-in.conf" "$root/etc/systemd/system/linli-hub.service.d/test.conf"
cat > "$root/etc/systemd/system/test.target" <<UNIT
[Unit]
DefaultDependencies=no
Wants=systemd-journald.service linli-hub.service
UNIT

mkdir -p "$root/put"
cd "$root"
pivot_root . put
umount -l put
# As systemd itself does on a machine: what a service's credentials are mounted on is seen by it, too.
mount --make-rshared /
exec env -i container=linli-test PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --unit=test.target --log-target=journal
