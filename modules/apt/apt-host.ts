import { type Host, PlaybookError } from "#engine/index.ts";

/** Refuses a host that has no apt, before anything is read or changed. @throws PB_UNSUPPORTED_HOST */
export function refuseWithoutApt({ facts }: Host): void {
  const { id, version } = facts.os;
  if (id === "debian" || id === "ubuntu") return;
  throw new PlaybookError("PB_UNSUPPORTED_HOST", [`apt on ${id} ${version}`, "Debian or Ubuntu"]);
}
