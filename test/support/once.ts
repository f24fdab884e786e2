import { z } from "zod";
import { run } from "#engine/dsl/change.ts";
import { defineModule } from "#engine/dsl/module.ts";
import { script } from "#engine/host/command.ts";

// Written down when it begins, and done only at its end: what a host shows of it tells how often it was applied.
const APPLY = `# once
echo applied >>"/var/lib/$1.times"
: >"/run/$1.begun"
left=1200
while [ "$2" = hold ] && [ ! -e "/run/$1.go" ] && [ "$left" -gt 0 ]; do
  sleep 0.1
  left=$((left - 1))
done
: >"/var/lib/$1.done"
sync`;

/**
 * A change that must not be made twice. With `hold` it stays in the middle until somebody makes /run/NAME.go, two
 * minutes at most. `afterChange` is called when the change is made and about to be looked at.
 */
export const onceModule = (
  afterChange: (host: string) => Promise<void> = async () => undefined,
) => {
  const looked = new Set<string>();
  return defineModule({
    name: "once",
    summary: "Something that is done once.",
    params: z.strictObject({ name: z.string(), hold: z.boolean().default(false) }),
    async read(host, { name }) {
      if (looked.has(`${name} ${host.name}`)) await afterChange(host.name);
      looked.add(`${name} ${host.name}`);
      return { done: (await host.stat(`/var/lib/${name}.done`)) !== undefined };
    },
    *diff({ done }, { name, hold }) {
      if (!done) yield run(script(APPLY, name, hold ? "hold" : ""), `${name}: done`);
    },
  });
};
