#!/bin/sh
# Written by handover. To undo: handover rollback.
# Sourced before udev loads the drivers of devices; the udev rule catches those that appear later.
[ -x /etc/handover/bind ] && /etc/handover/bind
