# The firewall: address from the internet on WAN; address, DHCP and translation for the house on LAN.
# Ports are told apart by the order of their slots, as the VM description gives them: WAN first.
load firewall
set -- $(for net in /sys/class/net/*; do [ -e "$net/device/driver" ] && echo "$(readlink -f "$net/device") ${net##*/}"; done | sort | sed 's/.* //')
wan=$1 lan=$2
echo "guest: wan=$wan lan=$lan at $(up)"
ip link set lo up
ip addr add 192.168.77.1/24 dev "$lan"
ip link set "$lan" up
ip link set "$wan" up
echo 1 >/proc/sys/net/ipv4/ip_forward
nft -f /etc/firewall.nft
touch /run/udhcpd.leases
sed "s/@LAN@/$lan/" /etc/udhcpd.conf >/run/udhcpd.conf
udhcpd -S /run/udhcpd.conf
udhcpc -q -S -i "$wan" -s /etc/udhcpc.sh -t 20 -T 1 -n >/run/udhcpc.log 2>&1 && echo "lease wan $(cat "/run/lease.$wan")" >>/run/facts
mkdir -p /www && echo "firewall is up" >/www/index.html && httpd -p 192.168.77.1:80 -h /www
