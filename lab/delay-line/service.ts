import { nodeProgram } from "../node-program.ts";
import { addressPlan } from "../plan/address-plan.ts";
import { machineNames } from "../plan/names.ts";
import type { LabService } from "../service.ts";
import type { Ailment } from "./delay-queue.ts";

/** A delay line of a lab: what it is called, and the two cards that it joins. */
export interface LineSettings {
  readonly service: string;
  readonly port: number;
  readonly cards: readonly [near: string, far: string];
  readonly ailment: Ailment;
}

// Opening a card takes an ioctl, which Node has no call for and Debian's essential perl has. The cards belong to the
// lab's namespace and vanish with the program; the program itself answers at the machine's address, like every service.
const OPEN_CARDS = `
$^F = 255;
for my $name (splice @ARGV, 0, 2) {
  open(my $card, "+<", "/dev/net/tun") or die "/dev/net/tun: $!\\n";
  my $request = pack("a16 S x22", $name, 0x0002 | 0x1000);  # IFF_TAP, IFF_NO_PI
  # TUNSETIFF. A line that ended just now may take a moment to let go of the card.
  for (my $tries = 100; !ioctl($card, 0x400454ca, $request); $tries--) {
    die "$name: $!\\n" unless $!{EBUSY} && $tries;
    select(undef, undef, undef, 0.05);
  }
  push @cards, $card;
}
exec(@ARGV, map { ("--card", fileno($_)) } @cards) or die "$ARGV[0]: $!\\n";`;
const INSIDE = `
namespace=$1 open=$2 near=$3 far=$4; shift 4
exec 9</proc/self/ns/net
exec nsenter --net="/run/netns/$namespace" -- \
  perl -e "$open" "$near" "$far" nsenter --net=/proc/self/fd/9 -- "$@"`;

/** The delay line as a service of the lab. */
export function delayLineService(lab: string, settings: LineSettings): LabService {
  const { service, port, cards, ailment } = settings;
  const { machine } = addressPlan(lab);
  return {
    name: service,
    command: [
      ...(["sh", "-c", INSIDE, "sh", machineNames(lab).namespace, OPEN_CARDS] as const),
      ...cards,
      ...nodeProgram(new URL("./main.ts", import.meta.url)),
      ...["--address", machine, "--port", String(port)],
      ...["--delay", String(ailment.delayMs), "--loss", String(ailment.lossPercent)],
    ],
    readyUrl: `http://[${machine}]:${port}/`,
  };
}
