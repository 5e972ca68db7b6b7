#!/bin/sh
# The lab's hand inside the host, on the second serial port. One request a line:
#   NUMBER COMMAND…      run with sh; answered by `NUMBER|output line` for each line and `NUMBER!STATUS` at the end.
stty raw -echo -F /dev/ttyS1
until [ -e /run/lab-ready ]; do usleep 50000; done
echo "lab ready"
cd /root
while IFS= read -r line; do
  number=${line%% *}
  command=${line#* }
  { sh -c "$command" 2>&1 </dev/null; echo $? >"/run/lab-status.$number"; } | sed "s/^/$number|/"
  echo "$number!$(cat "/run/lab-status.$number")"
  rm -f "/run/lab-status.$number"
done
