import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { GUARD_BASE } from "#engine/host/introduction.ts";
import { root } from "../../support/cli.ts";

test("kubeadm-reset deletes the run's own lock: no module, template or case names the engine's folder on a host", () => {
  const files = globSync("{modules,playbooks}/**/*.{ts,hbs,yaml}", { cwd: root });
  const named = new RegExp(`${GUARD_BASE}(?![\\w-])`);
  expect(files.length).toBeGreaterThan(300);
  expect(files.filter((file) => named.test(readFileSync(join(root, file), "utf8")))).toEqual([]);
});
