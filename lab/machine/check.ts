import { PlaybookError } from "#engine/errors/error.ts";

/** Refuses a machine that cannot carry a lab, before anything is tried on it. */
export function checkMachine(
  platform = process.platform,
  uid: number | undefined = process.geteuid?.(),
): void {
  if (platform !== "linux")
    throw new PlaybookError("PB_LAB_MACHINE", [`its system is ${platform}, not Linux`]);
  if (uid !== 0)
    throw new PlaybookError("PB_LAB_MACHINE", ["network namespaces and mounts need root"], {
      hint: "Run the same command as root, for example with sudo.",
    });
}
