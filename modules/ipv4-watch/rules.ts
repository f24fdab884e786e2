import { counter, table } from "./read-packets.ts";

// A bridge without an IPv4 address still tells the kernel's multicast groups on itself, from 0.0.0.0: no use of IPv4.
export const rules = `table ip ${table}
delete table ip ${table}
table ip ${table} {
  counter ${counter} { }
  chain arriving {
    type filter hook prerouting priority raw; policy accept;
    ip saddr 0.0.0.0 ip protocol igmp accept
    iifname != "lo" counter name ${counter}
  }
  chain leaving {
    type filter hook output priority raw; policy accept;
    ip saddr 0.0.0.0 ip protocol igmp accept
    oifname != "lo" counter name ${counter}
  }
}
`;

/** Counts from before the network is up; nftables.service may flush every table, so it comes first. */
export const unitFile = (rulesPath: string): string => `[Unit]
Description=Count IPv4 packets
DefaultDependencies=no
After=local-fs.target nftables.service
Before=network-pre.target shutdown.target
Wants=network-pre.target
Conflicts=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/nft -f ${rulesPath}
ExecStop=/usr/sbin/nft delete table ip ${table}

[Install]
WantedBy=sysinit.target
`;
