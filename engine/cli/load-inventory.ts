import { relative, resolve } from "node:path";
import type { Inventory } from "../dsl/inventory.ts";
import type { Playbook } from "../dsl/playbook.ts";
import { PlaybookError } from "../errors/error.ts";
import { isFile } from "./find-file.ts";
import { loadModule } from "./load-module.ts";

/** The inventory to run on: the file given, else the playbook's own, else inventory/hosts.ts of the folder. */
export async function loadInventory(
  playbook: Playbook | undefined,
  file: string | undefined,
  cwd: string,
): Promise<Inventory> {
  const usual = resolve(cwd, "inventory/hosts.ts");
  const own = playbook?.options.inventory;
  if (file === undefined && own !== undefined) return own;
  if (file === undefined && !isFile(usual))
    throw new PlaybookError("PB_INVENTORY_MISSING", [
      [
        ...["--inventory", "--lab"],
        ...(playbook === undefined ? [] : [`the playbook ${playbook.name}`]),
        "inventory/hosts.ts",
      ],
    ]);
  const path = file === undefined ? usual : existing(file, cwd);
  return asInventory(await loadModule(path, { cwd }), relative(cwd, path) || path);
}

function existing(file: string, cwd: string): string {
  const candidates = [
    resolve(cwd, file),
    `${resolve(cwd, file)}.ts`,
    resolve(cwd, "inventory", `${file}.ts`),
  ];
  const path = candidates.find(isFile);
  if (path !== undefined) return path;
  throw new PlaybookError(
    "PB_INVENTORY_MISSING",
    [candidates.map((at) => relative(cwd, at) || at)],
    {
      hint: "Give the path of a .ts file that exports defineInventory(…).",
    },
  );
}

function asInventory(module: Readonly<Record<string, unknown>>, shown: string): Inventory {
  const { default: exported, ...named } = module;
  if (isInventory(exported)) return exported;
  const inventories = Object.entries(named).filter(([, value]) => isInventory(value));
  const [[, only] = [], second] = inventories;
  if (second === undefined && isInventory(only)) return only;
  const why =
    second === undefined
      ? "it exports no defineInventory(…)"
      : `it exports several (${inventories.map(([name]) => name).join(", ")}), and none as default`;
  throw new PlaybookError("PB_INVENTORY_INVALID", [shown, why], { at: shown });
}

const isInventory = (value: unknown): value is Inventory =>
  typeof value === "object" && value !== null && "kind" in value && value.kind === "inventory";
