/** Whether something listens at an address, as seen from a host. */
import { z } from "zod";
import { defineProbe, script, toMs } from "#engine/index.ts";
import { HostAddr } from "#engine/net/host-addr.ts";
import { ZonedAddress } from "../address.ts";
import { DurationText } from "../params.ts";

// bash is on every Debian and Ubuntu host, and connects by itself: no nc, curl or python is asked for.
const CONNECT = `# port-open
export LC_ALL=C
timeout "$3" bash -c 'exec 3<>"/dev/tcp/$1/$2"' bash "$1" "$2"`;

export const portOpen = defineProbe({
  name: "port-open",
  summary:
    "A TCP connection from the host to an address and port succeeds, or is refused where nobody may listen.",
  example: `use.portOpen({ address: "2001:db8:1::100", port: 6443 })`,
  params: z.strictObject({
    address: ZonedAddress.default("::1").describe(
      "An address without brackets; the host's own loopback unless given.",
    ),
    port: z.int().min(1).max(65535).describe("The TCP port."),
    open: z.boolean().default(true).describe("false: nobody may listen there."),
    timeout: DurationText.default("3s").describe("For one connection."),
  }),

  async check(host, { address, port, open, timeout }) {
    const seconds = toMs(timeout) / 1000;
    const { code, stderr } = await host.run(script(CONNECT, address, port, seconds));
    const at = HostAddr.parse(address).hostPort(port);
    return { holds: (code === 0) === open, saw: `${at} ${answerOf(code, stderr, seconds)}` };
  },
});

function answerOf(code: number, stderr: string, seconds: number): string {
  if (code === 0) return "accepts connections";
  if (code === 124) return `does not answer within ${seconds} s`;
  const reason = /(?:connect|tcp\S*): ([^:\n]+)$/m.exec(stderr)?.[1] ?? "cannot be reached";
  return `says: ${reason}`;
}
