import { type Host, script } from "#engine/index.ts";

const DEVICE = `# flannel-device
for device in flannel-v6.1 flannel.1; do
  [ -e "/sys/class/net/$device/mtu" ] && [ -e /run/flannel/subnet.env ] || continue
  echo "$device $(cat "/sys/class/net/$device/mtu")"
  exit
done`;

/** flannel's device on a host. Its own MTU is right where the one in subnet.env is not: IPv6 takes 20 bytes more. */
export async function flannelDevice(
  host: Host,
): Promise<{ name: string; mtu: number } | undefined> {
  const { stdout } = await host.run(script(DEVICE));
  const [name = "", mtu] = stdout.trim().split(" ");
  return mtu === undefined ? undefined : { name, mtu: Number(mtu) };
}
