import type { LabContext } from "./context.ts";
import { type Lock, takeLock } from "./state/lock.ts";

// The other command may be building what hosts download, which takes minutes.
const SECONDS = 600;

/** Takes the lab's lock, and says so when another command has it. */
export async function lockLab({ paths, name, report }: LabContext): Promise<Lock> {
  const label = `wait for another command on lab ${name}`;
  let since: number | undefined;
  const onWait = () => {
    since = performance.now();
    report({ type: "started", label });
  };
  const lock = await takeLock(paths.lock, name, { seconds: SECONDS, onWait });
  if (since !== undefined)
    report({ type: "done", label, ms: Math.round(performance.now() - since), cached: false });
  return lock;
}
