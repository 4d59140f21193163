#!/bin/sh
# Makes the secrets of compose.yaml, once; what is there stays. Usage: sh infra/compose/prepare.sh PUBLIC_ADDRESS [FOLDER]
# The folder is readable by its owner alone; the files in it are readable by the users of the containers, who see only their own.
set -eu
address=${1:?Usage: prepare.sh PUBLIC_ADDRESS [FOLDER]}
case $address in
*[!0-9.]*)
  echo "prepare.sh: $address is no IPv4 address." >&2
  exit 2
  ;;
esac
folder=${2:-$(dirname "$0")/secrets}
umask 022
mkdir -p "$folder"
chmod 700 "$folder"

secret() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }
# put FILE: what stands on standard input, unless the file is there.
put() {
  if [ -e "$folder/$1" ]; then
    cat >/dev/null
  else
    cat >"$folder/$1"
    echo "made $folder/$1"
  fi
}

secret | put postgres-password
secret | put grafana-password
secret | put turn-secret
printf 'postgres://trunkline:%s@127.0.0.1:5432/trunkline' "$(cat "$folder/postgres-password")" | put database-url
# Your trunks: the list sip.trunks as JSON. Empty, anybody who reaches the port may call.
echo '[]' | put trunks.json
printf '[{"urls":"turn:%s:3478?transport=udp","secret":"%s"}]\n' "$address" "$(cat "$folder/turn-secret")" | put ice-servers.json
put agent.env <<EOF
TRUNKLINE_SIP_ADVERTISED=$address
TRUNKLINE_WEBRTC_ADVERTISED='["$address"]'
EOF
# No address of this machine or of private networks, or a browser could reach what stands behind it.
# An agent behind one-to-one NAT on this machine is reached by its private address: then add allowed-peer-ip=THAT_ADDRESS.
put turnserver.conf <<EOF
listening-port=3478
external-ip=$address
realm=trunkline
use-auth-secret
static-auth-secret=$(cat "$folder/turn-secret")
min-port=49160
max-port=49960
fingerprint
no-cli
no-tls
no-dtls
no-multicast-peers
total-quota=400
stale-nonce=600
log-file=stdout
pidfile=/tmp/turnserver.pid
denied-peer-ip=0.0.0.0-0.255.255.255
denied-peer-ip=10.0.0.0-10.255.255.255
denied-peer-ip=100.64.0.0-100.127.255.255
denied-peer-ip=127.0.0.0-127.255.255.255
denied-peer-ip=169.254.0.0-169.254.255.255
denied-peer-ip=172.16.0.0-172.31.255.255
denied-peer-ip=192.168.0.0-192.168.255.255
denied-peer-ip=::1
denied-peer-ip=fc00::-fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff
EOF
