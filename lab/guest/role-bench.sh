# Only measures: one virtio disk.
load bench
