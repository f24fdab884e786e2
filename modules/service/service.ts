/** A systemd unit: running or not, enabled or not, masked. */
import { z } from "zod";
import { defineModule, toMs } from "#engine/index.ts";
import { AbsolutePath, DurationText, StartableUnit } from "../params.ts";
import { keepUnit, readUnit, renewUnit, undoUnit } from "../unit-state.ts";

export const service = defineModule({
  name: "service",
  summary: "Keep a systemd unit running and enabled, or stopped, disabled or masked.",
  example: `use.service({ name: "containerd.service", restartAfter: ["/etc/containerd/config.toml"] })`,

  params: z.strictObject({
    name: StartableUnit.describe("The unit with its ending, as kubelet.service; no template."),
    running: z
      .boolean()
      .default(true)
      .describe(
        "Whether it runs now; a oneshot unit counts as running once it ended well since boot.",
      ),
    enabled: z
      .boolean()
      .default(true)
      .describe("Whether it starts at boot; a unit that others start (static) cannot be enabled."),
    masked: z
      .boolean()
      .default(false)
      .describe("Stopped, and cannot be started by anything; the two above then say nothing."),
    restartAfter: z
      .array(AbsolutePath)
      .default([])
      .describe(
        "Files of which its process must be younger: it is restarted when one changed since it started, whoever changed it and whenever. Files that are not there do not count.",
      ),
    settle: DurationText.default("1s").describe(
      "How long it is watched after a start; one that fails in that time fails the step with its last journal lines.",
    ),
    timeout: DurationText.default("90s").describe("For starting or stopping it."),
  }),

  outputs: z.object({
    active: z.string().describe("systemd's ActiveState, as active or failed."),
  }),

  read(host, want) {
    return readUnit(host, want.name, want.restartAfter);
  },

  *diff(now, want) {
    yield* keepUnit(now, { ...want, unit: want.name, settleMs: toMs(want.settle) });
  },

  *undo(before, now, want) {
    yield* undoUnit(before, now, { ...want, unit: want.name, settleMs: toMs(want.settle) });
  },

  *renew(now, { name, settle, timeout }) {
    yield* renewUnit(now, { unit: name, settleMs: toMs(settle), timeout });
  },
});
