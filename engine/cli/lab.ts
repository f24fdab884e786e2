import { join } from "node:path";
import type { Io } from "./io.ts";

/** The file that a lab's inventory is written to, from the folder where one stands. */
export const inventoryOfLab = (name: true | string): string =>
  join("inventory", name === true ? "lab.ts" : `lab-${name}.ts`);

/** Starts the lab if it is not up, and gives the path of the inventory that it writes into the folder. */
export async function useLab(name: true | string, isYes: boolean, io: Io): Promise<string> {
  const [{ openLab }, { upOptions }, { writeInventory }, { lineProgress }] = await Promise.all([
    import("#lab/lab.ts"),
    import("#lab/up-flags.ts"),
    import("#lab/inventory-file.ts"),
    import("#lab/lines.ts"),
  ]);
  const lab = openLab(name === true ? undefined : name, lineProgress(io.stderr));
  const view = await lab.up(upOptions({ yes: isYes }, io.stdin.isTTY === true));
  const file = join(io.cwd, inventoryOfLab(name));
  await writeInventory(view, file);
  return file;
}
