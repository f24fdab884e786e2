/** Whether anything on a host can be reached over IPv4 only. */
import { defineProbe, noParams, sh } from "#engine/index.ts";

export const noIpv4OnlyListener = defineProbe({
  name: "no-ipv4-only-listener",
  summary: "Nothing listens that only IPv4 reaches, but on loopback.",
  example: "use.noIpv4OnlyListener({})",
  params: noParams,

  async check(host) {
    const [v4, v6] = await Promise.all([host.text(sh`ss -H4ltunp`), host.text(sh`ss -H6ltunp`)]);
    const reachable = (printed: string) =>
      parse(printed).filter(({ address }) => !isLoopback(address));
    const also = new Set(reachable(v6).map(({ key }) => key));
    const only = reachable(v4).filter(({ key }) => !also.has(key));
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

const isLoopback = (address: string) =>
  address === "[::1]" || address.startsWith("127.") || address.endsWith("%lo");
