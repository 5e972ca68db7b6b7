# Measures one virtio disk, says so on the console, and is done.
load bench
sh /ask/measure.sh
poweroff -f
