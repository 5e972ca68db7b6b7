#!/bin/sh
exec /usr/lib/handover/node /usr/lib/handover/dist/handover.cjs "$@"
