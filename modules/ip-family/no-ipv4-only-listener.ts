/** Whether anything on a host can be reached over IPv4 only. */
import { defineProbe, noParams, sh } from "#engine/index.ts";
import { canonicalIp, familyOf, parseIp, scopeOf } from "#engine/net/ip.ts";

export const noIpv4OnlyListener = defineProbe({
  name: "no-ipv4-only-listener",
  summary: "Nothing listens that only IPv4 reaches, but on loopback.",
  example: "use.noIpv4OnlyListener({})",
  params: noParams,

  async check(host) {
    const [v4, v6] = await Promise.all([host.text(sh`ss -H4ltunp`), host.text(sh`ss -H6ltunp`)]);
    const reachable = (printed: string) =>
      parse(printed).filter(({ address }) => !isLoopback(address));
    // ss lists a socket that is bound to ::ffff:192.0.2.1 with those of IPv6.
    const six = reachable(v6);
    const overIpv4 = six.filter(({ address }) => familyOf(bare(address)) === "IPv4");
    const also = new Set(six.filter((one) => !overIpv4.includes(one)).map(({ key }) => key));
    const only = [...reachable(v4), ...overIpv4].filter(({ key }) => !also.has(key));
    return only.length === 0
      ? { holds: true, saw: `all ${also.size} ports that others reach answer IPv6` }
      : {
          holds: false,
          saw: only.map(({ key, address, who }) => `${who} on ${address}, ${key}`).join("; "),
        };
  },
});

// "tcp LISTEN 0 128 127.0.0.1:10248 0.0.0.0:* users:(("kubelet",pid=71,fd=9))"
const parse = (printed: string) =>
  Array.from(
    printed.matchAll(
      /^(\w+)\s+\S+\s+\d+\s+\d+\s+(\S+):(\d+)\s+\S+(?:\s+users:\(\("([^"]+)",pid=(\d+))?/gm,
    ),
    ([, protocol = "", address = "", port = "", name, pid]) => ({
      key: `${protocol} ${port}`,
      address,
      who: name === undefined ? "a program" : `${name} (pid ${pid})`,
    }),
  );

// "[fe80::1]%eth0", "127.0.0.53%lo", "*"
const bare = (address: string) => address.replace(/^\[(.*)\]/, "$1").replace(/%.*$/, "");

function isLoopback(address: string): boolean {
  if (address.endsWith("%lo")) return true;
  const ip = parseIp(canonicalIp(bare(address)));
  return ip !== undefined && scopeOf(ip) === "loopback";
}
