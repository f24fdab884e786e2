import { z } from "zod";

/** What a line does to all that it carries, the same in both directions. */
export const LineFault = z.strictObject({
  /** One way: a round trip takes twice as long. */
  delayMs: z.number().nonnegative(),
  /** Of the frames in each direction. */
  lossPercent: z.number().min(0).max(100),
});
export type LineFault = z.output<typeof LineFault>;

/** What was done to a host on purpose, until it is healed. */
export const HostFaults = z.strictObject({
  /** Its network is dark. */
  cut: z.literal(true).optional(),
  line: LineFault.optional(),
  /** Its disk is full but for so many bytes. */
  fill: z.strictObject({ leaveBytes: z.int().nonnegative() }).optional(),
});
export type HostFaults = z.output<typeof HostFaults>;

/** The faults in words, one phrase each. */
export function describeFaults({ cut, line, fill }: HostFaults): string[] {
  return [
    ...(cut ? ["network cut"] : []),
    ...(line ? [describeLine(line)] : []),
    ...(fill ? [`disk full but for ${fill.leaveBytes} bytes`] : []),
  ];
}

/** What a line does, in words. */
export function describeLine({ delayMs, lossPercent }: LineFault): string {
  const loss = lossPercent === 0 ? "" : ` and ${lossPercent} % lost`;
  return `${delayMs} ms delay${loss} each way`;
}
